# SPDX-License-Identifier: Apache-2.0
"""Rounds, medians, and what may be said of them.

A measurement is a Sample. Reference and ours are measured in one run, in the order reference, ours,
ours, reference, so that a machine that becomes slower or faster does so for both.
"""

import os
import statistics
import time
from dataclasses import dataclass, field

import machine

SPREAD_MAX = 0.25  # of the samples, as spread_of says
OTHERS_MAX = 0.15  # of all processors' time, used by what is not ours; median of the samples
EXTREMES_FROM = 4  # so many samples have extremes that the median does not feel


@dataclass
class Sample:
    """One measurement: the value, and what explains it."""

    value: float
    facts: dict = field(default_factory=dict)
    others: float = 0.0  # share of the machine that others used meanwhile


@dataclass
class Row:
    """One line of the result."""

    id: str
    what: str
    unit: str
    goal: str
    reference: float | None = None
    reference_what: str = ""
    ours: float | None = None
    ratio: float | None = None
    spread: float | None = None
    met: bool | None = None  # None: not said, see noisy and skipped
    noisy: bool = False
    why: str = ""  # it is noisy, or skipped
    skipped: bool = False
    facts: dict = field(default_factory=dict)


class Watch:
    """What a process and the machine used between two moments."""

    def __init__(self, pid=None):
        self.pid = pid
        self.begin = self.look()

    def look(self):
        """All counts at this moment."""
        return {
            "at": time.monotonic(),
            "threads": machine.threads_cpu_s(self.pid) if self.pid else {},
            "written": machine.written_bytes(self.pid) if self.pid else None,
            "processors": machine.processors(),
            "family": machine.family_cpu_s(os.getpid()),
        }

    def end(self):
        """The end, as a Used."""
        return Used(self.begin, self.look())


class Used:
    """The difference between two looks."""

    def __init__(self, begin, end):
        self.wall_s = end["at"] - begin["at"]
        self.threads = {
            name: seconds - begin["threads"].get(name, 0)
            for name, seconds in end["threads"].items()
        }
        self.cpu_s = sum(self.threads.values())
        self.written = None if end["written"] is None else end["written"] - begin["written"]
        self.idle_s = {
            number: idle - begin["processors"][number][1]
            for number, (_, idle) in end["processors"].items()
        }
        busy = end["processors"][None][0] - begin["processors"][None][0]
        ours = end["family"] - begin["family"]
        room = self.wall_s * (os.cpu_count() or 1)
        self.others = max(0.0, busy - ours) / room if room else 0.0

    def busiest(self, count=4):
        """The threads that used most, as text."""
        ranks = sorted(self.threads.items(), key=lambda one: -one[1])[:count]
        whole = self.cpu_s or 1
        return ", ".join(f"{name} {seconds / whole:.0%}" for name, seconds in ranks)


def rounds(count, ours, reference=None):
    """(samples of ours, samples of the reference), each of which is a call that gives a Sample."""
    mine, theirs = [], []
    for _ in range(count):
        if reference:
            theirs.append(reference())
        mine.append(ours())
        mine.append(ours())
        if reference:
            theirs.append(reference())
    return mine, theirs


def spread_of(samples):
    """(largest - least) / median, of many samples without the largest and the least of all"""
    values = sorted(sample.value for sample in samples)
    middle = statistics.median(values)
    if len(values) >= EXTREMES_FROM:
        values = values[1:-1]
    if values[0] == values[-1]:
        return 0.0
    return (values[-1] - values[0]) / middle if middle else float("inf")


def noise_of(mine, theirs):
    """Why these samples cannot be trusted; empty: they can."""
    why = []
    for name, samples in (("ours", mine), ("the reference", theirs)):
        if samples and spread_of(samples) > SPREAD_MAX:
            why.append(f"{name} spread by {spread_of(samples):.0%}")
    others = statistics.median(sample.others for sample in mine + theirs)
    if others > OTHERS_MAX:
        why.append(f"others used {others:.0%} of the machine")
    return ", ".join(why)


def facts_of(samples):
    """The facts of the median sample."""
    ranked = sorted(samples, key=lambda sample: sample.value)
    return ranked[len(ranked) // 2].facts


def judge(row, mine, theirs, is_met):
    """Fill the row in; is_met(ours, reference) is only asked where the figures can be trusted."""
    row.ours = statistics.median(sample.value for sample in mine)
    row.facts = facts_of(mine)
    row.spread = max(spread_of(mine), spread_of(theirs) if theirs else 0.0)
    if theirs:
        row.reference = statistics.median(sample.value for sample in theirs)
        row.ratio = row.ours / row.reference if row.reference else None
    row.why = noise_of(mine, theirs)
    row.noisy = bool(row.why)
    if not row.noisy:
        row.met = bool(is_met(row.ours, row.reference))
    return row


def skip(row, why):
    """The row that says by name what was not there."""
    row.skipped = True
    row.why = why
    return row


@dataclass
class Bench:
    """A row that is to be filled in, and how: measure(run, row) gives the row back."""

    row: Row
    measure: object
