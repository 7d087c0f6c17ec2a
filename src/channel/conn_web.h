// SPDX-License-Identifier: Apache-2.0
/// A connection on which requests come. Inside of the gateway only.
///
/// A head is due within `handshake_ms` of the connection's begin, or of its own first byte; then a
/// body, the taking of an answer (of an open one, of each part), and the wait for the next request
/// each have `web_ms`. A handler has as long as it takes.
#pragma once

#include "channel/conn.h"

/// The handshake is done: the first request may come. False: no memory.
bool conn_web_begin(Conn *conn);
/// Take in what can be taken now.
void conn_web_take(Conn *conn, Str *input);
/// More may be taken: no request is under way.
bool conn_web_is_reading(const Conn *conn);
/// An owner works on a request: the connection may not be freed.
bool conn_web_is_busy(const Conn *conn);
/// An open answer goes out: what the peer says meanwhile does not matter.
bool conn_web_is_open(const Conn *conn);
/// After the socket took what there was: put more of an answer behind it, or begin the next
/// request, for which there may be a rest. False: there is nothing to go on with.
bool conn_web_goes_on(Conn *conn);
/// The mail of an answer: its connection.
Conn *conn_web_answered(Mail *mail);
/// The mail of who woke an open answer: its connection.
Conn *conn_web_woken(Mail *mail);
/// The state's time is over.
void conn_web_timeout(Conn *conn);
/// Answers without an end have one now.
void conn_web_quiesce(Conn *conn);
/// The gateway stops: nothing more is to be read.
void conn_web_stop(Conn *conn);
/// The peer is gone: end an open answer. True: an owner works for it yet.
bool conn_web_depart(Conn *conn);
/// The peer is gone, or the connection is a channel now: end its request, free.
void conn_web_done(Conn *conn);
