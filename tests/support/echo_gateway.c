// SPDX-License-Identifier: Apache-2.0
// A gateway on a free port of 127.0.0.1 that greets with the connection's channel binding in base64
// ("none" without TLS), knows whoever says "good" first, and echoes. Prints its port; ends when its
// standard input does. usage: echo_gateway [CERTIFICATE KEY]
#include "base/arena.h"
#include "base/base64.h"
#include "base/scope.h"
#include "channel/gateway.h"
#include "io/worker.h"

#include <stdio.h>
#include <unistd.h>

enum { FIRST_MAX = 1024, MESSAGE_MAX = 64 * 1024 };

static void greet(void *, const ChannelPeer *peer, Text *first) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 4096);
    text_add(first, peer->binding.ptr ? base64_encode(&arena, peer->binding, BASE64) : S("none"));
}

static Err answer(ChannelPeer *peer, Str message, Text *reply) {
    text_add(reply, message);
    if (!id_is_absent(&peer->subject)) return SUCCESS;
    if (!str_eq(message, S("good"))) return FAIL(ERR_UNAUTHENTICATED, "not the word");
    peer->subject = id_new(S("peer"), 1);
    return SUCCESS;
}

static void echo(void *, ChannelPeer *peer, Str message, Text *reply, ChannelDone done, void *ctx) {
    done(ctx, answer(peer, message, reply));
}

static void closed(void *, const ChannelPeer *) {}

int main(int argc, char **argv) {
    GatewayOptions options = {
        .address = "127.0.0.1",
        .cert_path = argc == 3 ? argv[1] : NULL,
        .key_path = argc == 3 ? argv[2] : NULL,
        .path = "/channel",
        .protocol = "echo.1",
        .threads = 2,
        .connections_max = 100,
        .first_max_bytes = FIRST_MAX,
        .message_max_bytes = MESSAGE_MAX,
        .messages_per_minute_max = 100'000,
        .handshake_ms = 10'000,
        .silence_ms = 60'000,
        .handlers = {.greet = greet, .message = echo, .closed = closed},
    };
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
