#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns meson's testlog.json into lines `ok`, `not ok` or `skip`, one per test case.

usage: tap_summary.py LANE testlog.json

A program that ends badly without naming a failed case (a crash, a leak, a timeout) is one failed
case of its own. What a failed program said follows as `#` lines.
"""

import json
import re
import sys

CASE = re.compile(r"^(not )?ok\b\s*\d*\s*(?:- )?\s*(.*)$")
SKIP = re.compile(r"#\s*SKIP\s+(.*)$")


def outcomes(record):
    """(outcome, case) of each case of one test program."""
    for line in record.get("stdout", "").splitlines():
        if not (match := CASE.match(line)):
            continue
        bad, text = match.groups()
        if skip := SKIP.search(text):  # cmocka prints "not ok N # SKIP case"
            yield "skip", skip.group(1)
        else:
            yield "not ok" if bad else "ok", text


def program_fault(record, cases):
    """How the program ended badly, apart from its cases; None if it did not."""
    # Not FAIL: meson says that of a skipped case too, and a failed one speaks for itself.
    if record["result"] in ("ERROR", "TIMEOUT", "INTERRUPT"):
        return record["result"].lower()
    if record.get("returncode", 0) != 0:
        return f"status {record['returncode']}"
    plan = re.search(r"^1\.\.(\d+)", record.get("stdout", ""), re.M)
    if not plan or int(plan.group(1)) != len(cases):
        return "fewer cases than planned"
    return None


def main():
    lane, path = sys.argv[1:]
    with open(path, encoding="utf-8") as log:
        records = [json.loads(line) for line in log]
    for record in records:
        program = record["name"].split(" / ")[-1].strip()
        cases = list(outcomes(record))
        fault = program_fault(record, cases)
        if fault and not any(outcome == "not ok" for outcome, _ in cases):
            cases.append(("not ok", f"ended with {fault}"))
        for outcome, case in cases:
            print(f"{outcome} {lane}: {program}: {case}")
        if any(outcome == "not ok" for outcome, _ in cases):
            said = record.get("stdout", "") + record.get("stderr", "")
            for line in said.splitlines()[-60:]:
                print(f"# {line}")


if __name__ == "__main__":
    main()
