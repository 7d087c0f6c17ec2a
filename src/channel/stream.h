// SPDX-License-Identifier: Apache-2.0
/// Bytes both ways over a non-blocking socket, with or without TLS, on a libevent loop.
///
/// Owns the socket, the TLS session and what is not sent yet; knows which readiness TLS waits for.
/// Its owner gets one callback for "go on": then it flushes, reads, and arms again. A stream with
/// nothing to send holds no buffer.
#pragma once

#include "base/text.h"

#include <event2/event.h>
#include <event2/event_struct.h>

typedef struct Tls Tls;
typedef struct TlsContext TlsContext;

typedef struct Stream {
    struct event event; ///< knows its loop, `ready` and `app`
    int fd;             ///< -1: closed
    Tls *tls;
    Text unsent;
    size_t repeat; ///< bytes of a TLS write that must be repeated as it was
    short read_wants, write_wants;
    short armed;
} Stream;

typedef enum StreamRead {
    STREAM_DATA,
    STREAM_LATER, ///< nothing there now
    STREAM_END,   ///< the peer will send no more
} StreamRead;

/// Take over the non-blocking socket `fd`. `ready` is called on the loop when stream_arm asked.
void stream_init(Stream *stream,
                 struct event_base *loop,
                 int fd,
                 size_t unsent_max,
                 event_callback_fn ready,
                 void *app);
/// Start TLS on it. `host` as in tls_open.
Err stream_secure(Stream *stream, TlsContext *tls, Str host);
/// Go on with the TLS handshake, if there is one. Errors as tls_handshake.
Err stream_handshake(Stream *stream, bool *ret_is_done, Reason *reason);
/// Read up to `size` bytes. ERR_UNAVAILABLE: the connection broke.
Err stream_read(Stream *stream, void *bytes, size_t size, size_t *ret_len, StreamRead *ret_read);
/// Send what `unsent` has, as far as the socket takes it. ERR_UNAVAILABLE: the connection broke.
/// ERR_LIMIT: more was appended than may wait.
Err stream_flush(Stream *stream);
/// Ask for `ready`: for reading if `wants_read`, and while there is something unsent. Who does not
/// want to read any more may be called for it once, and then says so (stream_hold): mostly it wants
/// to again before there is more.
void stream_arm(Stream *stream, bool wants_read);
/// Ask for nothing until it is armed again.
void stream_hold(Stream *stream);
/// Have `ready` called in this turn of the loop.
void stream_wake(Stream *stream);
/// A peer that takes nothing of what is on its way to it for so long is gone.
void stream_expect(Stream *stream, uint64_t within_ms);
/// Tell the peer that no more will be sent.
void stream_shut(Stream *stream);
/// Milliseconds as libevent takes them.
struct timeval stream_timeval(uint64_t ms);
/// Close socket and session, free buffers. May be called again.
void stream_done(Stream *stream);
