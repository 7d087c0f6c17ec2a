#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What make test sums up: no failure of a test program may get lost on the way."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

TOOL = Path(__file__).resolve().parents[2] / "scripts/tap_summary.py"

# name -> (what meson recorded, the lines that must come out)
CASES = {
    "passed and failed cases count one by one": (
        {"stdout": "1..2\nok 1 - a\nnot ok 2 - b\n", "result": "FAIL", "returncode": 1},
        ["ok L: p: a", "not ok L: p: b"],
    ),
    "a skipped case is skipped, not failed": (
        {"stdout": "1..2\nok 1 - a\nnot ok 2 # SKIP b\n", "result": "FAIL", "returncode": 0},
        ["ok L: p: a", "skip L: p: b"],
    ),
    "a crash is a failure": (
        {"stdout": "1..2\nok 1 - a\n", "result": "FAIL", "returncode": -11},
        ["ok L: p: a", "not ok L: p: ended with status -11"],
    ),
    "a leak behind good cases is a failure": (
        {"stdout": "1..1\nok 1 - a\n", "result": "ERROR", "returncode": 1},
        ["ok L: p: a", "not ok L: p: ended with error"],
    ),
    "a timeout is a failure": (
        {"stdout": "", "result": "TIMEOUT", "returncode": -15},
        ["not ok L: p: ended with timeout"],
    ),
    "leaving early with status 0 is a failure": (
        {"stdout": "1..2\nok 1 - a\n", "result": "OK", "returncode": 0},
        ["ok L: p: a", "not ok L: p: ended with fewer cases than planned"],
    ),
    "saying nothing is a failure": (
        {"stdout": "", "result": "OK", "returncode": 0},
        ["not ok L: p: ended with fewer cases than planned"],
    ),
}


def summary(record):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as log:
        log.write(json.dumps({"name": "muster:unit / p", **record}) + "\n")
        log.flush()
        done = subprocess.run([TOOL, "L", log.name], capture_output=True, text=True, check=True)
    return [line for line in done.stdout.splitlines() if not line.startswith("#")]


def main():
    failed = False
    for name, (record, expected) in CASES.items():
        got = summary(record)
        print(f"{'ok' if got == expected else 'not ok'} summary: {name}")
        if got != expected:
            failed = True
            print(f"# got {got}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
