// SPDX-License-Identifier: Apache-2.0
#include "agent/engine/pull.h"

#include "base/schema.h"
#include "base/scope.h"

/// A line of the stream; members as Docker names them.
typedef struct PullLine {
    Str error;
} PullLine;
static const Field PullLine_fields[] = {FIELD(PullLine, error, 0, "why the pull failed")};
static const Schema PullLine_schema = SCHEMA(PullLine, "pull_line", "progress of a pull");

void pull_init(PullProgress *pull) {
    *pull = (PullProgress){};
    text_init(&pull->line, PULL_LINE_MAX);
}

void pull_done(PullProgress *pull) {
    text_done(&pull->line);
}

static void pull_line_end(PullProgress *pull) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 4 * PULL_LINE_MAX);
    PullLine line = {};
    Str json = str_trim(text_str(&pull->line));
    bool read =
        !pull->skipped && json.len > 0
        && schema_read(&PullLine_schema, json, DECODE_REPLY, &arena, &line, NULL).code == OK;
    if (read && line.error.ptr) {
        pull->failed = true;
        reason_set(&pull->reason, "%.*s", STR_FMT(line.error));
    }
    text_clear(&pull->line);
    pull->skipped = false;
}

void pull_feed(PullProgress *pull, Str bytes) {
    while (bytes.len > 0) {
        size_t end = str_index(bytes, '\n', 0);
        text_add(&pull->line, str_slice(bytes, 0, end));
        if (pull->line.failed) pull->skipped = true;
        if (end < bytes.len) pull_line_end(pull);
        bytes = str_slice(bytes, end + 1, bytes.len);
    }
}

void pull_end(PullProgress *pull) {
    pull_line_end(pull);
}
