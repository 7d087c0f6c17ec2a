// SPDX-License-Identifier: Apache-2.0
#include "channel/conn_crowd.h"

#include "base/clock.h"

enum {
    IDLE_MIN_MS = 1000, ///< who came just now stays, also when many come at once
    LOOKED_AT_MAX = 64, ///< of those who are busy
};

void conn_crowd_join(Conn *conn) {
    conn->is_in_crowd = true;
    conn->idle_since_ms = clock_monotonic_ms();
    TAILQ_INSERT_TAIL(&conn->loop->crowd, conn, crowd);
}

void conn_crowd_touch(Conn *conn) {
    if (!conn->is_in_crowd) return;
    TAILQ_REMOVE(&conn->loop->crowd, conn, crowd);
    conn_crowd_join(conn);
}

void conn_crowd_leave(Conn *conn) {
    if (!conn->is_in_crowd) return;
    TAILQ_REMOVE(&conn->loop->crowd, conn, crowd);
    conn->is_in_crowd = false;
    addresses_give(&conn->loop->gateway->addresses, conn->address);
}

Conn *conn_crowd_idle(GatewayLoop *loop, bool (*is_idle)(const Conn *conn)) {
    uint64_t now_ms = clock_monotonic_ms();
    for (unsigned i = 0; i < LOOKED_AT_MAX; i++) {
        Conn *conn = TAILQ_FIRST(&loop->crowd);
        if (!conn || conn->idle_since_ms + IDLE_MIN_MS > now_ms) return NULL;
        if (is_idle(conn)) return conn;
        conn_crowd_touch(conn);
    }
    return NULL;
}
