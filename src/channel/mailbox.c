// SPDX-License-Identifier: Apache-2.0
#include "channel/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

static Mail *mailbox_take_all(Mailbox *mailbox) {
    pthread_mutex_lock(&mailbox->mutex);
    Mail *first = mailbox->first;
    mailbox->first = NULL;
    mailbox->last = &mailbox->first;
    pthread_mutex_unlock(&mailbox->mutex);
    return first;
}

static void mailbox_hand_out(Mailbox *mailbox, void (*take)(void *app, Mail *mail)) {
    Mail *mail = mailbox_take_all(mailbox);
    while (mail) {
        Mail *next = mail->next; // `take` may free this one
        take(mailbox->app, mail);
        mail = next;
    }
}

static void mailbox_on_wake(evutil_socket_t fd, short, void *arg) {
    eventfd_t count;
    (void)eventfd_read(fd, &count);
    Mailbox *mailbox = arg;
    mailbox_hand_out(mailbox, mailbox->take);
}

Err mailbox_open(Mailbox *mailbox,
                 struct event_base *loop,
                 void (*take)(void *app, Mail *mail),
                 void *app) {
    int wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wake_fd < 0) return FAIL_SYS("cannot make an eventfd");
    *mailbox = (Mailbox){.wake_fd = wake_fd, .take = take, .app = app};
    mailbox->last = &mailbox->first;
    pthread_mutex_init(&mailbox->mutex, NULL);
    event_assign(&mailbox->wake, loop, wake_fd, EV_READ | EV_PERSIST, mailbox_on_wake, mailbox);
    event_add(&mailbox->wake, NULL);
    return SUCCESS;
}

void mailbox_post(Mailbox *mailbox, Mail *mail) {
    mail->next = NULL;
    pthread_mutex_lock(&mailbox->mutex);
    bool was_empty = !mailbox->first;
    *mailbox->last = mail;
    mailbox->last = &mail->next;
    // Within the lock: once the mail was taken, the mailbox may be closed.
    if (was_empty) (void)eventfd_write(mailbox->wake_fd, 1);
    pthread_mutex_unlock(&mailbox->mutex);
}

void mailbox_close(Mailbox *mailbox, void (*drop)(void *app, Mail *mail)) {
    event_del(&mailbox->wake);
    mailbox_hand_out(mailbox, drop);
    close(mailbox->wake_fd);
    pthread_mutex_destroy(&mailbox->mutex);
}
