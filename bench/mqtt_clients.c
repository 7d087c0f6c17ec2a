// SPDX-License-Identifier: Apache-2.0
/// Many MQTT clients over TLS, QoS 1: what devices are to a broker.
///
/// usage: mqtt_clients publish|listen PORT CA_FILE COUNT BYTES
///
/// publish: each sends a message of BYTES about each second, the next one only when the last was
/// acknowledged. listen: each subscribes to one topic; a line on standard input sends one message
/// to it. Says each second how far they are, as JSON; ends with its standard input.
#include "base/clock.h"
#include "base/scope.h"
#include "base/str.h"
#include "io/file.h"
#include "io/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum {
    SHARE_AIM = 500, ///< clients of a process
    COUNT_MAX = 20'000,
    PAYLOAD_MAX = 4096,
    PACKET_MAX = PAYLOAD_MAX + 64,
    EVERY_MS = 1000,
    LOOK_MS = 5,
    CA_MAX = 64 * 1024,
    PACKET_CONNACK = 0x20,
    PACKET_PUBLISH = 0x30,
    PACKET_PUBACK = 0x40,
    PACKET_SUBACK = 0x90,
};

typedef struct Packet {
    uint8_t bytes[PACKET_MAX];
    size_t len;
} Packet;

/// What all processes count, in shared memory.
typedef struct Counts {
    atomic_uint_fast64_t open;
    atomic_uint_fast64_t messages; ///< acknowledged to, or by, a client
    atomic_uint_fast64_t last_us;  ///< when the last of them was, monotonic
    atomic_uint_fast64_t failed;   ///< connections that ended
} Counts;

typedef struct Options {
    bool listens;
    uint16_t port;
    uint64_t count, bytes;
    TlsContext *tls;
    Counts *counts;
} Options;

typedef struct Client {
    int fd;
    Tls *tls;
    uint64_t due_ms;
    bool is_waiting;
    Packet in; ///< what has come of the next packets
} Client;

static uint64_t mqtt_now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1'000'000 + (uint64_t)now.tv_nsec / 1000;
}

/// --- packets ---

static void packet_add(Packet *packet, const void *bytes, size_t len) {
    if (len > sizeof(packet->bytes) - packet->len) abort();
    memcpy(packet->bytes + packet->len, bytes, len);
    packet->len += len;
}

static void packet_text(Packet *packet, const char *text) {
    size_t len = strlen(text);
    packet_add(packet, (const uint8_t[]){(uint8_t)(len >> 8), (uint8_t)len}, 2);
    packet_add(packet, text, len);
}

/// The kind and the length go before what `body` has.
static void packet_head(Packet *packet, uint8_t kind, const Packet *body) {
    packet->len = 0;
    packet_add(packet, &kind, 1);
    size_t rest = body->len;
    do {
        uint8_t byte = (uint8_t)(rest % 128 | (rest >= 128 ? 128 : 0));
        packet_add(packet, &byte, 1);
        rest /= 128;
    } while (rest > 0);
    packet_add(packet, body->bytes, body->len);
}

static void packet_publish(Packet *packet, const char *topic, size_t bytes) {
    static const uint8_t payload[PAYLOAD_MAX];
    Packet body = {};
    packet_text(&body, topic);
    packet_add(&body, (const uint8_t[]){0, 1}, 2);
    packet_add(&body, payload, bytes);
    packet_head(packet, PACKET_PUBLISH | 2, &body);
}

/// The length of the packet that begins the input; 0: it is not whole yet.
static size_t packet_whole(const Packet *in) {
    size_t rest = 0;
    for (size_t i = 1; i < in->len && i < 5; i++) {
        rest |= (size_t)(in->bytes[i] & 127) << (7 * (i - 1));
        if (in->bytes[i] & 128) continue;
        return in->len >= i + 1 + rest ? i + 1 + rest : 0;
    }
    return 0;
}

/// --- a client ---

static bool client_wait(const Client *client, TlsWant want) {
    struct pollfd one = {.fd = client->fd, .events = want == TLS_WANT_READ ? POLLIN : POLLOUT};
    return poll(&one, 1, 20'000) == 1;
}

static bool client_send(Client *client, const Packet *packet) {
    for (size_t sent = 0; sent < packet->len;) {
        size_t len = 0;
        TlsWant want = TLS_DONE;
        if (tls_write(client->tls, packet->bytes + sent, packet->len - sent, &len, &want).code
            != OK)
            return false;
        sent += len;
        if (want != TLS_DONE && !client_wait(client, want)) return false;
    }
    return true;
}

/// Take what has come; false: the connection is gone.
static bool client_receive(Client *client) {
    for (;;) {
        size_t len = 0;
        TlsWant want = TLS_DONE;
        Packet *in = &client->in;
        size_t room = sizeof(in->bytes) - in->len;
        if (tls_read(client->tls, in->bytes + in->len, room, &len, &want).code != OK) return false;
        if (want != TLS_DONE) return true;
        if (len == 0) return false;
        in->len += len;
        if (packet_whole(in) > 0 && !tls_pending(client->tls)) return true;
    }
}

/// The next whole packet's kind; 0: there is none.
static uint8_t client_next(Client *client) {
    size_t whole = packet_whole(&client->in);
    if (whole == 0) return 0;
    uint8_t kind = client->in.bytes[0] & 0xf0;
    client->in.len -= whole;
    memmove(client->in.bytes, client->in.bytes + whole, client->in.len);
    return kind;
}

/// Send, and wait for the answer of this kind.
static bool client_ask(Client *client, const Packet *packet, uint8_t answer) {
    if (!client_send(client, packet)) return false;
    uint8_t kind;
    while ((kind = client_next(client)) == 0)
        if (!client_wait(client, TLS_WANT_READ) || !client_receive(client)) return false;
    return kind == answer;
}

static bool client_shake(Client *client) {
    TlsWant want = TLS_DONE;
    do {
        if (tls_handshake(client->tls, &want, NULL).code != OK) return false;
    } while (want != TLS_DONE && client_wait(client, want));
    return want == TLS_DONE;
}

static bool client_hello(Client *client, uint64_t number, bool listens) {
    char name[32];
    snprintf(name, sizeof(name), "device-%llu", (unsigned long long)number);
    Packet body = {}, packet;
    packet_text(&body, "MQTT");
    packet_add(&body, (const uint8_t[]){4, 2, 0, 0}, 4); // 3.1.1, a clean session, no keep-alive
    packet_text(&body, name);
    packet_head(&packet, 0x10, &body);
    if (!client_ask(client, &packet, PACKET_CONNACK)) return false;
    if (!listens) return true;
    body.len = 0;
    packet_add(&body, (const uint8_t[]){0, 1}, 2);
    packet_text(&body, "fleet");
    packet_add(&body, (const uint8_t[]){1}, 1);
    packet_head(&packet, 0x82, &body);
    return client_ask(client, &packet, PACKET_SUBACK);
}

static bool client_open(Client *client, const Options *options, uint64_t number, bool listens) {
    *client = (Client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(options->port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int yes = 1;
    if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&to, sizeof(to)) != 0
        || setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) != 0
        || fcntl(client->fd, F_SETFL, O_NONBLOCK) != 0
        || tls_open(options->tls, client->fd, S("localhost"), &client->tls).code != OK)
        return false;
    return client_shake(client) && client_hello(client, number, listens);
}

static void client_publish(Client *client, const char *topic, uint64_t bytes) {
    Packet packet;
    packet_publish(&packet, topic, bytes);
    client->is_waiting = client_send(client, &packet);
}

/// --- a process of them ---

static void share_count(Counts *counts) {
    uint64_t now_us = mqtt_now_us();
    counts->messages++;
    uint64_t before = counts->last_us;
    while (before < now_us && !atomic_compare_exchange_weak(&counts->last_us, &before, now_us)) {
    }
}

static void share_take(Client *client, const Options *options) {
    static const Packet puback = {
        .bytes = {PACKET_PUBACK, 2, 0, 1},
          .len = 4
    };
    if (!client_receive(client)) {
        options->counts->failed++;
        close(client->fd);
        client->fd = -1;
        return;
    }
    for (uint8_t kind; (kind = client_next(client)) != 0;) {
        if (kind == PACKET_PUBLISH && !client_send(client, &puback)) continue;
        client->is_waiting = false;
        client->due_ms = clock_monotonic_ms() + EVERY_MS * 9 / 10 + (uint64_t)rand() % 200;
        share_count(options->counts);
    }
}

static void share_beat(Client *clients, size_t count, const Options *options) {
    uint64_t now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < count; i++)
        if (clients[i].fd >= 0 && !clients[i].is_waiting && clients[i].due_ms <= now_ms)
            client_publish(&clients[i], "telemetry/of/a/device", options->bytes);
}

_Noreturn static void share_run(const Options *options, uint64_t first, uint64_t count) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    srand((unsigned)first + 1);
    Client *clients = calloc(count, sizeof(*clients));
    int loop = epoll_create1(EPOLL_CLOEXEC);
    if (!clients || loop < 0) exit(1);
    for (uint64_t i = 0; i < count; i++) {
        if (!client_open(&clients[i], options, first + i, options->listens)) exit(1);
        clients[i].due_ms = clock_monotonic_ms() + (uint64_t)rand() % EVERY_MS;
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};
        epoll_ctl(loop, EPOLL_CTL_ADD, clients[i].fd, &event);
        options->counts->open++;
    }
    for (;;) {
        struct epoll_event events[64];
        int ready = epoll_wait(loop, events, 64, LOOK_MS);
        for (int i = 0; i < ready; i++)
            share_take(&clients[events[i].data.u64], options);
        if (!options->listens) share_beat(clients, count, options);
    }
}

/// --- all of them ---

static void clients_say(const Options *options, uint64_t asked_us) {
    const Counts *counts = options->counts;
    uint64_t last_us = counts->last_us;
    printf("{\"open\":%llu,\"messages\":%llu,\"failed\":%llu,\"took_us\":%llu}\n",
           (unsigned long long)counts->open,
           (unsigned long long)counts->messages,
           (unsigned long long)counts->failed,
           (unsigned long long)(last_us > asked_us ? last_us - asked_us : 0));
    fflush(stdout);
}

static int clients_watch(const Options *options) {
    Client speaker = {};
    if (options->listens && !client_open(&speaker, options, COUNT_MAX, false)) return 1;
    uint64_t asked_us = 0;
    for (;;) {
        struct pollfd one = {.fd = STDIN_FILENO, .events = POLLIN};
        if (poll(&one, 1, EVERY_MS) == 1) {
            char line[64];
            if (read(STDIN_FILENO, line, sizeof(line)) <= 0) return 0;
            asked_us = mqtt_now_us();
            if (options->listens) client_publish(&speaker, "fleet", options->bytes);
        }
        clients_say(options, asked_us);
    }
}

static bool clients_options(char **arguments, Options *ret_options) {
    uint64_t port;
    *ret_options = (Options){.listens = strcmp(arguments[1], "listen") == 0};
    return (ret_options->listens || strcmp(arguments[1], "publish") == 0)
           && str_u64(str_from(arguments[2]), &port).code == OK && port <= UINT16_MAX
           && str_u64(str_from(arguments[4]), &ret_options->count).code == OK
           && str_u64(str_from(arguments[5]), &ret_options->bytes).code == OK
           && ret_options->count < COUNT_MAX && ret_options->bytes <= PAYLOAD_MAX
           && (ret_options->port = (uint16_t)port) > 0;
}

static Err clients_trust(const char *path, TlsContext **ret_tls) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 2 * CA_MAX);
    Str pem;
    TRY(file_load(path, CA_MAX, &arena, &pem, NULL));
    return tls_client_context_open(pem, ret_tls);
}

int main(int count, char **arguments) {
    Options options;
    if (count != 6 || !clients_options(arguments, &options)) {
        fputs("usage: mqtt_clients publish|listen PORT CA_FILE COUNT BYTES\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    options.counts =
        mmap(NULL, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (options.counts == MAP_FAILED || clients_trust(arguments[3], &options.tls).code != OK) {
        fputs("mqtt_clients: no memory, or no certificate\n", stderr);
        return 1;
    }
    for (uint64_t first = 0; first < options.count; first += SHARE_AIM) {
        uint64_t rest = options.count - first;
        pid_t pid = fork();
        if (pid == 0) share_run(&options, first, rest < SHARE_AIM ? rest : SHARE_AIM);
        if (pid < 0) return 1;
    }
    return clients_watch(&options);
}
