// SPDX-License-Identifier: Apache-2.0
/// Fields of a later version, in a build of the tests alone (src/agent/meson.build): an agent that
/// knows more than this one must adopt what this one runs, and read what it wrote.
#pragma once

#ifdef MUSTER_TEST_EXTRA_FIELDS
/// Members of a record of tomorrow.
#define EXTRA_MEMBERS     \
    Str extra_text;       \
    uint64_t extra_limit; \
    bool extra_flag;
/// Their rows, with defaults that an encoder writes.
#define EXTRA_ROWS(type)                                                      \
    FIELD(type, extra_text, 0, "of a later version", .fallback = "tomorrow"), \
        FIELD(type, extra_limit, 0, "of a later version", .fallback = "7"),   \
        FIELD(type, extra_flag, 0, "of a later version", .fallback = "true"),
#else
#define EXTRA_MEMBERS
#define EXTRA_ROWS(type)
#endif
