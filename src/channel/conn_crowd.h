// SPDX-License-Identifier: Apache-2.0
/// Who is connected and not known: a stranger, or a client of HTTP. They count for their address,
/// and make room for others when all places are taken. Inside of the gateway only.
#pragma once

#include "channel/conn.h"

/// The connection, which was counted for its address, is one of them.
void conn_crowd_join(Conn *conn);
/// It has done something whole: it is the last to go.
void conn_crowd_touch(Conn *conn);
/// It is known from now on, or gone. Does nothing if it has left already.
void conn_crowd_leave(Conn *conn);
/// Who has been there for longest without having done anything, for long enough, and `is_idle`;
/// NULL: nobody.
Conn *conn_crowd_idle(GatewayLoop *loop, bool (*is_idle)(const Conn *conn));
