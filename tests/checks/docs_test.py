#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does what docs/add-a-slice.md, add-an-endpoint.md and add-a-field.md say, to a copy of the tree.

In a page a line that is nothing but a path in backticks says which file the blocks below it are
about: a `diff` block changes it, any other block is the whole of it. Slice and endpoint are built
and tested; what is built stays in build-docs/, so that the next run is short.
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build-docs"
COPIED = ["src", "bench", "tests"]
NOT_COPIED = ("__pycache__", "node_modules", "corpus")
SLICE_LINES_MAX = 60
BUILT_TESTS = ["site", "fleet_clear", "access", "control"]
VERBS = ["list", "show", "create", "update", "delete"]

CONTRACT = """
. scripts/parts.sh
. tests/support/musterd.sh
packages_ready || {{ echo 'not installed'; exit 0; }}
trap musterd_stop EXIT
musterd_start {folder}
node {tests}/contract/api.mjs
"""

BLOCK = re.compile(r"^`([\w./-]+)`$|^```(\w+)\n(.*?)^```$", re.M | re.S)


def blocks(page):
    """(path, language, text) of each block of a page."""
    path = None
    for match in BLOCK.finditer((ROOT / "docs" / page).read_text()):
        if match.group(1):
            path = match.group(1)
        elif path:
            yield path, match.group(2), match.group(3)


def side(diff, mark):
    """One side of a diff."""
    return "".join(line[1:] for line in diff.splitlines(True) if line[0] in (" ", mark))


def apply(page, files):
    """Do to the files what the page says; asserts that each change has its one place."""
    assert list(blocks(page)), f"{page} changes nothing"
    for path, language, text in blocks(page):
        if language != "diff":
            assert path not in files, f"{page}: {path} is there already"
            files[path] = text
            continue
        old, new = side(text, "-"), side(text, "+")
        count = files[path].count(old)
        assert count == 1, f"{page}: {path} has {count} of these:\n{old}"
        files[path] = files[path].replace(old, new)


def tree():
    """The sources, by path."""
    files = {n: (ROOT / n).read_text() for n in ("meson.build", "meson_options.txt", ".clang-format")}
    for top in COPIED:
        for folder, folders, names in os.walk(ROOT / top):
            folders[:] = [f for f in folders if f not in NOT_COPIED]
            for name in names:
                path = Path(folder) / name
                files[str(path.relative_to(ROOT))] = path.read_text()
    return files


def write(files, top):
    """Make the folder hold these files; what is the same stays untouched."""
    for folder, _, names in os.walk(top):
        for name in names:
            path = Path(folder) / name
            if str(path.relative_to(top)) not in files:
                path.unlink()
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
        path.chmod((ROOT / name).stat().st_mode & 0o777 if (ROOT / name).exists() else 0o644)


def plain_only(match):
    """The test of the plain endpoints stays, those of the rules do not count."""
    return match.group(0) if "fixture_plain" in match.group(0) else ""


def code_lines(page):
    """Lines of C that a page asks for, beyond fields, rules and comments."""
    count = 0
    for path, language, text in blocks(page):
        if not path.endswith((".c", ".h")):
            continue
        if language == "diff":
            text = "".join(line[1:] for line in text.splitlines(True) if line[0] == "+")
        text = re.sub(r"^static Err .*?^}\n", "", text, flags=re.M | re.S)  # the rules
        text = re.sub(r"^TEST\(.*?^}\n", plain_only, text, flags=re.M | re.S)
        text = re.sub(r"(?<=\{\n)(?:    \w+ \w+;.*\n)+(?=\})", "", text)  # members
        text = re.sub(r"^    FIELD\(.*\n(?:          .*\n)*", "", text, flags=re.M)  # their rows
        text = re.sub(r"^    ADD_\w+\(.*\n(?:          .*\n)*", "", text, flags=re.M)  # and columns
        count += sum(bool(line.strip()) and not line.startswith("//") for line in text.splitlines())
    return count


def run(*command, stderr=subprocess.STDOUT, **options):
    """A command's output; its failure says everything."""
    options = {"cwd": WORK, "stdout": subprocess.PIPE, "stderr": stderr, "text": True, **options}
    done = subprocess.run(command, check=False, **options)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}"
    return done.stdout


def the_field_applies():
    """docs/add-a-field.md: its changes have their places"""
    apply("add-a-field.md", tree())


def the_slice_is_short():
    """docs/add-a-slice.md: at most 60 lines of C beyond its fields, its rules and their tests"""
    count = code_lines("add-a-slice.md")
    assert 20 < count <= SLICE_LINES_MAX, f"{count} lines"


def both_are_built():
    """docs/add-a-slice.md, add-an-endpoint.md: what they make builds without a warning"""
    files = tree()
    apply("add-a-slice.md", files)
    apply("add-an-endpoint.md", files)
    write(files, WORK / "tree")
    if not (WORK / "build/build.ninja").exists():
        run("meson", "setup", "build", "tree", "-Doptimization=0", "-Ddebug=false")
    targets = [f"src/control/{name}_test" for name in BUILT_TESTS]
    run("ninja", "-C", "build", "src/cli/muster", "src/control/musterd", *targets)


def both_work():
    """docs/add-a-slice.md, add-an-endpoint.md: their own tests and those of all slices pass"""
    for name in BUILT_TESTS:
        run(f"build/src/control/{name}_test", env={"CMOCKA_MESSAGE_OUTPUT": "STDOUT"})


def both_have_verbs():
    """docs/add-a-slice.md, add-an-endpoint.md: muster has the verbs, with their options"""
    text = run("build/src/cli/muster", "help", "site")
    for verb in VERBS:
        assert f"site {verb}" in text, text
    text = run("build/src/cli/muster", "help", "site", "update")
    assert "--address" in text and "--fleet ID|NAME" in text, text
    text = run("build/src/cli/muster", "help", "fleet", "clear")
    assert "usage: muster fleet clear FLEET" in text, text


def both_keep_the_contract():
    """docs/add-a-slice.md, add-an-endpoint.md: their calls pass the contract test"""
    modules = WORK / "tree/tests/node_modules"
    if not modules.exists():
        modules.symlink_to(ROOT / "tests/node_modules")
    with tempfile.TemporaryDirectory() as folder:
        script = CONTRACT.format(tests=WORK / "tree/tests", folder=folder)
        environment = {**os.environ, "BUILD": str(WORK / "build")}
        done = run("bash", "-euc", script, env=environment, cwd=ROOT)
    if "not installed" in done.splitlines():
        raise unittest.SkipTest("npm packages cannot be installed")


def both_keep_the_rules():
    """docs/add-a-slice.md, add-an-endpoint.md: check.py has nothing against them"""
    checks = ["edges", "rows", "sizes", "documented", "spdx", "layout"]
    run("tree/tests/checks/check.py", "--root", "tree", *checks, stderr=subprocess.DEVNULL)


TESTS = [
    the_field_applies,
    the_slice_is_short,
    both_are_built,
    both_work,
    both_have_verbs,
    both_keep_the_contract,
    both_keep_the_rules,
]


def main():
    WORK.mkdir(exist_ok=True)
    failed = False
    for test in TESTS:
        try:
            test()
            print(f"ok docs: {test.__doc__}")
        except unittest.SkipTest as why:
            print(f"skip docs: {test.__doc__}: {why}")
        except (AssertionError, OSError) as error:
            failed = True
            print(f"not ok docs: {test.__doc__}")
            print("\n".join(f"# {line}" for line in str(error).splitlines()))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
