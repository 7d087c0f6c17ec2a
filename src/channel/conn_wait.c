// SPDX-License-Identifier: Apache-2.0
#include "channel/conn_wait.h"

#include "channel/stream.h"

enum { STRANGERS_BYTES_MAX = 64 * 1024 * 1024 };

static void wait_on_tick(evutil_socket_t, short, void *arg) {
    conn_wait_go_on(arg);
}

void conn_wait_init(GatewayLoop *loop) {
    TAILQ_INIT(&loop->waiting);
    event_assign(&loop->waited, loop->base, -1, 0, wait_on_tick, loop);
}

/// Bytes that count; a known peer's do not: it has at most one message.
static size_t wait_bytes(const Conn *conn) {
    return conn->is_known ? 0 : conn->job.text.len;
}

bool conn_wait_join(Conn *conn) {
    GatewayLoop *loop = conn->loop;
    Gateway *gateway = loop->gateway;
    size_t bytes = wait_bytes(conn);
    if (atomic_fetch_add(&gateway->waiting_bytes, bytes) + bytes > STRANGERS_BYTES_MAX
        && !conn->is_known) {
        atomic_fetch_sub(&gateway->waiting_bytes, bytes);
        conn_job_forget(&conn->job);
        return false;
    }
    if (TAILQ_EMPTY(&loop->waiting)) event_add(&loop->waited, loop->tick);
    TAILQ_INSERT_TAIL(&loop->waiting, conn, waiting);
    return true;
}

/// It is neither in the list nor counted any more.
static void wait_take_out(Conn *conn) {
    TAILQ_REMOVE(&conn->loop->waiting, conn, waiting);
    atomic_fetch_sub(&conn->loop->gateway->waiting_bytes, wait_bytes(conn));
}

void conn_wait_leave(Conn *conn) {
    if (!conn->job.is_waiting) return;
    wait_take_out(conn);
    conn_job_forget(&conn->job);
}

void conn_wait_go_on(GatewayLoop *loop) {
    Conn *conn;
    while ((conn = TAILQ_FIRST(&loop->waiting))) {
        wait_take_out(conn); // before a worker may have it
        if (conn_job_submit(&conn->job)) continue;
        TAILQ_INSERT_HEAD(&loop->waiting, conn, waiting);
        atomic_fetch_add(&loop->gateway->waiting_bytes, wait_bytes(conn));
        event_add(&loop->waited, loop->tick);
        return;
    }
    event_del(&loop->waited);
}
