// SPDX-License-Identifier: Apache-2.0
/// Jobs of channels that the pool has no room for, in the order in which they came. Inside of the
/// gateway only.
#pragma once

#include "channel/conn.h"

/// The loop has none yet.
void conn_wait_init(GatewayLoop *loop);
/// The connection's job (conn_job_start) waits from now on. False: it is a stranger's, and too much
/// of theirs waits already.
bool conn_wait_join(Conn *conn);
/// The connection's job waits no more, and is forgotten. Does nothing if it does not wait.
void conn_wait_leave(Conn *conn);
/// There may be room again.
void conn_wait_go_on(GatewayLoop *loop);
