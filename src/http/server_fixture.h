// SPDX-License-Identifier: Apache-2.0
/// A server over the small API of http/fixture.h on a real socket, for its tests. GET /readyz
/// stands for a handler that takes its time: the test holds it. What goes wrong in here is an
/// assertion that fails.
#pragma once

#include "channel/gateway.h"
#include "http/client.h"
#include "http/fixture.h"
#include "http/server.h"
#include "io/worker.h"

#include <semaphore.h>

enum { WITHIN_MS = 10'000, REPLY_MAX = 64 * 1024 };

/// A server over the small API, and a client of it.
typedef struct Host {
    Fixture fixture;
    WorkerPool *workers, *pools[3]; ///< the pools are the same; the last is none
    Server *server;
    Gateway *gateway;
    HttpClient *client;
    char url[64];
    bool is_held; ///< ready() posts `running` and waits for `leave`
    Err readiness;
    sem_t running, leave;
} Host;

/// Open with these options (address, connections and probe are set) and workers.
void host_open_with(Host *host, GatewayOptions options, WorkerOptions workers);
/// Open plainly, with a client.
void host_open(Host *host);
/// Close all of it.
void host_close(Host *host);
/// ServerOptions.ready: what the host says, after `leave` if it is held.
Err host_ready(void *app);
/// A job that posts `running` and waits for `leave`; `arg` is the Host.
void job_hold(void *arg);
/// A client of the server; `ca_path` NULL: plain.
HttpClient *client_open(const Host *host, const char *ca_path);
/// One exchange; gives the status, and what the answer said into `ret_answer` unless that is NULL.
uint32_t
client_ask(HttpClient *client, const char *method, Str target, Str body, HttpAnswer *ret_answer);
/// The same by the host's own client.
uint32_t ask(Host *host, const char *method, Str target, Str body);
/// A connection without a client's manners; -1: refused.
int raw_open(const Host *host);
/// Send all of `text`.
void raw_send(int fd, const char *text);
/// What comes until the peer closes; it may do so with a reset when it has not read everything.
const char *raw_read_all(int fd, char bytes[static REPLY_MAX]);
/// The whole answer to `request`, which must ask to close.
const char *raw_ask(const Host *host, const char *request, char bytes[static REPLY_MAX]);

#define HEAD(line) line " HTTP/1.1\r\nHost: x\r\nAuthorization: bearer reader\r\n"
#define LAST "Connection: close\r\n\r\n"
