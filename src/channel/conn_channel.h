// SPDX-License-Identifier: Apache-2.0
/// A connection that is a channel: its frames. Inside of the gateway only.
#pragma once

#include "channel/conn.h"

/// The peer speaks our protocol, and was told so: from now on frames come. It leaves where it
/// cannot begin.
void conn_channel_begin(Conn *conn);
/// Take in what can be taken now.
void conn_channel_take(Conn *conn, Str *input);
/// More may be taken: no job is under way, and it is within its rate.
bool conn_channel_is_reading(const Conn *conn);
/// Say that the channel, which is open, ends, and wait for the peer to say so too.
void conn_channel_end(Conn *conn, uint16_t status, Str reason);
/// Its time is over while it is open. A pause may have ended: then it is reading again.
void conn_channel_timeout(Conn *conn);
/// The job is back.
void conn_channel_resume(Conn *conn);
/// The connection is gone: tell the owner once its last job is back. False: there is nothing to
/// wait for.
bool conn_channel_depart(Conn *conn);
