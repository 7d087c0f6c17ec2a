// SPDX-License-Identifier: Apache-2.0
// Any bytes as a query for events and as a Last-Event-ID, a line each ("name=value"; the first line
// is the id): what is accepted begins within the journal, and judges items without a crash.
#include "base/scope.h"
#include "control/event/event.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PAIRS_MAX = 16, ARENA_MAX = 1 << 20, END = 1000 };

static void judge(const EventQuery *query, Str id) {
    const EventItem entry = {.number = 1,
                             .class = ENTRY_EVENT,
                             .action = S("device.online"),
                             .subject = S("device_1"),
                             .subject_name = S("till-7")};
    const EventItem gap = {.number = 1, .is_gap = true};
    uint64_t after = END + 1;
    Err err = event_begin(query, id, END, &after);
    assert(err.code == OK || err.code == ERR_INVALID || err.code == ERR_STATE);
    assert(err.code != ERR_INVALID || id.len > 0); // the query was checked before
    assert(err.code == OK ? after <= END : after == END + 1);
    assert(query->class < EVENT_CLASS_COUNT);
    if (event_is_wanted(query, &entry)) assert(query->class != EVENT_AUDIT);
    assert(event_is_wanted(query, &gap) == (query->class != EVENT_AUDIT));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, ARENA_MAX);
    StrPair pairs[PAIRS_MAX];
    size_t count = 0;
    Str rest = {(const char *)data, size}, id = {}, line;
    if (size == 0) return 0;
    (void)str_cut(&rest, '\n', &id);
    while (count < PAIRS_MAX && str_cut(&rest, '\n', &line)) {
        size_t equals = str_index(line, '=', 0);
        pairs[count++] =
            (StrPair){str_slice(line, 0, equals), str_slice(line, equals + 1, line.len)};
    }
    EventQuery query = {};
    Faults faults;
    faults_init(&faults, &arena);
    Err err = schema_decode_pairs(&EventQuery_schema, pairs, count, &arena, &faults, &query);
    assert(err.code == OK || err.code == ERR_INVALID || err.code == ERR_LIMIT);
    if (err.code == OK) judge(&query, id);
    return 0;
}
