// SPDX-License-Identifier: Apache-2.0
/// A queue from any thread to one libevent loop.
#pragma once

#include "base/err.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdbool.h>

/// The head of whatever is sent; whoever takes it out knows from `kind` what it is.
typedef struct Mail {
    struct Mail *next;
    int kind;
} Mail;

typedef struct Mailbox {
    pthread_mutex_t mutex;
    Mail *first, **last; ///< under `mutex`
    int wake_fd;         ///< an eventfd
    struct event wake;
    void (*take)(void *app, Mail *mail);
    void *app;
} Mailbox;

/// `take` is called on the loop for each mail, in the order of posting, and owns it then.
/// ERR_SYSTEM: no descriptor left.
Err mailbox_open(Mailbox *mailbox,
                 struct event_base *loop,
                 void (*take)(void *app, Mail *mail),
                 void *app);
/// Thread-safe; never fails, never blocks for long. `mail` may be gone when it returns.
void mailbox_post(Mailbox *mailbox, Mail *mail);
/// When the loop has ended and nobody posts any more: call `drop` for what is left.
void mailbox_close(Mailbox *mailbox, void (*drop)(void *app, Mail *mail));
