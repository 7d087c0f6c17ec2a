# SPDX-License-Identifier: Apache-2.0
"""Durable commits beside a bare loop of write and fdatasync: db_commit_bench.c, as a row."""

import re
import subprocess
import tempfile

from measure import Bench, Row, Sample, Watch, judge
from parts import Failed


def commits(run, row):
    """The bare loop and the store take turns within one run of the program."""
    bare, ours = [], []
    for _ in range(run.rounds):
        watch = Watch()
        with tempfile.TemporaryDirectory(prefix="muster-bench.") as folder:
            told = subprocess.run(
                [run.build / "bench/db_commit_bench", folder],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        rates = [float(text) for text in re.findall(r"([\d.]+)/s", told)]
        if len(rates) < 2:
            raise Failed(f"db_commit_bench says {told!r}")
        others = watch.end().others
        bare.append(Sample(rates[0], {}, others))
        ours.append(Sample(rates[-1], {"all": "; ".join(told.splitlines())}, others))
    return judge(row, ours, bare, lambda mine, alone: mine >= alone)


BENCHES = [
    Bench(
        Row(
            "COMMIT",
            "durable commits of the store, many at once",
            "/s",
            ">= 1 x",
            reference_what="write and fdatasync of as many bytes as a page of the log, in a loop",
        ),
        commits,
    )
]
