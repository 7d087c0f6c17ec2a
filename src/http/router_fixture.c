// SPDX-License-Identifier: Apache-2.0
#include "http/router_fixture.h"

#include <semaphore.h>

typedef struct RouterWait {
    HttpReply reply;
    sem_t done;
} RouterWait;

static void router_waited(void *ctx, const HttpReply *reply) {
    RouterWait *wait = ctx;
    wait->reply = *reply;
    if (reply->stream.end) reply->stream.end(reply->stream.ctx);
    sem_post(&wait->done);
}

HttpReply
router_wait(const Router *router, WorkerPool *workers, const HttpRequest *request, Arena *arena) {
    RouterWait wait = {};
    sem_init(&wait.done, 0, 0);
    router_run_then(router, workers, request, arena, router_waited, &wait);
    while (sem_wait(&wait.done) != 0) {
    }
    sem_destroy(&wait.done);
    return wait.reply;
}
