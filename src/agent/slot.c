// SPDX-License-Identifier: Apache-2.0
#include "agent/slot.h"

#include "base/scope.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct Slot {
    pthread_mutex_t lock;
    Text text;
    bool is_full;
    bool is_over;
    size_t max; ///< of a text; never changes
    int fd;     ///< an eventfd: 1 while is_full or is_over
};

Err slot_open(size_t max, Slot **ret_slot) {
    SCOPED(fd_closep) int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return FAIL_SYS("cannot make an eventfd");
    Slot *slot = calloc(1, sizeof(*slot));
    if (!slot) return OUT_OF_MEMORY;
    pthread_mutex_init(&slot->lock, NULL);
    text_init(&slot->text, max);
    slot->max = max;
    slot->fd = TAKE_FD(fd);
    *ret_slot = slot;
    return SUCCESS;
}

Slot *slot_close(Slot *slot) {
    if (!slot) return NULL;
    text_done(&slot->text);
    close(slot->fd);
    pthread_mutex_destroy(&slot->lock);
    free(slot);
    return NULL;
}

/// With the lock held: make the descriptor say what is so.
static void slot_tell(const Slot *slot) {
    eventfd_t value;
    if (slot->is_full || slot->is_over) {
        eventfd_write(slot->fd, 1);
    } else {
        eventfd_read(slot->fd, &value);
    }
}

Err slot_put(Slot *slot, Str text) {
    Text copy;
    text_init(&copy, slot->max);
    text_add(&copy, text);
    Err err = text_check(&copy);
    if (err.code != OK) {
        text_done(&copy);
        return err;
    }
    pthread_mutex_lock(&slot->lock);
    text_done(&slot->text);
    slot->text = copy;
    slot->is_full = true;
    slot_tell(slot);
    pthread_mutex_unlock(&slot->lock);
    return SUCCESS;
}

bool slot_take(Slot *slot, Text *ret_text) {
    pthread_mutex_lock(&slot->lock);
    bool taken = slot->is_full;
    if (taken) {
        *ret_text = slot->text;
        text_init(&slot->text, slot->max);
        slot->is_full = false;
        slot_tell(slot);
    }
    pthread_mutex_unlock(&slot->lock);
    return taken;
}

void slot_end(Slot *slot) {
    pthread_mutex_lock(&slot->lock);
    slot->is_over = true;
    slot_tell(slot);
    pthread_mutex_unlock(&slot->lock);
}

bool slot_is_over(Slot *slot) {
    pthread_mutex_lock(&slot->lock);
    bool over = slot->is_over;
    pthread_mutex_unlock(&slot->lock);
    return over;
}

int slot_fd(const Slot *slot) {
    return slot->fd;
}
