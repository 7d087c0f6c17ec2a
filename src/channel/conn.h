// SPDX-License-Identifier: Apache-2.0
/// One connection of a gateway, from accept to the last handler. Inside of the gateway only.
///
///   HANDSHAKE -> HEAD -> AUTHORISING -> OPEN -> CLOSING -> LINGERING -> GONE
///
/// TLS; the upgrade request; the owner's word on it; frames; our close was sent and the peer's is
/// awaited; all was said, what still comes is thrown away; the socket is closed. Any state may go
/// to GONE at once, and a refusal goes to LINGERING. A connection is freed when it is GONE and its
/// last job is done.
///
/// Everything runs on the connection's loop, but for the job: the one piece of the owner's code
/// that is under way for it, on the worker pool. Nothing is read while there is one, so its texts
/// may borrow from the connection, and jobs of one channel are in order.
#pragma once

#include "channel/gateway.h"
#include "channel/mailbox.h"
#include "channel/slots.h"
#include "channel/stream.h"
#include "http1/frame.h"
#include "http1/upgrade.h"

#include <netinet/in.h>
#include <stdatomic.h>

enum { CONN_READ_MAX = 16 * 1024, CONN_LINGER_MS = 1000, CONN_TICK_MS = 20 };

/// One thread: its loop, its connections, its mailbox.
typedef struct GatewayLoop {
    Gateway *gateway;
    uint32_t index;
    struct event_base *base;
    pthread_t thread;
    Mailbox mailbox;
    Mail stop;
    Slots slots; ///< of Conn
    bool is_stopping;
    /// Queues of libevent for timers of one length each: they cost O(1).
    const struct timeval *handshake, *half_silence, *linger, *tick;
    char scratch[CONN_READ_MAX]; ///< what was just read, of whichever connection
} GatewayLoop;

struct Gateway {
    GatewayOptions options; ///< `path` is ours
    WorkerPool *workers;
    TlsContext *tls; ///< NULL: plain TCP
    int listen_fd;
    uint16_t port;
    struct event listener; ///< on the first loop
    struct event pause;    ///< accepts again
    uint32_t next_loop;
    uint32_t loop_count;
    uint32_t running; ///< loops whose thread was started
    atomic_uint_fast64_t connections, open, accepted, refused, resumed;
    GatewayLoop loops[];
};

typedef enum ConnState {
    CONN_HANDSHAKE,
    CONN_HEAD,
    CONN_AUTHORISING,
    CONN_OPEN,
    CONN_CLOSING,
    CONN_LINGERING,
    CONN_GONE,
} ConnState;

typedef enum JobKind { JOB_NONE, JOB_AUTHORISE, JOB_OPENED, JOB_MESSAGE, JOB_CLOSED } JobKind;

typedef struct Job {
    Mail mail; ///< comes back with it
    JobKind kind;
    bool is_waiting; ///< for room in the pool
    Str text;        ///< bearer or message, borrowed from the connection
    Text reply;
    Err result;
} Job;

typedef struct Conn {
    Stream stream;
    struct event timer; ///< what it means depends on the state
    GatewayLoop *loop;
    uint64_t number; ///< in the loop's slots
    ConnState state;
    bool was_opened; ///< `opened` was handed to the pool, `closed` is due
    bool is_paused;  ///< over its rate: not read until it has paid
    bool is_pinged;  ///< the peer owes a frame
    bool is_shut;    ///< the last byte was sent
    Job job;
    FrameDecoder decoder;
    UpgradeRequest request; ///< borrows from `head`
    Text head;
    char *rest; ///< read but not decoded, because of a job or the rate; malloc'ed
    size_t rest_len, rest_at;
    uint64_t paid_until_us; ///< when the messages so far will have been paid for
    Id subject;
    char remote[INET6_ADDRSTRLEN];
} Conn;

/// Take over an accepted socket. On failure it is closed.
void conn_open(GatewayLoop *loop, int fd, const char *remote);
/// The channel's name to the world.
ChannelId conn_id(const Conn *conn);
/// Send a message if the channel is open.
void conn_send(Conn *conn, Str message);
/// End the channel if it is open.
void conn_drop(Conn *conn, uint16_t status, Str reason);
/// The gateway stops: say goodbye, or go at once if there is nobody to say it to.
void conn_stop(Conn *conn);
/// The loop got the finished job back.
void conn_job_done(Conn *conn);

/// Hand the job of this kind to the pool. False: it waits for room (conn_job_submit again).
bool conn_job_start(Conn *conn, JobKind kind, Str text);
/// Try again to hand a waiting job to the pool; false as above.
bool conn_job_submit(Conn *conn);
/// Forget a job that waits.
void conn_job_forget(Conn *conn);

/// What the loop's mailbox carries.
typedef enum GatewayMail { MAIL_ADOPT, MAIL_SEND, MAIL_DROP, MAIL_JOB, MAIL_STOP } GatewayMail;
