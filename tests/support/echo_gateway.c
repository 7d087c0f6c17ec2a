// SPDX-License-Identifier: Apache-2.0
// A gateway on a free port of 127.0.0.1 that lets the token "good" in and echoes. Prints its port;
// ends when its standard input does.
#include "channel/gateway.h"
#include "io/worker.h"

#include <stdio.h>
#include <unistd.h>

enum { MESSAGE_MAX = 64 * 1024 };

static Err authorise(void *, Str bearer, Str, Id *ret_subject) {
    if (str_eq(bearer, S("busy"))) return FAIL(ERR_BUSY, "as asked for");
    if (!str_eq(bearer, S("good"))) return FAIL(ERR_UNAUTHENTICATED, "not the token");
    *ret_subject = id_new(S("peer"), 1);
    return SUCCESS;
}

static void opened(void *, ChannelId, const Id *) {}

static Err echo(void *, ChannelId, const Id *, Str message, Text *reply) {
    text_add(reply, message);
    return SUCCESS;
}

static const GatewayOptions options = {
    .address = "127.0.0.1",
    .path = "/channel",
    .threads = 2,
    .connections_max = 100,
    .message_max_bytes = MESSAGE_MAX,
    .messages_per_minute_max = 100'000,
    .handshake_ms = 10'000,
    .silence_ms = 60'000,
    .handlers = {authorise, opened, echo, opened},
};

int main(void) {
    WorkerPool *workers = NULL;
    Gateway *gateway = NULL;
    Err err = worker_pool_open(&(WorkerOptions){.threads = 2, .queue_max = 64}, &workers);
    if (err.code == OK) err = gateway_open(&options, workers, &gateway, NULL);
    if (err.code == OK) {
        printf("%u\n", gateway_port(gateway));
        fflush(stdout);
        char byte;
        while (read(STDIN_FILENO, &byte, 1) > 0) {
        }
    } else {
        fprintf(stderr, "echo_gateway: %s\n", err.what);
    }
    gateway_close(gateway);
    worker_pool_close(workers);
    return err.code == OK ? 0 : 1;
}
