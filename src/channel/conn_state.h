// SPDX-License-Identifier: Apache-2.0
/// How a connection comes to its end. Inside of the gateway only.
#pragma once

#include "channel/conn.h"

/// The connection is over; the end of this turn closes the socket.
void conn_leave(Conn *conn);
/// Nothing more is to be said: throw away what comes until the peer closes, so that it reads
/// everything we sent.
void conn_linger(Conn *conn);
/// It will carry no more messages: count it as what it was. Before its state changes.
void conn_count_end(const Conn *conn);
