#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Feeds each check of check.py a tree that it must accept and trees that it must refuse."""

import shutil
import sys
import tempfile
from pathlib import Path

import check

C = f"// {check.SPDX}\n"
LATER = "TO" + "DO"

check.CIRCLES_ALLOWED = [("src/channel", {"conn.c", "conn_job.c"}, "these trees have it")]
ALLOWED_CIRCLE = {
    "src/channel/conn.c": C + "int conn(int x) {\n    return conn_job(x);\n}\n",
    "src/channel/conn_job.c": C + "int conn_job(int x) {\n    return conn(x);\n}\n",
}

# Accepted by every check.
GOOD = ALLOWED_CIRCLE | {
    "src/base/err.h": C
    + """/// One way to fail.
#pragma once

/// Name it; static text.
const char *err_name(int code);
""",
    "src/http/call.h": C
    + """#pragma once

#include "base/err.h"

/// For example a fleet.
typedef int (*Handler)(int call);

/// Both of a pair.
int call_begin(int call);
int call_end(int call);

/// Over
/// several lines.
__attribute__((format(printf, 1, 2))) int call_print(const char *format, ...);

/// Over two lines: what it takes is long.
int call_with_a_long_name(int call_with_a_long_name_too,
                          int another_argument_with_a_name,
                          int last);

/// Inline.
static inline int call_id(int call) {
    return call;
}
""",
    "src/control/fleet/fleet.h": C + "#pragma once\n",
    "src/control/fleet/fleet_api.c": C
    + """static const Schema *const stored[] = {&Fleet_schema};

int fleet_get(Tx *tx) {
    if (call->principal.scope == 1) return 0;
    return tx_get(tx, &Fleet_schema, 0);
}
""",
    "src/api/fleet.h": C + '#pragma once\n\n#include "wire/manifest.h"\n',
    "src/control/device/device.c": C
    + """#include "control/fleet/fleet.h"
#include "http/call.h"
#include "wire/sync.h"
""",
    "src/base/lower.c": C
    + """int lower(int a) {
    return a;
}

// As the one below: static here.
static int lower_more(int a) {
    return a + a;
}

int lower_twice(int a) {
    return lower_more(lower(a)); // and upper_open() is no call
}
""",
    "src/base/upper_lower.c": C
    + """int lower_more(int a) {
    return lower(a);
}

static int upper(int a) {
    return lower_more(a) + lower_twice(a);
}

static int lower_or_upper(int a) {
    return a;
}

int upper_open(int a) {
    return upper(lower_or_upper(a));
}
""",
    "src/base/lower_fixture.c": C + "static int any(void) {\n    return 1;\n}\n",
    "src/base/err_test.c": C
    + '#include "base/err.h"\n#include "test.h"\n\nstatic int any(void) {\n    return 1;\n}\n',
    "tests/support/test.h": C + "#pragma once\n",
    "docs/a.md": "[b](b.md#part) [c](https://example.org/c.md)\n```\n[d](d.md)\n```\n",
    "docs/b.md": "[up](../src/base/err.h)\n",
    "tests/run.sh": f"#!/bin/sh\n# {check.SPDX}\nmktemp -d /tmp/x.XXXXXX\n",
}

# check -> trees that it must refuse.
BAD = {
    check.edges: [
        {"src/base/a.c": C + '#include "http/call.h"\n'},
        {"src/http/a.c": C + '#include "db/tx.h"\n'},
        {"src/http/a.c": C + '#include "wire/sync.h"\n'},
        {"src/http/a.c": C + '#include "api/fleet.h"\n'},
        {"src/agent/a.c": C + '#include "api/fleet.h"\n'},
        {"src/api/a.c": C + '#include "http/call.h"\n'},
        {"src/http/a_test.c": C + '#include "control/main.h"\n'},
        {"src/agent/a.c": C + '#include "control/fleet/fleet.h"\n'},
        {"src/agent/a.c": C + '#include "local.h"\n'},
        {"src/agent/a.c": C + '#include "test.h"\n'},
        {"src/control/device/a.c": C + '#include "control/fleet/fleet_store.h"\n'},
        {"src/control/device/a.c": C + "#include <sqlite3.h>\n"},
        {
            "src/control/device/a.c": C + '#include "control/fleet/fleet.h"\n',
            "src/control/fleet/b.c": C + '#include "control/device/device.h"\n',
        },
    ],
    check.circles: [
        ALLOWED_CIRCLE
        | {
            "src/base/a.c": C + "int a(int x) { return b(x); }\n",
            "src/base/b.c": C + "int b(int x) { return a(x); }\n",
        },
        ALLOWED_CIRCLE
        | {  # three of them, one by its name alone
            "src/http/a.c": C + "int a(int x) { return b(x); }\n",
            "src/http/b.c": C + "int (*b(int x))(int) { return c; }\n",
            "src/http/c.c": C + "int c(int x) { return a(x); }\n",
        },
        ALLOWED_CIRCLE
        | {  # one more in a circle that is allowed
            "src/channel/conn_job.c": C + "int conn_job(int x) { return conn_more(x); }\n",
            "src/channel/conn_more.c": C + "int conn_more(int x) { return conn(x); }\n",
        },
        ALLOWED_CIRCLE  # one that is allowed and is none any more
        | {"src/channel/conn_job.c": C + "int conn_job(int x) { return x; }\n"},
        {"src/channel/conn.c": C + "int conn(int x) { return x; }\n"},  # and without a file
    ],
    check.statics: [
        {"src/base/lower.c": C + "static int upper(int a) { return a; }\n"},
        {"src/base/lower.c": C + "static int lowered(int a) { return a; }\n"},
        {"src/http/lower_case.c": C + "static int is_lower(int a) { return a; }\n"},
        {"src/cli/main.c": C + "static inline int (*open_main(void))(int) { return 0; }\n"},
    ],
    check.rows: [
        {
            "src/control/fleet/a.c": C + "const Schema *const stored[] = {&Fleet_schema};\n",
            "src/control/device/a.c": C + "int f(Tx *tx) { return tx_get(\n tx, &Fleet_schema); }\n",
        },
        {
            "src/control/fleet/a.c": C + "const Schema *const stored[] = {&Fleet_schema};\n",
            "src/control/access.c": C + "int f(Tx *tx) { return tx_list(tx, &Fleet_schema, &q); }\n",
        },
        {"src/control/fleet/a.c": C + "int f(Tx *tx) { return tx_put(tx, &Other_schema, &r); }\n"},
        {
            "src/control/fleet/a.c": C + "const Schema *const stored[] = {&Fleet_schema};\n",
            "src/control/device/a.c": C + "Query q = {.where = {WHERE(Fleet, name, IS, name)}};\n",
        },
    ],
    check.callers: [
        {"src/control/fleet/a.c": C + "void f(Call *call) { call->principal = (Principal){}; }\n"},
        {"src/control/fleet/a.c": C + "void f(Call *call) { call->principal.scope = org; }\n"},
    ],
    check.scopes: [
        {"src/control/fleet/a.c": C + "Err f(Call *call) { return call_see_all(call); }\n"},
        {"src/control/call.c": C + "Err f(Db *db) { return tx_open_all(db, arena, &tx); }\n"},
    ],
    check.sizes: [
        {"src/base/a.c": C + "int f(void) {\n" + "    f();\n" * 69 + "}\n"},
        {"src/base/a.c": C + "int x;\n" * 450},
    ],
    check.documented: [
        {"src/base/a.h": C + "int undocumented(void);\n"},
        {"src/base/a.h": C + "/// Documented.\nint a(void);\n\nint apart(void);\n"},
        {"src/base/a.h": C + "// Not for the reader.\nint *plain(int a,\n    int b);\n"},
        {"src/base/a.h": C + "static inline int f(void) {\n    return 1;\n}\n"},
    ],
    check.calls: [
        {"src/base/a.c": C + "int f(char *a) { return atoi(a); }\n"},
        {"tests/a.c": C + "void f(char *a) { strcpy (a, a); }\n"},
    ],
    check.paths: [{"src/cli/a.c": C + 'const char *path = "/v1/boxes";\n'}],
    check.words: [{"src/base/a.c": C + f"// {LATER}: later\n"}, {"docs/a.md": f"{LATER}\n"}],
    check.spdx: [
        {"src/base/a.c": "int x;\n"},
        {"src/base/a.c": "\n" + C},
        {"scripts/a.sh": "#!/bin/sh\n"},
        {"src/meson.build": "\n"},
    ],
    check.domain: [
        {"src/db/a.c": C + "int device_count;\n"},
        {"src/db/a.c": C + "typedef int FleetId;\n"},
        {"src/io/a.c": C + "// for devices\n"},
    ],
    check.layout: [{"src/base/a.c": C + "int  f( void ){return 1;}\n"}],
    check.shell: [{"scripts/a.sh": f"#!/bin/sh\n# {check.SPDX}\ncd /tmp\nrm $undefined\n"}],
    check.links: [
        {"docs/a.md": "[b](c.md)\n"},
        {"web/index.html": '<a href="style.css">\n'},
    ],
}


def offences(function, files):
    """What the check says about a tree with these files."""
    root = Path(tempfile.mkdtemp())
    try:
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        return list(function(check.Tree(root)))
    finally:
        shutil.rmtree(root)


def main():
    failed = False
    for function in check.CHECKS:
        name = f"check {function.__name__}"
        try:
            wrong = offences(function, GOOD)
            missed = [files for files in BAD[function] if not offences(function, files)]
        except check.Skip as reason:
            print(f"skip {name} can fail ({reason})")
            continue
        outcome = "not ok" if wrong or missed else "ok"
        print(f"{outcome} {name} can fail, and does not when it should not")
        for offence in wrong:
            print(f"# refused a good tree: {offence}")
        for files in missed:
            print(f"# accepted {files}")
        failed = failed or bool(wrong or missed)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
