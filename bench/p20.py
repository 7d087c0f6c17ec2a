# SPDX-License-Identifier: Apache-2.0
"""P20: the memory of a small server."""

import machine
from measure import Bench, Row, Sample, Watch, judge, rounds
from parts import Server, wait_for

RSS_MAX_MB = 64


def small(run, count):
    """One Sample: devices have come, have been shipped a release, and were looked at."""
    watch = Watch()
    with Server(run.build) as server:
        with server.devices(count) as devices:
            devices.wait_open(count)
            release = server.release("1.0.0")
            before = devices.next()["accounts"]
            server.deploy(release)
            wait_for("all report", lambda: devices.next()["accounts"] >= before + count)
            for _ in range(5):
                server.api.call("GET", "/v1/devices?limit=1000")
            rss_mb = machine.rss_bytes(server.pid) / 1e6
    return Sample(rss_mb, {"KB a device": rss_mb * 1000 / count}, watch.end().others)


def memory(run, row):
    """P20"""
    count = run.count(1000)
    mine, _ = rounds(1, lambda: small(run, count))
    row.what = row.what.format(count=count)
    return judge(row, mine, [], lambda ours, _: ours <= RSS_MAX_MB)


BENCHES = [
    Bench(
        Row("P20", "memory of a server with {count:,} devices that run a release", "MB RSS",
            "<= 64 MB"),
        memory,
    )
]
