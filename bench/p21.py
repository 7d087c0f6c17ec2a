# SPDX-License-Identifier: Apache-2.0
"""P21: joining, many at a time."""

import json
import subprocess
import tempfile

from measure import Bench, Row, Sample, Watch, judge, rounds
from parts import Failed, Program, Server

AT_ONCE, BEYOND_US = 64, 300
HANDSHAKES = 1500
EACH = 30  # devices of each that joins


def joined(run, count):
    """One Sample: all join, each over a connection of its own, AT_ONCE at a time."""
    with Server(run.build) as server, tempfile.TemporaryFile("w+") as told:
        command = [run.build / "tests/simulate/muster-simulate", "--count", count]
        command += ["--token", server.token(count), "--processes", min(AT_ONCE, count)]
        watch = Watch(server.pid)
        devices = Program([*command, "--alone", "--only-enrol"], lines="stderr", out=told)
        status = devices.process.wait(300)
        used = watch.end()
        devices.stop()
        told.seek(0)
        result = json.loads(told.read() or "{}")
    if status != 0 or not result:
        raise Failed(f"muster-simulate ended with {status}")
    facts = {
        "refused or tried again": result["errors"] + count - result["enrolled"],
        "joins a second": result["enrolled"] / result["seconds_enrol"],
        "server's time by thread": used.busiest(),
    }
    return Sample(used.cpu_s / max(result["enrolled"], 1) * 1e6, facts, used.others)


def shaken(run):
    """One Sample: bare full handshakes with the same kind of certificate."""
    with Server(run.build) as server:
        watch = Watch()
        told = subprocess.run(
            [run.build / "bench/tls_handshakes", server.data / "server.pem"]
            + [server.data / "server.key", str(HANDSHAKES)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    return Sample(float(told), {}, watch.end().others)


def joins(run, row):
    """P21"""
    count = run.count(AT_ONCE * EACH)
    mine, theirs = rounds(run.rounds, lambda: joined(run, count), lambda: shaken(run))
    refused = max(sample.facts["refused or tried again"] for sample in mine)
    row = judge(
        row, mine, theirs, lambda ours, bare: ours - bare <= BEYOND_US and refused == 0
    )
    row.facts["beyond a bare handshake, us"] = row.ours - row.reference
    row.facts["refused or tried again"] = refused
    return row


BENCHES = [
    Bench(
        Row(
            "P21",
            "joining, 64 at a time",
            "us CPU",
            "<= 300 us beyond, none refused",
            reference_what="a bare full handshake by GnuTLS, with as good a key",
        ),
        joins,
    )
]
