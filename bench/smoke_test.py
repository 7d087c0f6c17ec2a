#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The harness itself, so that it does not rot: what it says of figures, and one tiny bench for real.

usage: smoke_test.py BUILD
"""

import contextlib
import io
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import measure
import p17
import parts
import run
from measure import Bench, Row, Sample

BUILD = Path(sys.argv[1])
SCRIPT = Path(__file__).parent / "run.py"


def row():
    """One that nothing was said of."""
    return Row("P0", "a thing", "us CPU", "<= 3 x", reference_what="another")


def samples(*values, others=0.0):
    """Of these values."""
    return [Sample(value, {}, others) for value in values]


def at_most_three(ours, reference):
    """The goal of these tests."""
    return ours <= 3 * reference


def reference_and_ours_take_turns():
    said = []
    measure.rounds(2, lambda: said.append("ours"), lambda: said.append("reference"))
    assert said == ["reference", "ours", "ours", "reference"] * 2, said


def medians_make_the_ratio_and_decide():
    met = measure.judge(row(), samples(20, 21, 22), samples(10, 10, 10), at_most_three)
    assert (met.ours, met.reference, met.ratio, met.met) == (21, 10, 2.1, True), met
    missed = measure.judge(row(), samples(31, 31, 31), samples(10, 10, 10), at_most_three)
    assert missed.met is False and not missed.noisy, missed


def one_stray_sample_of_many_is_no_noise():
    stray = measure.judge(row(), samples(20, 21, 20, 90), samples(10, 10, 10), at_most_three)
    assert stray.met is True, stray


def a_noisy_row_is_neither_met_nor_missed():
    for mine in (samples(20, 30, 40), samples(20, 20, 20, others=0.5)):
        noisy = measure.judge(row(), mine, samples(10, 10, 10, others=0.5), at_most_three)
        assert noisy.noisy and noisy.met is None and noisy.why, noisy
        assert run.verdict(noisy) == "noisy"


def shown(one):
    """What the terminal gets."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        run.show(one)
    return out.getvalue()


def a_missed_goal_is_printed_with_what_explains_it():
    missed = row()
    mine = [Sample(50, {"bytes written each": 14000.0})]
    text = shown(measure.judge(missed, mine, samples(10), at_most_three))
    for part in ("MISSED", "goal <= 3 x", "5.00 x", "bytes written each: 14,000", "another"):
        assert part in text, text


def a_missing_part_is_skipped_by_name():
    def measured(_run, _row):
        raise parts.Missing("mosquitto")

    skipped = run.measured(Bench(row(), measured), None)
    assert skipped.skipped and skipped.met is None
    assert "skipped: mosquitto is not here" in shown(skipped)


def a_part_that_fails_is_no_result():
    def measured(_run, _row):
        raise parts.Failed("musterd ended")

    failed = run.measured(Bench(row(), measured), None)
    assert failed.why == "failed: musterd ended" and failed.met is None


def ids_choose_their_benches():
    ids = [bench.row.id for bench in run.chosen("p5,P22", run.BENCHES)]
    assert ids == ["P5", "P5b", "P5c", "P22"], ids
    assert [bench.row.id for bench in run.chosen("P5b", run.BENCHES)] == ["P5b"]
    assert run.chosen("", run.BENCHES) == run.BENCHES
    try:
        run.chosen("P999", run.BENCHES)
    except SystemExit as end:
        assert "there is no P999" in str(end)
    else:
        raise AssertionError("an unknown id is taken")


def rows_are_copied_by_what_the_schema_says():
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE thing (id TEXT PRIMARY KEY, org_id TEXT, name TEXT, n INTEGER)")
    db.execute("CREATE UNIQUE INDEX thing_name ON thing (org_id, name)")
    db.execute("INSERT INTO thing VALUES ('thing_abcdef', 'org_a', 'sim-1', 7)")
    p17.multiply(db, "thing", 250)
    assert db.execute("SELECT count(*), count(DISTINCT name), sum(n) FROM thing").fetchone() == (
        251,
        251,
        251 * 7,
    )
    assert db.execute("SELECT name FROM thing WHERE id = 'thing_000012'").fetchone() == ("00012",)


def our_own_work_is_not_that_of_others():
    watch = measure.Watch(os.getpid())
    while measure.Watch(os.getpid()).begin["at"] < watch.begin["at"] + 0.3:
        sum(range(100_000))
    used = watch.end()
    assert used.cpu_s > 0.05, used.cpu_s
    assert used.others <= 1 and used.threads, used.others


def a_tiny_bench_runs_for_real():
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "latest.json"
        command = [SCRIPT, "--only", "P22", "--no-build", "--build", BUILD, "--results", results]
        command += ["--rounds", "1", "--seconds", "0.2", "--devices", "5"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        rows = json.loads(results.read_text())["rows"]
    assert [one["id"] for one in rows] == ["P22"], rows
    assert rows[0]["ours"] > 0 and not rows[0]["skipped"], rows
    assert "P22" in done.stdout and "goal" in done.stdout, done.stdout


CASES = [
    reference_and_ours_take_turns,
    medians_make_the_ratio_and_decide,
    one_stray_sample_of_many_is_no_noise,
    a_noisy_row_is_neither_met_nor_missed,
    a_missed_goal_is_printed_with_what_explains_it,
    a_missing_part_is_skipped_by_name,
    a_part_that_fails_is_no_result,
    ids_choose_their_benches,
    rows_are_copied_by_what_the_schema_says,
    our_own_work_is_not_that_of_others,
    a_tiny_bench_runs_for_real,
]


def main():
    """TAP."""
    print(f"1..{len(CASES)}")
    failed = 0
    for number, case in enumerate(CASES, 1):
        try:
            case()
            print(f"ok {number} - {case.__name__}")
        except BaseException:  # pylint: disable=broad-exception-caught
            failed += 1
            print(f"not ok {number} - {case.__name__}")
            traceback.print_exc()
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
