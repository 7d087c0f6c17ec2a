// SPDX-License-Identifier: Apache-2.0
#include "channel/conn_state.h"

void conn_count_end(const Conn *conn) {
    Gateway *gateway = conn->loop->gateway;
    if (conn->state > CONN_OPEN) return;
    if (conn->state == CONN_WEB && conn_options(conn)->web) return; // what comes here is no channel
    if (conn->is_known)
        atomic_fetch_sub(&gateway->open, 1);
    else
        atomic_fetch_add(&gateway->refused, 1);
}

void conn_leave(Conn *conn) {
    conn_count_end(conn);
    conn->state = CONN_GONE;
}

void conn_linger(Conn *conn) {
    conn_count_end(conn);
    conn->state = CONN_LINGERING;
    conn_timer_start(conn, conn->loop->linger);
}
