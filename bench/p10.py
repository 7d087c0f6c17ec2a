# SPDX-License-Identifier: Apache-2.0
"""P10: one change to a whole fleet, from the request until the last device's account is durable."""

import itertools
import time

from measure import Bench, Row, Sample, Watch, judge, rounds
from parts import Mosquitto, Server, wait_for

COUNT, COUNT_FULL = 5000, 15000
GOAL_MS_EACH = 1000 / 18000  # a second for 18,000


def changed(server, devices, count, versions):
    """One Sample: a release is deployed."""
    release = server.release(f"1.0.{next(versions)}")
    before = devices.next()["accounts"]
    watch, begun_ms = Watch(server.pid), time.time() * 1000
    server.deploy(release)
    wait_for("all report", lambda: devices.next()["accounts"] >= before + count)
    used = watch.end()
    took_ms = devices.latest["accounts_at_ms"] - begun_ms
    facts = {
        "CPU us a device": used.cpu_s / count * 1e6,
        "bytes written a device": (used.written or 0) / count,
        "server's time by thread": used.busiest(),
    }
    return Sample(took_ms, facts, used.others)


def fanned(clients, count):
    """One Sample: a message to all who listen."""
    before = clients.next()["messages"]
    watch = Watch()
    clients.ask()
    wait_for("all have it", lambda: clients.next()["messages"] >= before + count)
    return Sample(clients.latest["took_us"] / 1000, {}, watch.end().others)


def one_change(run, row):
    """P10"""
    count = run.count(COUNT_FULL if run.full else COUNT)
    versions = itertools.count()
    with Server(run.build, "heartbeat = 10m\nchannels_max = 100000") as server:
        with server.devices(count) as devices, Mosquitto(server) as broker:
            with broker.clients("listen", count) as clients:
                devices.wait_open(count)
                clients.wait_open(count)
                changed(server, devices, count, versions)  # the first is to none that has any
                mine, theirs = rounds(
                    run.rounds,
                    lambda: changed(server, devices, count, versions),
                    lambda: fanned(clients, count),
                )
    row.what = row.what.format(count=count)
    return judge(row, mine, theirs, lambda ours, _: ours <= GOAL_MS_EACH * count)


BENCHES = [
    Bench(
        Row(
            "P10",
            "one change to {count:,} held devices, until the last says so",
            "ms",
            "<= 1 s for 18,000 (as much for each)",
            reference_what="mosquitto sends one message to as many, each acknowledged; not durable",
        ),
        one_change,
    )
]
