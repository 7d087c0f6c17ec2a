#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of ARCHITECTURE.md and docs/style.md that a program can check.

usage: check.py [--root DIR] [CHECK...]

Prints `ok`, `not ok` or `skip` per check, each offence below it as `# file:line: what`, and what
is legal but near a limit on stderr. selftest.py shows that each check can fail.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

# Which folder of src may include which.
MECHANISMS = {"http", "http1", "channel", "db", "queue", "wg", "otel"}
PROGRAMS = {"control", "agent", "cli"}
EDGES = {"base": set(), "io": {"base"}, "wire": {"base"}, "api": {"base", "wire"}}
EDGES |= {area: {"base", "io"} for area in MECHANISMS}
EDGES["channel"] |= {"http1"}
EDGES["http"] |= {"channel", "http1"}
EDGES |= {area: {"base", "io", "wire"} | MECHANISMS for area in PROGRAMS}
for area in ("control", "cli"):
    EDGES[area] |= {"api"}
SLICE_BANNED = re.compile(
    r"<(sys/(socket|epoll)|netinet/.*|sqlite3|jansson|yaml|(event2|curl|gnutls)/.*)\.h>"
)

FUNCTION_LINES, FUNCTION_LINES_AIM = 70, 45
FILE_LINES, FILE_LINES_AIM = 450, 300

BANNED_CALLS = re.compile(
    r"\b(strcpy|strcat|strncat|sprintf|vsprintf|gets|atoi|atol|atoll|atof|strtok|alloca"
    r"|system|popen|mktemp|tmpnam|tempnam)\s*\("
)
BANNED_WORDS = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
DOMAIN_WORDS = {"device", "fleet", "release", "rollout", "operator", "tenant"}
OTHER_RELEASES = re.compile(r'memory_order_release|__ATOMIC_RELEASE|"RELEASE ')  # of SQL savepoints
NO_DOMAIN = {"base", "io"} | MECHANISMS
SPDX = "SPDX-License-Identifier: Apache-2.0"
SOURCES = {".c", ".h", ".sh", ".py", ".sql", ".js", ".mjs", ".ts", ".tsx", ".css"}
TEXTS = {".md", ".build", ".json", ".yml", ".yaml", ".html"}
SKIPPED_DIRS = re.compile(r"^(\..*|build.*|node_modules|corpus)$")


class Skip(Exception):
    """The check cannot run here."""


class Tree:
    """The files of a checkout, read once."""

    def __init__(self, root):
        self.root = Path(root)
        self.paths = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = [f for f in folders if not SKIPPED_DIRS.match(f)]
            self.paths += [(Path(folder) / n).relative_to(self.root) for n in names]
        self.paths.sort()

    def text(self, path):
        return (self.root / path).read_text(encoding="utf-8", errors="replace")

    def c_files(self, *tops, suffixes=(".c", ".h")):
        return [p for p in self.paths if p.parts[0] in tops and p.suffix in suffixes]

    def ctags(self, paths):
        """(path, name, first line, last line, whether it is static) of each function."""
        if not shutil.which("ctags"):
            raise Skip("ctags is not here")
        if not paths:
            return
        options = ["--languages=C", "--langmap=C:.c.h", "--kinds-C=f", "--fields=+ne"]
        done = run_tool(self, ["ctags", "-f", "-"] + options, paths)
        for row in done.stdout.splitlines():
            name, path, *rest = row.split("\t")
            fields = dict(f.split(":", 1) for f in rest if re.match(r"(line|end):\d+$", f))
            if "end" in fields:
                yield path, name, int(fields["line"]), int(fields["end"]), "file:" in rest


def run_tool(tree, command, paths):
    """The tool's output over these files."""
    command = command + [str(path) for path in paths]
    return subprocess.run(command, cwd=tree.root, capture_output=True, text=True, check=False)


def warn(path, line, what):
    """Legal, but near a limit."""
    print(f"{path}:{line}: {what}", file=sys.stderr)


def is_test(path):
    return path.stem.endswith(("_test", "_fuzz")) or path.parts[0] == "tests"


def blank(text):
    """Spaces for everything but line ends, so that places stay what they are."""
    return re.sub(r"[^\n]", " ", text)


TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.S)


def without(text, comments=True, strings=False, docs=True):
    """C text with comments, `///` comments and string contents blanked, as asked."""

    def replace(match):
        token = match.group(0)
        if token.startswith("///"):
            return blank(token) if docs else token
        if token.startswith(("//", "/*")):
            return blank(token) if comments else token
        return blank(token) if strings else token

    return TOKEN.sub(replace, text)


def matches(pattern, text):
    """(line, match) of each match."""
    for match in pattern.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match


# --- the checks: each yields (path, line, what) ---


INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|(<[^>]+>))', re.M)


def edges(tree):
    """folders and slices include only what they may"""
    slice_edges = {}
    for path in tree.c_files("src"):
        if len(path.parts) < 3:
            continue
        area = path.parts[1]
        mine = path.parts[2] if area == "control" and len(path.parts) > 3 else None
        for line, match in matches(INCLUDE, without(tree.text(path))):
            target, system = match.groups()
            if system:
                if mine and SLICE_BANNED.match(system):
                    yield path, line, f"a slice includes {system}"
                continue
            parts = Path(target).parts
            if len(parts) < 2:
                if not (is_test(path) and (tree.root / "tests/support" / target).exists()):
                    yield path, line, f'"{target}" is not named from src'
            elif parts[0] != area and parts[0] not in EDGES.get(area, set()):
                yield path, line, f"src/{area} may not include {target}"
            elif mine and parts[0] == "control" and len(parts) > 2 and parts[1] != mine:
                slice_edges.setdefault(mine, {})[parts[1]] = (path, line)
                if parts[2] != parts[1] + ".h":
                    yield path, line, f"slice {mine} sees more of {parts[1]} than {parts[1]}.h"
    yield from slice_cycles(slice_edges)


def slice_cycles(slice_edges):
    """Slices that reach themselves."""
    for start, targets in slice_edges.items():
        if start in reached(slice_edges, start):
            path, line = next(iter(targets.values()))
            yield path, line, f"slice {start} includes itself through others"


STORED = re.compile(r"Schema \*const stored\[\] = \{([^}]*)\}")
TX_CALL = re.compile(r"\btx_[a-z_]+\s*\([^;]*?&(\w+)_schema\b|\bWHERE(?:_ONE_OF)?\s*\(\s*(\w+)\s*,")


def rows(tree):
    """only a noun's own folder reads and writes its rows"""
    paths = [p for p in tree.c_files("src") if p.parts[1] == "control" and not is_test(p)]
    owners = {}
    for path in paths:
        for match in STORED.finditer(without(tree.text(path))):
            for name in re.findall(r"&(\w+)_schema", match.group(1)):
                owners[name] = path.parent
    for path in paths:
        for line, match in matches(TX_CALL, without(tree.text(path))):
            name = match.group(1) or match.group(2)
            if name not in owners:
                yield path, line, f"{name}_schema is stored by no slice"
            elif owners[name] != path.parent:
                yield path, line, f"{name}_schema is {owners[name].name}'s: call {owners[name].name}.h"


PRINCIPAL_SET = re.compile(r"\bprincipal(\.\w+)?\s*=(?!=)")


def callers(tree):
    """no handler says who calls"""
    for path in tree.c_files("src"):
        if path.parts[1] == "control" and len(path.parts) > 3 and not is_test(path):
            for line, _ in matches(PRINCIPAL_SET, without(tree.text(path), strings=True)):
                yield path, line, "the principal is set by access.c; see call_note_as"


SEES_ALL = re.compile(r"\b(tx_open_all|call_see_all)\s*\(")
# Who a caller is is known only by what it shows (a password, a key), or there is no caller.
SEE_ALL = {
    "call_ref.c", "init.c", "tidy.c",  # call_see_all itself; the first organisation; what has ended
    "device/device_agent_api.c", "device/enrol.c", "device/exchange.c", "device/node.c",
    "operator/session_api.c", "org/org.c",
}  # fmt: skip


def scopes(tree):
    """only the few that must see every organisation do"""
    for path in tree.c_files("src"):
        if path.parts[1] != "control" or is_test(path) or path.suffix == ".h":
            continue
        if "/".join(path.parts[2:]) not in SEE_ALL:
            for line, match in matches(SEES_ALL, without(tree.text(path), strings=True)):
                yield path, line, f"{match.group(1)} sees every organisation; see SEE_ALL"


def sizes(tree):
    """functions and files are short"""
    paths = tree.c_files("src", "tests")
    for path in paths:
        count = tree.text(path).count("\n")
        if path.suffix == ".c" and count > FILE_LINES:
            yield path, count, f"{count} lines, at most {FILE_LINES}"
        elif path.suffix == ".c" and count > FILE_LINES_AIM:
            warn(path, count, f"{count} lines, aim at {FILE_LINES_AIM}")
    for path, name, first, last, _ in tree.ctags(paths):
        count = last - first + 1
        if count > FUNCTION_LINES:
            yield path, first, f"{name} has {count} lines, at most {FUNCTION_LINES}"
        elif count > FUNCTION_LINES_AIM:
            warn(path, first, f"{name} has {count} lines, aim at {FUNCTION_LINES_AIM}")


def statics(tree):
    """a static function begins with a word of its file's name"""
    paths = [path for path in tree.c_files("src", suffixes=(".c",)) if not is_test(path)]
    paths = [path for path in paths if not path.stem.endswith("fixture")]
    for path, name, line, _, is_static in tree.ctags(paths):
        nouns = Path(path).stem.split("_")
        if is_static and not any(name == noun or name.startswith(noun + "_") for noun in nouns):
            yield path, line, f"{name} begins with none of {', '.join(nouns)}"


# Circles that are not untied yet: the folder, all files of each, and why it is there.
CIRCLES_ALLOWED = []
NAME = re.compile(r"(?<![\w.>])[A-Za-z_]\w*")


def circles(tree):
    """no file of a folder uses one that uses it back"""
    uses = file_uses(tree)
    unseen = [(Path(folder), names) for folder, names, _ in CIRCLES_ALLOWED]
    seen = set()
    for path in uses:
        ring = [] if path in seen else ring_of(uses, path)
        seen |= set(ring)
        circle = (path.parent, {other.name for other in ring})
        if circle in unseen:
            unseen.remove(circle)
        elif ring:
            target = next(other for other in uses[path] if other in ring)
            line, name = uses[path][target]
            yield path, line, f"{name} closes a circle of {', '.join(sorted(circle[1]))}"
    for folder, names in unseen:
        yield folder, 0, f"{', '.join(sorted(names))} are no circle: take them off CIRCLES_ALLOWED"


def file_uses(tree):
    """path -> path of the same folder whose functions it names -> (line, name) of the first."""
    paths = tree.c_files("src", suffixes=(".c",))
    paths = [path for path in paths if not is_test(path) and not path.stem.endswith("fixture")]
    own, public = {}, {}  # path -> its functions, (folder, name) -> where it is
    for path, name, _, _, is_static in tree.ctags(paths):
        path = Path(path)
        own.setdefault(path, set()).add(name)
        if not is_static:
            public[path.parent, name] = path
    uses = {path: {} for path in paths}
    for path in paths:
        for line, match in matches(NAME, without(tree.text(path), strings=True)):
            name = match.group(0)
            target = public.get((path.parent, name))
            if target and name not in own.get(path, ()):
                uses[path].setdefault(target, (line, name))
    return uses


def reached(targets_of, start):
    """All that can be reached from start in one step or more."""
    seen, waiting = set(), list(targets_of.get(start, ()))
    while waiting:
        at = waiting.pop()
        if at not in seen:
            seen.add(at)
            waiting += targets_of.get(at, ())
    return seen


def ring_of(targets_of, start):
    """Those that reach start and that it reaches, itself among them; empty if there are none."""
    return [at for at in reached(targets_of, start) if start in reached(targets_of, at)]


def statements(code):
    """(first line, last line, text) of each statement outside braces and preprocessor lines."""
    code = re.sub(r"^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", lambda m: blank(m.group(0)), code, flags=re.M)
    depth, start, line, begun = 0, 0, 1, None
    for at, char in enumerate(code):
        if char == "\n":
            line += 1
        elif not char.isspace() and begun is None:
            start, begun = at, line
        if char in "{}":
            depth += 1 if char == "{" else -1
        body_ends = char == "}" and ")" in code[start:at].split("{")[0]
        if depth == 0 and begun is not None and (char == ";" or body_ends):
            yield begun, line, code[start : at + 1]
            begun = None


ATTRIBUTE = re.compile(r"__attribute__\s*\(\(.*?\)\)\)?|\[\[.*?\]\]", re.S)


def documented(tree):
    """every public function is documented"""
    for path in tree.c_files("src", suffixes=(".h",)):
        lines = tree.text(path).split("\n")
        last_documented = 0  # where the documented function before this one ends
        for first, last, text in statements(without(tree.text(path), strings=True)):
            head = ATTRIBUTE.sub("", text.split("{")[0])
            if "(" not in head or "=" in head or re.match(r"(typedef|_?[Ss]tatic_assert)\b", head):
                continue
            if lines[first - 2].lstrip().startswith("///") or last_documented == first - 1:
                last_documented = last
            else:
                name = re.search(r"(\w+)\s*\(", head)
                yield path, first, f"{name.group(1) if name else 'a function'} has no /// comment"


def calls(tree):
    """no function that cannot be used safely"""
    for path in tree.c_files("src", "tests"):
        for line, match in matches(BANNED_CALLS, without(tree.text(path), strings=True)):
            yield path, line, f"{match.group(1)} is banned"


def paths(tree):
    """the command line takes paths of the API from its endpoints"""
    for path in tree.c_files("src"):
        if path.parts[:2] == ("src", "cli") and not path.stem.endswith(("_test", "_fixture")):
            for line, _ in matches(re.compile(r'"/v1/'), tree.text(path)):
                yield path, line, "a path is written out; see api_target"


def words(tree):
    """nothing is left to do later"""
    for path in tree.paths:
        if path.suffix in SOURCES or path.suffix in TEXTS:
            for line, match in matches(BANNED_WORDS, tree.text(path)):
                yield path, line, match.group(1)


def spdx(tree):
    """every source names its licence"""
    for path in tree.paths:
        if path.suffix not in SOURCES and path.name not in ("meson.build", "Makefile"):
            continue
        first = tree.text(path)[:400].split("\n")
        if path.suffix in (".c", ".h"):
            if first[0] != f"// {SPDX}":
                yield path, 1, f"the first line is not // {SPDX}"
        elif not any(SPDX in line for line in first[:3]):
            yield path, 1, f"no {SPDX} in the first three lines"


def domain(tree):
    """mechanisms know no domain word"""
    part = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
    for path in tree.c_files("src"):
        if len(path.parts) < 3 or path.parts[1] not in NO_DOMAIN or is_test(path):
            continue
        text = OTHER_RELEASES.sub("", without(tree.text(path), comments=False))
        for line, match in matches(part, text):
            word = match.group(0).lower()
            if word in DOMAIN_WORDS or word.removesuffix("s") in DOMAIN_WORDS:
                yield path, line, f"domain word {match.group(0)}"


def layout(tree):
    """the C sources are formatted"""
    if not shutil.which("clang-format-14"):
        raise Skip("clang-format-14 is not here, and other versions format differently")
    paths = tree.c_files("src", "tests")
    if not paths:
        return
    command = ["clang-format-14", "--dry-run", "-Werror", f"-style=file:{STYLE}"]
    done = run_tool(tree, command, paths)
    first = {}
    for match in re.finditer(r"^(\S+?):(\d+):\d+: error", done.stderr, re.M):
        first.setdefault(match.group(1), int(match.group(2)))
    for path, line in first.items():
        yield path, line, "not formatted from here on (make format)"
    if done.returncode and not first:  # version 14 does not survive rows of different lengths
        for path in paths:
            if run_tool(tree, command, [path]).returncode:
                yield path, 1, "clang-format does not survive it: give the rows of a table one length"


def shell(tree):
    """the shell scripts pass shellcheck"""
    if not shutil.which("shellcheck"):
        raise Skip("shellcheck is not here")
    scripts = [p for p in tree.paths if p.suffix == ".sh"]
    if not scripts:
        return
    done = run_tool(tree, ["shellcheck", "-x", "-S", "warning", "-f", "gcc"], scripts)
    for match in re.finditer(r"^(\S+?):(\d+):\d+: (.*)", done.stdout, re.M):
        yield match.group(1), int(match.group(2)), match.group(3)


LINK = re.compile(r"\]\(([^)\s]+)\)|\b(?:href|src)=\"([^\"]+)\"")


def links(tree):
    """links within the tree lead somewhere"""
    for path in tree.paths:
        if path.suffix not in (".md", ".html"):
            continue
        text = re.sub(r"```.*?```", lambda m: blank(m.group(0)), tree.text(path), flags=re.S)
        for line, match in matches(LINK, text):
            target = (match.group(1) or match.group(2)).split("#")[0]
            if target and ":" not in target and not (tree.root / path.parent / target).exists():
                yield path, line, f"{target} is not there"


ROOT = Path(__file__).resolve().parents[2]
STYLE = ROOT / ".clang-format"
CHECKS = [edges, circles, statics, rows, callers, scopes, sizes, documented, calls, paths, words, spdx, domain]
CHECKS += [layout, shell, links]


def run(check, tree):
    """Print the outcome of one check; false when it failed."""
    try:
        offences = list(check(tree))
    except Skip as reason:
        print(f"skip check: {check.__doc__} ({reason})")
        return True
    print(f"{'not ok' if offences else 'ok'} check: {check.__doc__}")
    for path, line, what in offences:
        print(f"# {path}:{line}: {what}")
    return not offences


def main():
    names = {check.__name__: check for check in CHECKS}
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--root", default=ROOT)
    parser.add_argument("check", nargs="*", help=", ".join(names))
    arguments = parser.parse_args()
    if unknown := set(arguments.check) - set(names):
        parser.error(f"no such check: {', '.join(sorted(unknown))}")
    tree = Tree(arguments.root)
    results = [run(names[name], tree) for name in arguments.check or names]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
