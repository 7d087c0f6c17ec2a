# SPDX-License-Identifier: Apache-2.0
"""P5: what an acknowledged heartbeat costs the server."""

import os
import time

from measure import Bench, Row, Sample, Watch, judge, rounds, skip
from parts import Mosquitto, Server

SETTLE_S = 1.5  # after all have come: what they say at first is no heartbeat
RATIO_MAX, BUSY_MIN = 3, 0.9
OPEN_MIN = 0.95  # of the devices of P5c: whom a full server lets go comes back later
WRITTEN_MAX = 64  # bytes a heartbeat that are no write of its own, but the server's others


def counted(program, pid, seconds):
    """(messages acknowledged, what that used) over about so many seconds."""
    time.sleep(SETTLE_S)
    before = program.next()["messages"]
    watch = Watch(pid)
    while True:
        after = program.next()["messages"]
        if time.monotonic() - watch.begin["at"] >= seconds:
            return max(after - before, 1), watch.end()


def heartbeats(run, count, *options):
    """One Sample of musterd with so many devices that each say something once a second."""
    with Server(run.build, "heartbeat = 1s") as server:
        with server.devices(count, *options) as devices:
            devices.wait_open(count)
            messages, used = counted(devices, server.pid, run.seconds)
    facts = {
        "heartbeats a second": messages / used.wall_s,
        "bytes written each": (used.written or 0) / messages,
        "server's time by thread": used.busiest(),
    }
    return Sample(used.cpu_s / messages * 1e6, facts, used.others)


def published(run, count):
    """One Sample of mosquitto with as many clients, rate and size alike."""
    with Server(run.build) as server, Mosquitto(server) as broker:
        with broker.clients("publish", count) as clients:
            clients.wait_open(count)
            messages, used = counted(clients, broker.pid, run.seconds)
    return Sample(used.cpu_s / messages * 1e6, {}, used.others)


def new_content(run, row):
    """P5"""
    count = run.count(1000)
    mine, theirs = rounds(
        run.rounds, lambda: heartbeats(run, count), lambda: published(run, count)
    )
    return judge(row, mine, theirs, lambda ours, reference: ours <= RATIO_MAX * reference)


def unchanged(run, row):
    """P5b"""
    count = run.count(1000)
    mine, theirs = rounds(
        run.rounds, lambda: heartbeats(run, count, "--steady"), lambda: published(run, count)
    )
    row = judge(row, mine, theirs, lambda ours, reference: ours <= reference / 2)
    written = row.facts["bytes written each"]
    if row.met and written > WRITTEN_MAX:
        row.met = False
    return row


def saturated(run, count, cpu):
    """One Sample of the rate that a server on one core keeps up."""
    others = os.sched_getaffinity(0) - {cpu}
    with Server(run.build, "heartbeat = 1s\nworkers = 4\nchannels_max = 100000", {cpu}) as server:
        with server.devices(count, cpus=others) as devices:
            devices.wait_open(int(count * OPEN_MIN))
            lost = devices.latest["errors"]
            messages, used = counted(devices, server.pid, run.seconds)
            lost = devices.latest["errors"] - lost
    facts = {
        "devices": count,
        "channels lost meanwhile": lost,
        "server core busy": used.cpu_s / (used.cpu_s + used.idle_s[cpu]),
        "CPU us each": used.cpu_s / messages * 1e6,
        "bytes written each": (used.written or 0) / messages,
        "server's time by thread": used.busiest(),
    }
    return Sample(messages / used.wall_s, facts, used.others)


def rate(run, row):
    """P5c: the devices must ask for more than it can do, else the answer is the devices' rate."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        return skip(row, "a second core, for the load, is not here")
    count = run.count(8000)
    mine, _ = rounds(1, lambda: saturated(run, count, cpus[0]))
    row = judge(row, mine, [], lambda ours, _: row.facts["server core busy"] >= BUSY_MIN)
    if row.ours > 0.95 * count and row.facts["server core busy"] < BUSY_MIN:
        row.met, row.noisy = None, True
        row.why = f"{count} devices ask for no more than it did: --devices MORE"
    return row


BENCHES = [
    Bench(
        Row(
            "P5",
            "a durable, acknowledged heartbeat with new content",
            "us CPU",
            "<= 3 x (then 1.5 x)",
            reference_what="mosquitto, QoS 1 over TLS, not durable; as many clients, rate, size",
        ),
        new_content,
    ),
    Bench(
        Row(
            "P5b",
            "a heartbeat that changes nothing",
            "us CPU",
            "<= 0.5 x and no write",
            reference_what="mosquitto, QoS 1 over TLS, as many clients, rate, size",
        ),
        unchanged,
    ),
    Bench(
        Row(
            "P5c",
            "heartbeats a second with four workers, on one core",
            "/s",
            "server core >= 90 % busy",
        ),
        rate,
    ),
]
