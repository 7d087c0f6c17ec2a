# SPDX-License-Identifier: Apache-2.0
"""P22: a list of devices with everything shown."""

from measure import Bench, Row, Sample, Watch, judge, rounds
from parts import Failed, Server

PAGE_MAX = 1000
US_MAX = 8


def listed(run, server, count):
    """One Sample: the list, as often as the time allows."""
    watch, asked = Watch(server.pid), 0
    while asked < 3 or watch.look()["at"] - watch.begin["at"] < run.seconds / 4:
        page = server.api.call("GET", f"/v1/devices?limit={PAGE_MAX}")
        if len(page["items"]) != count:
            raise Failed(f"a list of {len(page['items'])} devices, not {count}")
        asked += 1
    used = watch.end()
    facts = {"lists a second": asked / used.wall_s, "server's time by thread": used.busiest()}
    return Sample(used.cpu_s / asked / count * 1e6, facts, used.others)


def lists(run, row):
    """P22: how often it reads is what the test `device_list` looks at."""
    count = min(run.count(PAGE_MAX), PAGE_MAX)
    with Server(run.build, "heartbeat = 10m") as server:
        with server.devices(count) as devices:
            devices.wait_open(count)
            mine, _ = rounds(run.rounds, lambda: listed(run, server, count))
    row.what = row.what.format(count=count)
    return judge(row, mine, [], lambda ours, _: ours <= US_MAX)


BENCHES = [
    Bench(
        Row(
            "P22",
            "a list of {count:,} devices with everything shown, a device",
            "us CPU",
            "<= 8 us (then 6 us)",
        ),
        lists,
    )
]
