#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures Muster beside what others do with the same work, on this machine, in one run.

usage: run.py [--only ID,ID] [--build DIR] [--no-build] [--rounds N] [--seconds S] [--devices N]
              [--full] [--results FILE]

`make bench` is the way to call it; README.md beside it says how to read what it prints.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import machine
import p05
import p10
import p17
import p20
import p21
import p22
import parts
import store

ROOT = Path(__file__).resolve().parents[1]
BENCHES = [*p05.BENCHES, *p10.BENCHES, *p17.BENCHES, *p20.BENCHES, *p21.BENCHES, *p22.BENCHES]
BENCHES += store.BENCHES


@dataclass
class Run:
    """What every bench is told."""

    build: Path
    rounds: int
    seconds: float  # of a measurement
    devices: int | None  # instead of what a bench is about
    full: bool
    files_max: int

    def count(self, wanted):
        """So many devices: as wanted, unless told otherwise, within what may be open at once."""
        return min(self.devices or wanted, self.files_max - 500)


def chosen(only, benches):
    """The benches of these ids, in their order; P5 stands for P5b, too. Exits at one unknown."""
    if not only:
        return benches
    wanted = {name.strip().upper() for name in only.split(",") if name.strip()}
    for name in wanted:
        if not any(matches(name, bench) for bench in benches):
            sys.exit(f"bench: there is no {name}: {', '.join(b.row.id for b in benches)}")
    return [bench for bench in benches if any(matches(name, bench) for name in wanted)]


def matches(name, bench):
    """The name is the bench's, with or without its letter."""
    own = bench.row.id.upper()
    return name in (own, own.rstrip("BC"))


def figure(value, unit=""):
    """Three digits, which is what it is worth."""
    if value is None:
        return "-"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}{' ' if unit else ''}{unit}"


def verdict(row):
    """One word."""
    if row.skipped:
        return "skipped"
    if row.noisy:
        return "noisy"
    return "met" if row.met else "MISSED"


def show(row):
    """The row on the terminal, and below it what explains it."""
    spread = "-" if row.spread is None else f"{row.spread:.0%}"
    ratio = "-" if row.ratio is None else f"{figure(row.ratio)} x"
    print(
        f"{row.id:<7} {row.what[:58]:<58} {figure(row.reference):>9} {figure(row.ours):>9} "
        f"{row.unit:<9} {ratio:>8} {spread:>6}  {verdict(row):<7} goal {row.goal}"
    )
    if row.why:
        print(f"{'':7}   {verdict(row)}: {row.why}")
    if row.reference is not None:
        print(f"{'':7}   beside: {row.reference_what}")
    for name, value in row.facts.items():
        print(f"{'':7}   {name}: {value if isinstance(value, str) else figure(value)}")
    sys.stdout.flush()


def measured(bench, run):
    """The bench's row; a part that is missing skips it by name."""
    try:
        return bench.measure(run, bench.row)
    except parts.Missing as missing:
        bench.row.skipped = True
        bench.row.why = f"{missing} is not here: scripts/install_toolchain.sh --bench"
    except (parts.Failed, OSError, subprocess.CalledProcessError) as failure:
        bench.row.skipped = True
        bench.row.why = f"failed: {failure}"
    return bench.row


def build(folder):
    """The release build with what the benches need."""
    if not (folder / "build.ninja").exists():
        setup = ["meson", "setup", "--buildtype=release", str(folder)]
        subprocess.run(setup, cwd=ROOT, check=True, stdout=sys.stderr)
    helpers = [f"bench/{name}" for name in ("db_commit_bench", "mqtt_clients", "tls_handshakes")]
    subprocess.run(["ninja", "-C", str(folder), "all", *helpers], check=True, stdout=sys.stderr)


def commit():
    """Which one is measured; `+` behind it: with changes."""
    try:
        told = subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        return told.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def arguments():
    """Of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="ids, with commas between")
    parser.add_argument("--build", type=Path, default=ROOT / "build-release")
    parser.add_argument("--no-build", action="store_true", help="what is built is good")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4, help="of a measurement")
    parser.add_argument("--devices", type=int, help="instead of what a bench is about")
    parser.add_argument("--full", action="store_true", help="sizes that take long")
    parser.add_argument("--results", type=Path, default=ROOT / "bench/results/latest.json")
    return parser.parse_args()


def main():
    """All the benches that were asked for, one after the other."""
    told = arguments()
    benches = chosen(told.only, BENCHES)
    if not told.no_build:
        build(told.build.resolve())
    run = Run(
        build=told.build.resolve(),
        rounds=told.rounds,
        seconds=told.seconds,
        devices=told.devices,
        full=told.full,
        files_max=parts.files_allow(),
    )
    result = {"commit": commit(), "at": int(time.time()), "machine": machine.about(), "rows": []}
    about = result["machine"]
    print(f"# {about['processors']} x {about['processor']}, load {about['load'][0]}, {result['commit']}")
    for bench in benches:
        row = measured(bench, run)
        show(row)
        result["rows"].append(asdict(row))
    told.results.parent.mkdir(parents=True, exist_ok=True)
    told.results.write_text(json.dumps(result, indent=1) + "\n")
    missed = [row["id"] for row in result["rows"] if row["met"] is False]
    print(f"# {told.results}" + (f"; missed: {', '.join(missed)}" if missed else ""))
    return any(row["why"].startswith("failed") for row in result["rows"])


if __name__ == "__main__":
    sys.exit(main())
