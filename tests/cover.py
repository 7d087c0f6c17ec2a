#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much of each folder of src the tests have run: one line `ok` or `not ok` for each.

usage: cover.py BUILD

BUILD is a build with -Db_coverage=true whose tests have run. The thresholds and all that does not
count are here; a threshold is never lowered. Below a folder that falls short, `#` lines name its
files from the one that lacks most.
"""

import collections
import json
import subprocess
import sys
from pathlib import Path

LINES_MIN, BRANCHES_MIN = 85.0, 65.0

# Files that do not count, each pattern (of the path from the top) with its reason.
FILES_EXCLUDED = {
    r"src/.*[/_](test|fixture)\.c": "tests, and what they stand on",
    r"src/http1/http1_peer\.c": "a fixture too: the other side of http1_test.c",
}
# Branches that do not count, by the text of their line.
BRANCHES_EXCLUDED = {
    r"\s*(_Static_)?assert\(.*": "the other side of an assertion is a bug in Muster, which ends it",
}

ROOT = Path(__file__).resolve().parents[1]


def measure(build):
    """gcovr's summary: a record for each file."""
    command = ["gcovr", "--root", str(ROOT), "--object-directory", ".", "--json-summary", "-"]
    command += ["--exclude-unreachable-branches"]  # of lines without code: the compiler's own
    command += ["--filter", f"{ROOT}/src/"]
    for pattern in FILES_EXCLUDED:
        command += ["--exclude", f"{ROOT}/{pattern}"]
    command += ["--exclude-branches-by-pattern", "|".join(BRANCHES_EXCLUDED)]
    done = subprocess.run(command + ["."], cwd=build, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"not ok cover: gcovr: {done.stderr.strip().splitlines()[-1:]}")
    return json.loads(done.stdout)["files"]


def percent(records, what):
    """Of all lines or branches of the records; 100 if there are none."""
    total = sum(record[f"{what}_total"] for record in records)
    covered = sum(record[f"{what}_covered"] for record in records)
    return 100.0 * covered / total if total else 100.0


def missing(record):
    """Lines and branches that were not run."""
    return sum(record[f"{what}_total"] - record[f"{what}_covered"] for what in ("line", "branch"))


def report(folder, records):
    """Print the folder's outcome; false if it falls short."""
    lines, branches = percent(records, "line"), percent(records, "branch")
    good = lines >= LINES_MIN and branches >= BRANCHES_MIN
    outcome = "ok" if good else "not ok"
    print(f"{outcome} cover: {folder} lines {lines:.1f} % branches {branches:.1f} %")
    for record in sorted(records, key=missing, reverse=True)[: 0 if good else 8]:
        name = Path(record["filename"]).name
        print(
            f"# {name}: lines {record['line_covered']}/{record['line_total']}"
            f" branches {record['branch_covered']}/{record['branch_total']}"
        )
    return good


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folders = collections.defaultdict(list)
    for record in measure(sys.argv[1]):
        folders[str(Path(record["filename"]).parent)].append(record)
    if not folders:
        sys.exit("not ok cover: no test has run in this build")
    sys.exit(0 if all([report(*item) for item in sorted(folders.items())]) else 1)


if __name__ == "__main__":
    main()
