// SPDX-License-Identifier: Apache-2.0
#include "channel/client.h"

#include "channel/stream.h"
#include "http1/frame.h"
#include "http1/head.h"
#include "http1/upgrade.h"
#include "io/source.h"

#include <assert.h>
#include <errno.h>
#include <gnutls/crypto.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_MAX = 16 * 1024, UNSENT_MESSAGES = 4, UNSENT_SLACK = 1024 + UPGRADE_HEAD_MAX };

//   CONNECTING -> HANDSHAKE -> ASKED -> OPEN -> GONE; any may go to GONE at once.
typedef enum ClientState {
    CLIENT_CONNECTING, ///< TCP
    CLIENT_HANDSHAKE,  ///< TLS
    CLIENT_ASKED,      ///< the upgrade was asked for
    CLIENT_OPEN,
    CLIENT_GONE,
} ClientState;

struct ChannelClient {
    Stream stream;
    struct event timer; ///< of the handshake, then of half the silence
    ChannelClientOptions options;
    ClientState state;
    bool is_pinged; ///< the server owes a frame
    bool *is_freed; ///< set while a handler runs: the owner closed us in it
    FrameDecoder decoder;
    Text head; ///< of the answer
    char *host, *path, *protocol;
    char key[UPGRADE_KEY_LEN + 1];
    Reason said; ///< by the system or the TLS library, about why it ends
};

static void client_timer_start(ChannelClient *client, uint64_t ms) {
    const struct timeval duration = stream_timeval(ms);
    event_add(&client->timer, &duration);
}

/// A fresh mask, as a client owes each frame (RFC 6455 section 5.3).
static void client_mask_make(uint8_t ret_mask[4]) {
    int rc = gnutls_rnd(GNUTLS_RND_NONCE, ret_mask, 4);
    assert(rc == 0);
}

static void client_say(ChannelClient *client, FrameOpcode opcode, Str payload) {
    uint8_t mask[4];
    client_mask_make(mask);
    frame_encode(&client->stream.unsent, opcode, payload, mask);
}

static void client_say_close(ChannelClient *client, uint16_t status) {
    uint8_t mask[4];
    client_mask_make(mask);
    frame_encode_close(&client->stream.unsent, status, (Str){}, mask);
    Err err = stream_flush(&client->stream);
    (void)err; // best effort: it ends either way
}

/// Which peer a failure is about, and what was `said` of it.
static Err
client_peer_fail(const ChannelClientOptions *options, Err err, Reason said, Reason *reason) {
    Str host = str_from(options->host);
    return reason_fail(reason,
                       err,
                       HOST_SPEC ":%u%s%s",
                       HOST_FMT(host),
                       options->port,
                       said.text[0] ? ": " : "",
                       said.text);
}

/// The connection is over; the server said `status`, 0 if it said nothing. `client` may be gone
/// afterwards.
static void
client_end_with(ChannelClient *client, Err why, uint16_t status, uint64_t retry_after_s) {
    if (client->state == CLIENT_GONE) return;
    client->state = CLIENT_GONE;
    event_del(&client->timer);
    stream_done(&client->stream);
    why = client_peer_fail(&client->options, why, client->said, &client->said);
    client->options.handlers.closed(client->options.app, why, status, retry_after_s, &client->said);
}

static void client_end(ChannelClient *client, Err why) {
    client_end_with(client, why, 0, 0);
}

static Err client_refusal(uint16_t status) {
    return FAIL(err_from_http_status(status), "the server refuses the channel");
}

static void client_ask(ChannelClient *client) {
    const ChannelClientOptions *options = &client->options;
    upgrade_key_make(client->key);
    upgrade_ask(&client->stream.unsent,
                str_from(client->host),
                options->port,
                str_from(client->path),
                str_from(client->protocol),
                str_from(client->key));
    client->state = CLIENT_ASKED;
}

static void client_heard(ChannelClient *client) {
    client->is_pinged = false;
    client_timer_start(client, client->options.silence_ms / 2);
}

/// The server's answer, as far as it has come; what follows it stays in `input`. False: it ended.
static bool client_take_head(ChannelClient *client, Str *input) {
    size_t seen = client->head.len;
    text_add(&client->head, *input);
    if (client->head.failed) {
        client_end(client, FAIL(ERR_UNAVAILABLE, "the server's answer is too long"));
        return false;
    }
    size_t len = 0;
    if (head_find(text_str(&client->head), seen, &len).status) {
        client_end(client, FAIL(ERR_UNAVAILABLE, "the server's answer is not HTTP/1.1"));
        return false;
    }
    if (len == 0) {
        *input = (Str){};
        return true;
    }
    *input = str_slice(*input, len - seen, input->len);
    UpgradeAnswer answer = {};
    Err err = upgrade_answer_parse(str_slice(text_str(&client->head), 0, len),
                                   str_from(client->key),
                                   str_from(client->protocol),
                                   &answer);
    if (err.code != OK) err = FAIL(ERR_UNAVAILABLE, err.what);
    if (err.code == OK && answer.status != UPGRADE_ACCEPTED) err = client_refusal(answer.status);
    if (err.code != OK) {
        client_end_with(client, err, 0, answer.retry_after_s);
        return false;
    }
    text_done(&client->head);
    client->state = CLIENT_OPEN;
    client_heard(client);
    client->options.handlers.opened(client->options.app);
    return true;
}

static void client_take_close(ChannelClient *client, uint16_t status) {
    Err why = status == FRAME_TRY_LATER ? FAIL(ERR_BUSY, "the server is busy")
                                        : FAIL(ERR_UNAVAILABLE, "the server ended the channel");
    client_say_close(client, status);
    client_end_with(client, why, status == FRAME_NO_STATUS ? 0 : status, 0);
}

static void client_take_frame(ChannelClient *client, Str *input) {
    FrameEvent event = frame_decode(&client->decoder, input);
    switch (event.kind) {
    case FRAME_EVENT_NONE:
        return;
    case FRAME_EVENT_PONG:
        client_heard(client);
        return;
    case FRAME_EVENT_PING:
        client_heard(client);
        client_say(client, FRAME_PONG, event.payload);
        return;
    case FRAME_EVENT_MESSAGE:
        client_heard(client);
        client->options.handlers.message(client->options.app, event.payload);
        return;
    case FRAME_EVENT_CLOSE:
        client_take_close(client, event.status);
        return;
    case FRAME_EVENT_FAULT:
        client_say_close(client, event.status);
        client_end(client, FAIL(ERR_UNAVAILABLE, "the server broke the protocol"));
        return;
    }
}

/// Take in what was read. Stops at once when the owner closed the client in a handler.
static void client_take(ChannelClient *client, Str input, const bool *is_freed) {
    while (!*is_freed && input.len > 0) {
        if (client->state == CLIENT_ASKED) {
            client_take_head(client, &input);
        } else if (client->state == CLIENT_OPEN) {
            client_take_frame(client, &input);
        } else {
            return;
        }
    }
}

static Err client_read_some(ChannelClient *client, const bool *is_freed) {
    char bytes[READ_MAX];
    size_t len = 0;
    StreamRead got = STREAM_LATER;
    TRY(stream_read(&client->stream, bytes, sizeof(bytes), &len, &got));
    if (got == STREAM_END) return FAIL(ERR_UNAVAILABLE, "the server closed the connection");
    if (got == STREAM_DATA) client_take(client, (Str){bytes, len}, is_freed);
    return SUCCESS;
}

static Err client_connected(ChannelClient *client) {
    int error = 0;
    socklen_t len = sizeof(error);
    if (getsockopt(client->stream.fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) error = errno;
    if (error != 0)
        return reason_fail(&client->said,
                           FAIL(ERR_UNAVAILABLE, "nobody answers at the channel's address"),
                           "%s",
                           strerror(error));
    client->state = CLIENT_HANDSHAKE;
    if (client->options.tls)
        TRY(stream_secure(&client->stream, client->options.tls, str_from(client->host)));
    return SUCCESS;
}

static Err client_shake_hands(ChannelClient *client) {
    bool is_done = false;
    TRY(stream_handshake(&client->stream, &is_done, &client->said));
    if (is_done) client_ask(client);
    return SUCCESS;
}

static Err client_step(ChannelClient *client, const bool *is_freed) {
    if (client->state == CLIENT_CONNECTING) TRY(client_connected(client));
    if (client->state == CLIENT_HANDSHAKE) return client_shake_hands(client);
    return client_read_some(client, is_freed);
}

/// Send what there is and wait for what is needed.
static void client_go_on(ChannelClient *client) {
    Err err = stream_flush(&client->stream);
    if (err.code != OK) {
        client_end(client, FAIL(ERR_UNAVAILABLE, "the connection broke"));
        return;
    }
    stream_arm(&client->stream, true);
}

static void client_on_ready(evutil_socket_t, short, void *arg) {
    ChannelClient *client = arg;
    bool is_freed = false;
    client->is_freed = &is_freed;
    Err err = client_step(client, &is_freed);
    if (!is_freed && err.code != OK) client_end(client, err);
    if (is_freed) return;
    client->is_freed = NULL;
    if (client->state != CLIENT_GONE) client_go_on(client);
}

static void client_on_timeout(evutil_socket_t, short, void *arg) {
    ChannelClient *client = arg;
    if (client->state != CLIENT_OPEN) {
        client_end(client, FAIL(ERR_TIMEOUT, "the channel does not come about"));
    } else if (client->is_pinged) {
        client_end(client, FAIL(ERR_TIMEOUT, "the server is silent"));
    } else {
        client->is_pinged = true;
        client_say(client, FRAME_PING, (Str){});
        client_timer_start(client, client->options.silence_ms / 2);
        client_go_on(client);
    }
}

/// A socket that is connecting to the first address of the host.
static Err client_socket_connect(const ChannelClientOptions *options, int *ret_fd, Reason *reason) {
    char port[8];
    snprintf(port, sizeof(port), "%u", options->port);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(options->host, port, &hints, &found);
    if (rc != 0)
        return reason_fail(reason,
                           FAIL(ERR_UNAVAILABLE, "the channel's host name is not known"),
                           "%s",
                           gai_strerror(rc));
    Err err = FAIL(ERR_UNAVAILABLE, "nobody answers at the channel's address");
    for (struct addrinfo *at = found; at && err.code != OK; at = at->ai_next) {
        int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0) continue;
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        err = source_bind(fd, options->source);
        if (err.code == OK && connect(fd, at->ai_addr, at->ai_addrlen) != 0 && errno != EINPROGRESS)
            err = FAIL(ERR_UNAVAILABLE, "nobody answers at the channel's address");
        if (err.code == OK) {
            *ret_fd = fd;
        } else {
            reason_set(reason, "%s", strerror(errno));
            close(fd);
        }
    }
    freeaddrinfo(found);
    return err;
}

static void client_free(ChannelClient *client) {
    text_done(&client->head);
    frame_decoder_done(&client->decoder);
    free(client->host);
    free(client->path);
    free(client->protocol);
    free(client);
}

static Err client_make(const ChannelClientOptions *options, ChannelClient **ret_client) {
    ChannelClient *client = calloc(1, sizeof(*client));
    if (!client) return FAIL(ERR_MEMORY, "no memory for a channel");
    client->options = *options;
    client->host = strdup(options->host);
    client->path = strdup(options->path);
    client->protocol = strdup(options->protocol);
    if (!client->host || !client->path || !client->protocol) {
        client_free(client);
        return FAIL(ERR_MEMORY, "no memory for a channel");
    }
    client->options.host = client->host;
    text_init(&client->head, UPGRADE_HEAD_MAX + READ_MAX);
    frame_decoder_init(&client->decoder, false, options->message_max_bytes);
    *ret_client = client;
    return SUCCESS;
}

Err channel_client_open(struct event_base *loop,
                        const ChannelClientOptions *options,
                        ChannelClient **ret_client,
                        Reason *reason) {
    ChannelClient *client = NULL;
    TRY(client_make(options, &client));
    int fd = -1;
    Reason said = {};
    Err err = client_socket_connect(options, &fd, &said);
    if (err.code != OK) {
        client_free(client);
        return client_peer_fail(options, err, said, reason);
    }
    size_t unsent_max =
        UNSENT_MESSAGES * ((size_t)options->message_max_bytes + FRAME_HEAD_MAX) + UNSENT_SLACK;
    stream_init(&client->stream, loop, fd, unsent_max, client_on_ready, client);
    event_assign(&client->timer, loop, -1, 0, client_on_timeout, client);
    client_timer_start(client, options->handshake_ms);
    client->stream.read_wants = EV_WRITE; // a socket that is connected can be written to
    stream_arm(&client->stream, true);
    client->stream.read_wants = EV_READ;
    *ret_client = client;
    return SUCCESS;
}

Err channel_client_send(ChannelClient *client, Str message) {
    if (client->state != CLIENT_OPEN) return FAIL(ERR_STATE, "the channel is not open");
    if (message.len > client->options.message_max_bytes)
        return FAIL(ERR_LIMIT, "the message is too long for the channel");
    client_say(client, FRAME_TEXT, message);
    TRY(text_check(&client->stream.unsent));
    stream_arm(&client->stream, true); // the loop sends it: no handler runs within this call
    return SUCCESS;
}

Err channel_client_binding(const ChannelClient *client, uint8_t ret_binding[TLS_BINDING_LEN]) {
    if (!client->stream.tls) return FAIL(ERR_STATE, "the channel has no TLS session");
    return tls_session_binding(client->stream.tls, ret_binding);
}

ChannelClient *channel_client_close(ChannelClient *client) {
    if (!client) return NULL;
    if (client->is_freed) *client->is_freed = true;
    if (client->state == CLIENT_OPEN) client_say_close(client, FRAME_GOING_AWAY);
    client->state = CLIENT_GONE;
    event_del(&client->timer);
    stream_done(&client->stream);
    client_free(client);
    return NULL;
}
