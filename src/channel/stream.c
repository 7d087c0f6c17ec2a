// SPDX-License-Identifier: Apache-2.0
#include "channel/stream.h"

#include "io/tls.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WRITE_MAX = 16 * 1024 }; // a TLS record

void stream_init(Stream *stream,
                 struct event_base *loop,
                 int fd,
                 size_t unsent_max,
                 event_callback_fn ready,
                 void *app) {
    *stream = (Stream){
        .fd = fd,
        .read_wants = EV_READ,
        .write_wants = EV_WRITE,
    };
    text_init(&stream->unsent, unsent_max);
    event_assign(&stream->event, loop, fd, EV_PERSIST, ready, app);
}

Err stream_secure(Stream *stream, TlsContext *tls, Str host) {
    return tls_open(tls, stream->fd, host, &stream->tls);
}

static short stream_event_of(TlsWant want, short otherwise) {
    return want == TLS_WANT_READ ? EV_READ : want == TLS_WANT_WRITE ? EV_WRITE : otherwise;
}

Err stream_handshake(Stream *stream, bool *ret_is_done, Reason *reason) {
    TlsWant want = TLS_DONE;
    if (stream->tls) TRY(tls_handshake(stream->tls, &want, reason));
    stream->read_wants = stream_event_of(want, EV_READ);
    *ret_is_done = want == TLS_DONE;
    return SUCCESS;
}

static bool stream_is_later(int error) {
    return error == EAGAIN || error == EINTR;
}

Err stream_read(Stream *stream, void *bytes, size_t size, size_t *ret_len, StreamRead *ret_read) {
    size_t len = 0;
    TlsWant want = TLS_DONE;
    if (stream->tls) {
        TRY(tls_read(stream->tls, bytes, size, &len, &want));
    } else {
        ssize_t got = recv(stream->fd, bytes, size, 0);
        if (got < 0 && !stream_is_later(errno))
            return FAIL(ERR_UNAVAILABLE, "the connection broke");
        if (got < 0) want = TLS_WANT_READ;
        if (got > 0) len = (size_t)got;
    }
    stream->read_wants = stream_event_of(want, EV_READ);
    *ret_len = len;
    *ret_read = want != TLS_DONE ? STREAM_LATER : len > 0 ? STREAM_DATA : STREAM_END;
    return SUCCESS;
}

static Err stream_write_some(Stream *stream, Str part, size_t *ret_len, TlsWant *ret_want) {
    if (stream->tls) return tls_write(stream->tls, part.ptr, part.len, ret_len, ret_want);
    ssize_t sent = send(stream->fd, part.ptr, part.len, MSG_NOSIGNAL);
    if (sent < 0 && !stream_is_later(errno)) return FAIL(ERR_UNAVAILABLE, "the connection broke");
    *ret_want = sent < 0 ? TLS_WANT_WRITE : TLS_DONE;
    *ret_len = sent < 0 ? 0 : (size_t)sent;
    return SUCCESS;
}

/// Drop the first `len` bytes of what is unsent.
static void stream_drop_sent(Stream *stream, size_t len) {
    Text *unsent = &stream->unsent;
    if (len == unsent->len) {
        text_done(unsent);
        return;
    }
    memmove(unsent->ptr, unsent->ptr + len, unsent->len - len);
    unsent->len -= len;
}

Err stream_flush(Stream *stream) {
    TRY(text_check(&stream->unsent));
    size_t done = 0;
    TlsWant want = TLS_DONE;
    while (done < stream->unsent.len && want == TLS_DONE) {
        size_t size = stream->repeat ? stream->repeat : WRITE_MAX;
        Str part = str_slice(text_str(&stream->unsent), done, done + size);
        size_t len = 0;
        TRY(stream_write_some(stream, part, &len, &want));
        stream->repeat = want == TLS_DONE ? 0 : part.len;
        done += len;
    }
    stream->write_wants = stream_event_of(want, EV_WRITE);
    if (done > 0) stream_drop_sent(stream, done);
    return SUCCESS;
}

void stream_arm(Stream *stream, bool wants_read) {
    if (stream->fd < 0) return;
    short events = wants_read ? stream->read_wants : stream->armed & EV_READ;
    if (stream->unsent.len > 0) events |= stream->write_wants;
    if (events != stream->armed) {
        event_del(&stream->event);
        event_assign(&stream->event,
                     event_get_base(&stream->event),
                     stream->fd,
                     (short)(events | EV_PERSIST),
                     event_get_callback(&stream->event),
                     event_get_callback_arg(&stream->event));
        if (events) event_add(&stream->event, NULL);
        stream->armed = events;
    }
    if (wants_read && stream->tls && tls_pending(stream->tls)) stream_wake(stream);
}

void stream_hold(Stream *stream) {
    event_del(&stream->event);
    stream->armed = 0;
}

void stream_wake(Stream *stream) {
    event_active(&stream->event, EV_READ, 0);
}

void stream_expect(Stream *stream, uint64_t within_ms) {
    const unsigned within = within_ms < INT32_MAX ? (unsigned)within_ms : INT32_MAX;
    setsockopt(stream->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &within, sizeof(within));
}

void stream_shut(Stream *stream) {
    if (stream->tls) tls_bye(stream->tls);
    shutdown(stream->fd, SHUT_WR);
}

void stream_done(Stream *stream) {
    if (stream->fd < 0) return;
    event_del(&stream->event);
    stream->tls = tls_close(stream->tls);
    close(stream->fd);
    stream->fd = -1;
    text_done(&stream->unsent);
}

struct timeval stream_timeval(uint64_t ms) {
    return (struct timeval){.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}
