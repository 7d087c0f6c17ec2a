// SPDX-License-Identifier: Apache-2.0
#include "cli/watch.h"

#include <string.h>

typedef enum Progress { DONE, AWAY, FAILED, PENDING } Progress;

Err watch_init(Watch *watch, const Id *release_id, Arena *arena) {
    WatchSeen *seen = ARENA_ARRAY(arena, WatchSeen, WATCH_DEVICES_MAX);
    if (!seen) return arena_check(arena);
    *watch = (Watch){.release_id = *release_id, .seen = seen};
    return SUCCESS;
}

static Progress watch_progress_of(const Watch *watch, const Device *device) {
    if (device->presence == PRESENCE_NEVER || device->presence == PRESENCE_OFFLINE) return AWAY;
    if (!id_eq(&device->reported_release_id, &watch->release_id)) return PENDING;
    if (device->state == WORKLOAD_RUNNING) return DONE;
    return device->state == WORKLOAD_FAILED ? FAILED : PENDING;
}

/// FNV-1a over what a line shows: equal marks mean that there is nothing new to tell.
static uint64_t watch_mark_add(uint64_t mark, const void *bytes, size_t len) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < len; i++)
        mark = (mark ^ at[i]) * UINT64_C(0x100000001b3);
    return mark;
}

static uint64_t watch_mark_of(const Device *device, Progress progress) {
    uint64_t mark = UINT64_C(0xcbf29ce484222325);
    mark = watch_mark_add(mark, &progress, sizeof(progress));
    mark = watch_mark_add(mark, &device->state, sizeof(device->state));
    mark = watch_mark_add(mark, &device->reported_generation, sizeof(device->reported_generation));
    return device->detail.len ? watch_mark_add(mark, device->detail.ptr, device->detail.len) : mark;
}

/// The place of the device among those seen, made if it is new; NULL when there is no room.
static WatchSeen *watch_seen_of(Watch *watch, const Device *device) {
    for (size_t i = 0; i < watch->seen_count; i++)
        if (id_eq(&watch->seen[i].device_id, &device->id)) return &watch->seen[i];
    if (watch->seen_count == WATCH_DEVICES_MAX) return NULL;
    WatchSeen *seen = &watch->seen[watch->seen_count++];
    *seen = (WatchSeen){.device_id = device->id};
    return seen;
}

/// What others wrote is shown without what would drive a terminal.
static void watch_printable_add(Text *out, Str text) {
    for (size_t at = 0; at < text.len;) {
        size_t len = str_utf8_len(text, at);
        bool control = len == 0 || (unsigned char)text.ptr[at] < 0x20 || text.ptr[at] == 0x7f;
        text_add(out, control ? S("?") : str_slice(text, at, at + len));
        at += len ? len : 1;
    }
}

static void watch_line_add(const Watch *watch, const Device *device, Progress progress, Text *out) {
    bool reports = id_eq(&device->reported_release_id, &watch->release_id);
    Str name = device->name.len ? device->name : id_str(&device->id);
    text_print(out, "%.*s: ", STR_FMT(name));
    if (progress == AWAY) {
        text_print(out, "%s", Presence_names.items[device->presence]);
    } else if (!reports) {
        text_print(out, "has not begun");
    } else {
        text_print(out,
                   "%s generation %llu",
                   WorkloadState_names.items[device->state],
                   (unsigned long long)device->reported_generation);
    }
    if (reports && device->detail.len) {
        text_print(out, ": ");
        watch_printable_add(out, device->detail);
    }
    text_add_char(out, '\n');
}

void watch_step(
    Watch *watch, const Device *devices, size_t count, Text *out, WatchCounts *ret_counts) {
    WatchCounts counts = {.devices = count};
    for (size_t i = 0; i < count; i++) {
        Progress progress = watch_progress_of(watch, &devices[i]);
        counts.done += progress == DONE;
        counts.away += progress == AWAY;
        counts.failed += progress == FAILED;
        counts.pending += progress == PENDING;
        WatchSeen *seen = watch_seen_of(watch, &devices[i]);
        uint64_t mark = watch_mark_of(&devices[i], progress);
        if (!seen || seen->mark == mark) continue;
        seen->mark = mark;
        watch_line_add(watch, &devices[i], progress, out);
    }
    *ret_counts = counts;
}

void watch_end(const Watch *watch, const Device *devices, size_t count, Text *out) {
    size_t done = 0;
    for (size_t i = 0; i < count; i++)
        done += watch_progress_of(watch, &devices[i]) == DONE;
    text_print(out, "%zu of %zu devices run it\n", done, count);
    for (size_t i = 0; i < count; i++) {
        Progress progress = watch_progress_of(watch, &devices[i]);
        if (progress == DONE) continue;
        text_print(out, "  not: ");
        watch_line_add(watch, &devices[i], progress, out);
    }
}

bool watch_is_over(const WatchCounts *counts, bool allow_away) {
    return counts->failed + counts->pending == 0 && (allow_away || counts->away == 0);
}
