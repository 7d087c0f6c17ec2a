// SPDX-License-Identifier: Apache-2.0
/// Server-Sent Events (WHATWG HTML section 9.2, text/event-stream), written and read; pure.
///
/// A stream is lines; an empty one ends an event. An event without data is none: but its id is the
/// last that was seen, which a client that comes back tells (Last-Event-ID).
#pragma once

#include "base/text.h"

typedef struct SseEvent {
    Str id;   ///< absent: the one before stays the last
    Str name; ///< absent: "message"
    Str data; ///< absent: this is no event, only its id
} SseEvent;

/// Append an event. Neither `id` nor `name` has a line end in it; `data` may have any.
void sse_add(Text *out, const SseEvent *event);
/// Append a comment of one line, which no reader shows to anybody.
void sse_add_comment(Text *out, Str text);
/// Append how long a reader is to wait until it comes back.
void sse_add_retry(Text *out, uint64_t retry_ms);

enum { SSE_ID_MAX = 64 }; ///< bytes of an id that is kept; a longer one is passed over

/// Who reads a stream, byte by byte if need be.
typedef struct SseReader {
    Text line, data, name;
    size_t max;              ///< bytes of a line and of an event
    bool is_begun;           ///< a byte order mark would be text from here on
    bool was_cr;             ///< an LF belongs to the line before
    bool has_data;           ///< of the event that is being read
    bool is_given;           ///< `event` is forgotten with the next call
    char id[SSE_ID_MAX + 1]; ///< as it will be at the event's end
    char last_id[SSE_ID_MAX + 1];
    uint64_t retry_ms; ///< as the stream wants it; 0: it has not said
    SseEvent event;
} SseReader;

/// At the beginning; holds no memory yet. An event over `max` bytes is a failure.
void sse_reader_init(SseReader *reader, size_t max);
/// Free it.
void sse_reader_done(SseReader *reader);
/// The connection broke: what was half read is forgotten, its id included; `last_id` and `retry_ms`
/// are kept.
void sse_reader_again(SseReader *reader);
/// Read up to the end of an event, or of `*input`, which moves on. `*ret_is_event`: reader->event
/// is one; its texts are borrowed until the next call. ERR_LIMIT: it is too long. ERR_MEMORY.
Err sse_read(SseReader *reader, Str *input, bool *ret_is_event);
