// SPDX-License-Identifier: Apache-2.0
#include "http1/sse.h"

#include <string.h>

// Written.

static bool sse_is_line_end(char c) {
    return c == '\n' || c == '\r';
}

static void sse_add_field(Text *out, const char *name, Str value) {
    text_add(out, str_from(name));
    text_add(out, S(": "));
    text_add(out, value);
    text_add_char(out, '\n');
}

/// A line end is LF, CR or both.
static void sse_add_data(Text *out, Str data) {
    size_t from = 0, at = 0;
    for (; at < data.len; at++) {
        if (!sse_is_line_end(data.ptr[at])) continue;
        sse_add_field(out, "data", str_slice(data, from, at));
        if (data.ptr[at] == '\r' && at + 1 < data.len && data.ptr[at + 1] == '\n') at++;
        from = at + 1;
    }
    sse_add_field(out, "data", str_slice(data, from, at));
}

void sse_add(Text *out, const SseEvent *event) {
    if (event->id.ptr) sse_add_field(out, "id", event->id);
    if (event->name.ptr) sse_add_field(out, "event", event->name);
    if (event->data.ptr) sse_add_data(out, event->data);
    text_add_char(out, '\n');
}

void sse_add_comment(Text *out, Str text) {
    sse_add_field(out, "", text);
}

void sse_add_retry(Text *out, uint64_t retry_ms) {
    text_print(out, "retry: %llu\n", (unsigned long long)retry_ms);
}

// Read.

void sse_reader_init(SseReader *reader, size_t max) {
    *reader = (SseReader){.max = max};
    sse_reader_again(reader);
}

void sse_reader_done(SseReader *reader) {
    text_done(&reader->line);
    text_done(&reader->data);
    text_done(&reader->name);
}

void sse_reader_again(SseReader *reader) {
    sse_reader_done(reader);
    text_init(&reader->line, reader->max);
    text_init(&reader->data, reader->max);
    text_init(&reader->name, reader->max);
    reader->is_begun = reader->was_cr = reader->has_data = reader->is_given = false;
    reader->event = (SseEvent){};
    memcpy(reader->id, reader->last_id, sizeof(reader->id));
}

static void sse_take_data(SseReader *reader, Str value) {
    if (reader->has_data) text_add_char(&reader->data, '\n');
    reader->has_data = true;
    text_add(&reader->data, value);
}

static void sse_take_id(SseReader *reader, Str value) {
    if (value.len > SSE_ID_MAX || memchr(value.len ? value.ptr : "-", '\0', value.len)) return;
    if (value.len) memcpy(reader->id, value.ptr, value.len);
    reader->id[value.len] = '\0';
}

static void sse_take_field(SseReader *reader, Str name, Str value) {
    uint64_t retry_ms;
    if (str_eq(name, S("data"))) {
        sse_take_data(reader, value);
    } else if (str_eq(name, S("event"))) {
        text_clear(&reader->name);
        text_add(&reader->name, value);
    } else if (str_eq(name, S("id"))) {
        sse_take_id(reader, value);
    } else if (str_eq(name, S("retry")) && str_u64(value, &retry_ms).code == OK) {
        reader->retry_ms = retry_ms;
    }
}

/// The event that was read is over. False: it had no data, so it is none.
static bool sse_take_end(SseReader *reader) {
    reader->is_given = true;
    memcpy(reader->last_id, reader->id, sizeof(reader->id));
    reader->event = (SseEvent){
        .id = str_from(reader->last_id),
        .name = reader->name.len ? text_str(&reader->name) : S("message"),
        .data = text_str(&reader->data),
    };
    return reader->has_data;
}

/// A whole line. True: with it, an event.
static bool sse_take_line(SseReader *reader) {
    Str line = text_str(&reader->line);
    if (line.len == 0) return sse_take_end(reader);
    size_t colon = str_index(line, ':', 0);
    Str value = str_slice(line, colon + 1, line.len);
    if (str_starts(value, S(" "))) value = str_slice(value, 1, value.len);
    if (colon > 0) sse_take_field(reader, str_slice(line, 0, colon), value);
    return false;
}

static void sse_forget(SseReader *reader) {
    if (!reader->is_given) return;
    text_clear(&reader->data);
    text_clear(&reader->name);
    reader->event = (SseEvent){};
    reader->has_data = reader->is_given = false;
}

/// The rest of a line. False: its end has not come yet.
static bool sse_cut_line(SseReader *reader, Str *input) {
    if (reader->was_cr && input->len > 0) {
        if (input->ptr[0] == '\n') *input = str_slice(*input, 1, input->len);
        reader->was_cr = false;
    }
    size_t at = 0;
    while (at < input->len && !sse_is_line_end(input->ptr[at]))
        at++;
    text_add(&reader->line, str_slice(*input, 0, at));
    bool is_whole = at < input->len;
    if (is_whole) reader->was_cr = input->ptr[at] == '\r';
    *input = str_slice(*input, at + is_whole, input->len);
    return is_whole;
}

/// A byte order mark before the first line is none of its text.
static void sse_skip_mark(SseReader *reader) {
    static const Str mark = {"\xef\xbb\xbf", 3};
    Text *line = &reader->line;
    if (!reader->is_begun && str_starts(text_str(line), mark)) {
        memmove(line->ptr, line->ptr + mark.len, line->len - mark.len);
        line->len -= mark.len;
    }
    reader->is_begun = true;
}

Err sse_read(SseReader *reader, Str *input, bool *ret_is_event) {
    bool is_event = false;
    sse_forget(reader);
    while (!is_event && input->len > 0) {
        bool is_whole = sse_cut_line(reader, input);
        TRY(text_check(&reader->line));
        if (!is_whole) break;
        sse_skip_mark(reader);
        is_event = sse_take_line(reader);
        text_clear(&reader->line);
        TRY(text_check(&reader->data));
        TRY(text_check(&reader->name));
        if (!is_event) sse_forget(reader);
    }
    *ret_is_event = is_event;
    return SUCCESS;
}
