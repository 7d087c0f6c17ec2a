// SPDX-License-Identifier: Apache-2.0
/// One connection of a gateway, from accept to the last handler. Inside of the gateway only.
///
///   HANDSHAKE -> WEB -> OPEN -> CLOSING -> LINGERING -> GONE
///
/// TLS; requests of HTTP (conn_web.h), one of which may open the channel; frames (conn_channel.h),
/// at first a stranger's; our close was sent and the peer's is awaited; all was said, what still
/// comes is thrown away; the socket is closed. Any state may go to GONE at once, and the last
/// answer of WEB goes to LINGERING. A connection is freed when it is GONE and nobody works for it
/// any more.
///
/// Everything runs on the connection's loop, but for jobs (conn_job.h) and requests that are under
/// way. Nothing is taken from the peer while there is one, so what it has may borrow from the
/// connection, and jobs of one channel are in order.
#pragma once

#include "channel/addresses.h"
#include "channel/conn_job.h"
#include "channel/slots.h"
#include "channel/stream.h"
#include "channel/web.h"
#include "http1/frame.h"
#include "io/tls.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/queue.h>

enum { CONN_READ_MAX = 16 * 1024, CONN_LINGER_MS = 1000, CONN_TICK_MS = 20 };

/// Connections in an order.
TAILQ_HEAD(ConnList, Conn);

/// One thread: its loop, its connections, its mailbox.
typedef struct GatewayLoop {
    Gateway *gateway;
    uint32_t index;
    struct event_base *base;
    pthread_t thread;
    Mailbox mailbox;
    Mail stop, quiet;
    ConnJobs jobs;
    Slots slots;             ///< of Conn
    struct ConnList crowd;   ///< who is not known: the longest idle first
    struct ConnList waiting; ///< whose job waits for room in the pool
    struct event waited;     ///< while there are some: try again
    bool is_quiet;           ///< no open answer goes on
    bool is_stopping;
    /// Queues of libevent for timers of one length each: they cost O(1).
    const struct timeval *handshake, *silent, *pong, *linger, *tick, *web;
    char scratch[CONN_READ_MAX]; ///< what was just read, of whichever connection
} GatewayLoop;

struct Gateway {
    GatewayOptions options;
    WorkerPool *workers;
    pthread_rwlock_t tls_lock; ///< guards `tls`
    TlsContext *tls;           ///< of new sessions; NULL: plain TCP
    int listen_fd;
    uint16_t port;
    struct event listener; ///< on the first loop
    struct event pause;    ///< accepts again
    uint32_t next_loop;
    uint32_t loop_count;
    uint32_t running;    ///< loops whose thread was started
    Addresses addresses; ///< of connections, but known peers'
    atomic_uint_fast64_t connections, open, accepted, refused, resumed;
    atomic_bool is_quiet;               ///< gateway_quiesce was called
    atomic_uint_fast64_t waiting_bytes; ///< of strangers' messages that wait for room in the pool
    GatewayLoop loops[];
};

typedef enum ConnState {
    CONN_HANDSHAKE,
    CONN_WEB,
    CONN_OPEN,
    CONN_CLOSING,
    CONN_LINGERING,
    CONN_GONE,
} ConnState;

typedef struct Conn {
    Stream stream;
    struct event timer; ///< what it means depends on the state
    GatewayLoop *loop;
    ConnState state;
    bool is_known;      ///< the peer has shown who it is; `closed` is due
    bool is_paused;     ///< over its rate: not read until it has paid
    bool is_pinged;     ///< the peer owes a frame
    bool is_shut;       ///< the last byte was sent
    size_t thrown_away; ///< bytes
    Web *web;           ///< in WEB, and until its last request has ended
    ConnJob job;
    ChannelPeer peer; ///< left alone while there is a job
    FrameDecoder decoder;
    char *rest; ///< read but not decoded, because of a job or the rate; malloc'ed
    uint32_t rest_len, rest_at;
    uint64_t paid_until_us; ///< when the messages so far will have been paid for
    uint64_t begun_ms;      ///< when the message began that is not whole yet; 0: there is none
    uint8_t binding[TLS_BINDING_LEN];
    uint64_t address; ///< as addresses.h counts it
    char remote[INET6_ADDRSTRLEN];
    TAILQ_ENTRY(Conn) crowd, waiting;
    bool is_in_crowd;
    uint64_t idle_since_ms; ///< in the crowd
} Conn;

/// The number of a channel in its loop's slots.
static inline uint64_t conn_number(ChannelId channel) {
    return channel & ((1ULL << SLOT_NUMBER_BITS) - 1);
}

/// What its gateway was opened with.
static inline const GatewayOptions *conn_options(const Conn *conn) {
    return &conn->loop->gateway->options;
}
/// The state's time begins.
static inline void conn_timer_start(Conn *conn, const struct timeval *duration) {
    event_add(&conn->timer, duration);
}

/// A connection that was admitted, and got no further, is gone.
static inline void conn_count_down(Gateway *gateway, uint64_t address) {
    atomic_fetch_sub(&gateway->connections, 1);
    addresses_give(&gateway->addresses, address);
}

/// Take over an accepted socket of this address (addresses.h). On failure it is closed.
void conn_open(GatewayLoop *loop, int fd, const char *remote, uint64_t address);
/// Send a message if the channel is open.
void conn_send(Conn *conn, Str message);
/// End the channel if it is open.
void conn_drop(Conn *conn, uint16_t status, Str reason);
/// The gateway stops: say goodbye, or go at once if there is nobody to say it to.
void conn_stop(Conn *conn);
/// The loop got the finished job back.
void conn_resume(Conn *conn);
/// The loop got the mail of an answer.
void conn_answered(Mail *mail);
/// The loop got the mail of an open answer that may go on.
void conn_woken(Mail *mail);
/// Nobody is let in any more: an answer without an end has one now.
void conn_quiesce(Conn *conn);
/// Give up the connection that has been idle for longest, if there is one that may be. False: all
/// are busy, or came just now.
bool conn_make_room(GatewayLoop *loop);

/// What the loop's mailbox carries.
typedef enum GatewayMail {
    MAIL_ADOPT,
    MAIL_SEND,
    MAIL_DROP,
    MAIL_JOB,
    MAIL_ANSWER, ///< to a request
    MAIL_WAKE,   ///< of an open answer
    MAIL_QUIET,
    MAIL_STOP
} GatewayMail;
