// SPDX-License-Identifier: Apache-2.0
#include "channel/gateway.h"

#include "base/log.h"
#include "channel/conn.h"
#include "channel/conn_wait.h"
#include "channel/gateway_tls.h"
#include "io/tls.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 1024,
    ACCEPTS_A_TURN = 64,
    PAUSE_MS = 100,
    REASON_MAX = 128,
    NEWCOMERS_MAX = 64,         ///< for whom room is to be made
    PIECES_MAX = 4 * 64 * 1024, ///< of answers that wait in a connection without a channel
};

typedef struct AdoptMail {
    Mail mail;
    int fd;
    bool needs_room;  ///< that another one has to make
    uint64_t address; ///< as addresses.h counts it
    char remote[INET6_ADDRSTRLEN];
} AdoptMail;

typedef struct SendMail {
    Mail mail;
    uint64_t number;
    size_t len;
    char bytes[];
} SendMail;

typedef struct DropMail {
    Mail mail;
    uint64_t number;
    uint16_t status;
    size_t reason_len;
    char reason[REASON_MAX]; // more than a frame takes: it is cut there, between characters
} DropMail;

/// Accepting goes on after a breath.
static void gateway_on_pause_over(evutil_socket_t, short, void *arg) {
    Gateway *gateway = arg;
    event_add(&gateway->listener, NULL);
}

static void gateway_accept_pause(Gateway *gateway) {
    const struct timeval pause = stream_timeval(PAUSE_MS);
    event_del(&gateway->listener);
    event_add(&gateway->pause, &pause);
}

static void gateway_remote_text(const struct sockaddr_storage *address,
                                char ret_text[INET6_ADDRSTRLEN]) {
    ret_text[0] = '\0';
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in4 = (const void *)address;
        inet_ntop(AF_INET, &in4->sin_addr, ret_text, INET6_ADDRSTRLEN);
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)address;
        bool is_mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr); // IPv4 to a socket of both
        const void *bytes = &in6->sin6_addr.s6_addr[is_mapped ? 12 : 0];
        inet_ntop(is_mapped ? AF_INET : AF_INET6, bytes, ret_text, INET6_ADDRSTRLEN);
    }
}

/// Give an accepted socket to the next loop in turn.
static void gateway_hand_over(Gateway *gateway,
                              int fd,
                              const struct sockaddr_storage *address,
                              bool needs_room) {
    AdoptMail *adopt = malloc(sizeof(*adopt));
    uint64_t key = addresses_key(address);
    if (!adopt) {
        close(fd);
        conn_count_down(gateway, key);
        return;
    }
    *adopt = (AdoptMail){
        .mail = {.kind = MAIL_ADOPT}, .fd = fd, .needs_room = needs_room, .address = key};
    gateway_remote_text(address, adopt->remote);
    mailbox_post(&gateway->loops[gateway->next_loop].mailbox, &adopt->mail);
    gateway->next_loop = (gateway->next_loop + 1) % gateway->loop_count;
}

/// One more connection, if it may be: in all, and from its address.
static bool
gateway_admit(Gateway *gateway, const struct sockaddr_storage *address, bool *ret_needs_room) {
    uint64_t max = gateway->options.connections_max;
    uint64_t count = atomic_fetch_add(&gateway->connections, 1);
    *ret_needs_room = count >= max;
    bool has_room = count < max + NEWCOMERS_MAX;
    if (has_room && addresses_take(&gateway->addresses, addresses_key(address))) return true;
    atomic_fetch_sub(&gateway->connections, 1);
    atomic_fetch_add(&gateway->refused, 1);
    return false;
}

static void gateway_on_accept(evutil_socket_t listener, short, void *arg) {
    Gateway *gateway = arg;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        struct sockaddr_storage address = {};
        socklen_t len = sizeof(address);
        int fd = accept4(listener, (void *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && errno == EAGAIN) return;
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
        if (fd < 0 && errno == EINVAL) { // nobody is let in any more
            event_del(&gateway->listener);
            return;
        }
        if (fd < 0) { // no descriptors or memory: trying again at once would only spin
            gateway_accept_pause(gateway);
            return;
        }
        atomic_fetch_add(&gateway->accepted, 1);
        bool needs_room;
        if (!gateway_admit(gateway, &address, &needs_room)) {
            close(fd);
            continue;
        }
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        gateway_hand_over(gateway, fd, &address, needs_room);
    }
}

/// Everything that this loop still has says goodbye; its thread ends with the last of it.
static void gateway_loop_stop(GatewayLoop *loop) {
    Gateway *gateway = loop->gateway;
    loop->is_stopping = true;
    if (loop->index == 0) {
        event_del(&gateway->listener);
        event_del(&gateway->pause);
    }
    for (uint32_t i = 0; i < loop->slots.capacity; i++)
        if (loop->slots.slots[i].item) conn_stop(loop->slots.slots[i].item);
}

static void gateway_loop_quiesce(GatewayLoop *loop) {
    loop->is_quiet = true;
    for (uint32_t i = 0; i < loop->slots.capacity; i++)
        if (loop->slots.slots[i].item) conn_quiesce(loop->slots.slots[i].item);
}

static void gateway_adopt_take(GatewayLoop *loop, AdoptMail *adopt) {
    if (!adopt->needs_room || conn_make_room(loop)) {
        conn_open(loop, adopt->fd, adopt->remote, adopt->address);
    } else {
        conn_count_down(loop->gateway, adopt->address);
        atomic_fetch_add(&loop->gateway->refused, 1);
        close(adopt->fd);
    }
    free(adopt);
}

static void gateway_send_take(GatewayLoop *loop, SendMail *send) {
    Conn *conn = slots_find(&loop->slots, send->number);
    if (conn) conn_send(conn, (Str){send->bytes, send->len});
    free(send);
}

static void gateway_drop_take(GatewayLoop *loop, DropMail *drop) {
    Conn *conn = slots_find(&loop->slots, drop->number);
    if (conn) conn_drop(conn, drop->status, (Str){drop->reason, drop->reason_len});
    free(drop);
}

static void gateway_mail_take(void *app, Mail *mail) {
    GatewayLoop *loop = app;
    switch ((GatewayMail)mail->kind) {
    case MAIL_ADOPT:
        gateway_adopt_take(loop, (AdoptMail *)mail);
        return;
    case MAIL_SEND:
        gateway_send_take(loop, (SendMail *)mail);
        return;
    case MAIL_DROP:
        gateway_drop_take(loop, (DropMail *)mail);
        return;
    case MAIL_STOP:
        gateway_loop_stop(loop);
        return;
    case MAIL_ANSWER:
        conn_answered(mail);
        return;
    case MAIL_WAKE:
        conn_woken(mail);
        return;
    case MAIL_QUIET:
        gateway_loop_quiesce(loop);
        return;
    case MAIL_JOB:
        conn_resume((Conn *)((char *)mail - offsetof(Conn, job) - offsetof(ConnJob, mail)));
        return;
    }
}

/// What came after the loop had ended.
static void gateway_mail_drop(void *app, Mail *mail) {
    GatewayLoop *loop = app;
    assert(mail->kind != MAIL_JOB && mail->kind != MAIL_ANSWER
           && mail->kind != MAIL_WAKE); // a loop ends after its last one
    if (mail->kind == MAIL_STOP || mail->kind == MAIL_QUIET) return;
    if (mail->kind == MAIL_ADOPT) {
        close(((AdoptMail *)mail)->fd);
        conn_count_down(loop->gateway, ((AdoptMail *)mail)->address);
    }
    free(mail);
}

static void gateway_thread_name(const GatewayLoop *loop) {
    char name[16]; // what the kernel keeps
    const char *given = loop->gateway->options.name;
    snprintf(name, sizeof(name), "%.8s-%u", given ? given : "gw", loop->index % 100);
    pthread_setname_np(pthread_self(), name);
}

static void *gateway_loop_run(void *arg) {
    GatewayLoop *loop = arg;
    gateway_thread_name(loop);
    while (!(loop->is_stopping && loop->slots.count == 0))
        event_base_loop(loop->base, EVLOOP_ONCE);
    return NULL;
}

static const struct timeval *gateway_common_timer(GatewayLoop *loop, uint64_t ms) {
    const struct timeval duration = stream_timeval(ms);
    return event_base_init_common_timeout(loop->base, &duration);
}

static Err gateway_loop_open(Gateway *gateway, GatewayLoop *loop) {
    const Err none = FAIL(ERR_MEMORY, "no memory for an event loop");
    loop->gateway = gateway;
    loop->index = (uint32_t)(loop - gateway->loops);
    loop->stop = (Mail){.kind = MAIL_STOP};
    loop->quiet = (Mail){.kind = MAIL_QUIET};
    loop->jobs = (ConnJobs){.workers = gateway->workers,
                            .handlers = &gateway->options.handlers,
                            .app = gateway->options.app,
                            .done = &loop->mailbox,
                            .mail_kind = MAIL_JOB,
                            .reply_max = gateway->options.reply_max_bytes};
    slots_init(&loop->slots);
    TAILQ_INIT(&loop->crowd);
    loop->base = event_base_new();
    if (!loop->base) return none;
    conn_wait_init(loop);
    loop->handshake = gateway_common_timer(loop, gateway->options.handshake_ms);
    const uint64_t pong_ms = gateway->options.silence_ms / 6;
    loop->silent = gateway_common_timer(loop, gateway->options.silence_ms - pong_ms);
    loop->pong = gateway_common_timer(loop, pong_ms);
    loop->linger = gateway_common_timer(loop, CONN_LINGER_MS);
    loop->tick = gateway_common_timer(loop, CONN_TICK_MS);
    loop->web = gateway_common_timer(loop, gateway->options.web_ms);
    if (!loop->handshake || !loop->silent || !loop->pong || !loop->linger || !loop->tick
        || !loop->web) {
        event_base_free(loop->base);
        return none;
    }
    Err err = mailbox_open(&loop->mailbox, loop->base, gateway_mail_take, loop);
    if (err.code != OK) event_base_free(loop->base);
    return err;
}

static void gateway_loop_close(GatewayLoop *loop) {
    mailbox_close(&loop->mailbox, gateway_mail_drop);
    slots_done(&loop->slots);
    event_base_free(loop->base);
}

static Err gateway_listener_bind(Gateway *gateway, Reason *reason) {
    const GatewayOptions *options = &gateway->options;
    char port[8];
    snprintf(port, sizeof(port), "%u", options->port);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    if (getaddrinfo(options->address, port, &hints, &found) != 0)
        return reason_fail(reason,
                           FAIL(ERR_INVALID, "the address to listen on is not an address"),
                           "%s",
                           options->address);
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    bool good = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0
                && bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
    Err err = good ? SUCCESS : FAIL_SYS("cannot listen");
    freeaddrinfo(found);
    gateway->listen_fd = fd;
    if (good) return SUCCESS;
    return reason_fail(reason, err, "%s port %u", options->address, options->port);
}

static Err gateway_listener_open(Gateway *gateway, Reason *reason) {
    TRY(gateway_listener_bind(gateway, reason));
    struct sockaddr_storage bound = {};
    socklen_t len = sizeof(bound);
    if (getsockname(gateway->listen_fd, (void *)&bound, &len) != 0)
        return FAIL_SYS("cannot learn the port of the listener");
    gateway->port = ntohs(bound.ss_family == AF_INET6
                              ? ((const struct sockaddr_in6 *)(const void *)&bound)->sin6_port
                              : ((const struct sockaddr_in *)(const void *)&bound)->sin_port);
    struct event_base *base = gateway->loops[0].base;
    event_assign(&gateway->listener,
                 base,
                 gateway->listen_fd,
                 EV_READ | EV_PERSIST,
                 gateway_on_accept,
                 gateway);
    event_assign(&gateway->pause, base, -1, 0, gateway_on_pause_over, gateway);
    return event_add(&gateway->listener, NULL) == 0
               ? SUCCESS
               : FAIL(ERR_MEMORY, "no memory for the listener");
}

static Err gateway_threads_start(Gateway *gateway) {
    for (; gateway->running < gateway->loop_count; gateway->running++) {
        GatewayLoop *loop = &gateway->loops[gateway->running];
        int error = pthread_create(&loop->thread, NULL, gateway_loop_run, loop);
        if (error != 0) return (Err){ERR_SYSTEM, error, "cannot start a gateway thread"};
    }
    return SUCCESS;
}

static Err gateway_start(Gateway *gateway, uint32_t threads, Reason *reason) {
    TRY(gateway_renew(gateway, gateway->options.ticket_key, reason));
    for (; gateway->loop_count < threads; gateway->loop_count++)
        TRY(gateway_loop_open(gateway, &gateway->loops[gateway->loop_count]));
    TRY(gateway_listener_open(gateway, reason));
    return gateway_threads_start(gateway);
}

/// What was left out is as gateway.h says.
static GatewayOptions gateway_options_whole(const GatewayOptions *given) {
    GatewayOptions options = *given;
    if (!options.reply_max_bytes) options.reply_max_bytes = options.message_max_bytes;
    if (!options.web_ms) options.web_ms = options.handshake_ms;
    if (given->path) return options;
    options.path = options.protocol = "";
    options.first_max_bytes = options.message_max_bytes = options.messages_per_minute_max = 1;
    options.reply_max_bytes = PIECES_MAX;
    options.silence_ms = options.handshake_ms;
    return options;
}

Err gateway_open(const GatewayOptions *options,
                 WorkerPool *workers,
                 Gateway **ret_gateway,
                 Reason *reason) {
    assert(options->threads >= 1 && options->threads <= 16);
    assert(!options->path
           || (options->messages_per_minute_max >= 1 && options->first_max_bytes >= 1
               && options->first_max_bytes <= options->message_max_bytes));
    Gateway *gateway = calloc(1, sizeof(*gateway) + options->threads * sizeof(gateway->loops[0]));
    if (!gateway) return FAIL(ERR_MEMORY, "no memory for the gateway");
    gateway->options = gateway_options_whole(options);
    gateway_tls_init(gateway);
    gateway->workers = workers;
    gateway->listen_fd = -1;
    *ret_gateway = gateway;
    Err err = addresses_open(&gateway->addresses,
                             options->connections_max + NEWCOMERS_MAX,
                             options->connections_per_address_max);
    if (err.code == OK) err = gateway_start(gateway, options->threads, reason);
    if (err.code != OK) *ret_gateway = gateway_close(gateway);
    return err;
}

uint16_t gateway_port(const Gateway *gateway) {
    return gateway->port;
}

/// The loop of a channel; NULL for a number that never was one.
static GatewayLoop *gateway_loop_of(Gateway *gateway, ChannelId channel) {
    uint64_t index = channel >> SLOT_NUMBER_BITS;
    return index < gateway->loop_count ? &gateway->loops[index] : NULL;
}

void gateway_send(Gateway *gateway, ChannelId channel, Str message) {
    GatewayLoop *loop = gateway_loop_of(gateway, channel);
    SendMail *send = loop ? malloc(sizeof(*send) + message.len) : NULL;
    if (!send) return;
    *send =
        (SendMail){.mail = {.kind = MAIL_SEND}, .number = conn_number(channel), .len = message.len};
    if (message.len > 0) memcpy(send->bytes, message.ptr, message.len);
    mailbox_post(&loop->mailbox, &send->mail);
}

void gateway_drop(Gateway *gateway, ChannelId channel, uint16_t status, Str reason) {
    GatewayLoop *loop = gateway_loop_of(gateway, channel);
    DropMail *drop = loop ? malloc(sizeof(*drop)) : NULL;
    if (!drop) return;
    *drop =
        (DropMail){.mail = {.kind = MAIL_DROP}, .number = conn_number(channel), .status = status};
    drop->reason_len = reason.len < REASON_MAX ? reason.len : REASON_MAX;
    if (drop->reason_len > 0) memcpy(drop->reason, reason.ptr, drop->reason_len);
    mailbox_post(&loop->mailbox, &drop->mail);
}

GatewayStats gateway_stats(const Gateway *gateway) {
    return (GatewayStats){.open = atomic_load(&gateway->open),
                          .accepted = atomic_load(&gateway->accepted),
                          .refused = atomic_load(&gateway->refused),
                          .resumed = atomic_load(&gateway->resumed)};
}

void gateway_quiesce(Gateway *gateway) {
    // It stays open until the loops are gone, but refuses connections from now on.
    shutdown(gateway->listen_fd, SHUT_RDWR);
    if (atomic_exchange(&gateway->is_quiet, true)) return;
    for (uint32_t i = 0; i < gateway->running; i++)
        mailbox_post(&gateway->loops[i].mailbox, &gateway->loops[i].quiet);
}

Gateway *gateway_close(Gateway *gateway) {
    if (!gateway) return NULL;
    if (gateway->listen_fd >= 0) gateway_quiesce(gateway);
    for (uint32_t i = 0; i < gateway->running; i++)
        mailbox_post(&gateway->loops[i].mailbox, &gateway->loops[i].stop);
    for (uint32_t i = 0; i < gateway->running; i++)
        pthread_join(gateway->loops[i].thread, NULL);
    if (gateway->listen_fd >= 0) close(gateway->listen_fd);
    for (uint32_t i = 0; i < gateway->loop_count; i++)
        gateway_loop_close(&gateway->loops[i]);
    gateway_tls_done(gateway);
    addresses_close(&gateway->addresses);
    free(gateway);
    return NULL;
}
