// SPDX-License-Identifier: Apache-2.0
#include "http1/upgrade.h"

#include "http1/head.h"

#include <assert.h>
#include <gnutls/crypto.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { SHA1_LEN = 20, ACCEPT_LEN = 28, NONCE_LEN = 16 };

static bool upgrade_key_is_good(Str key) {
    uint8_t nonce[NONCE_LEN];
    size_t len = 0;
    if (key.len != UPGRADE_KEY_LEN) return false;
    return sodium_base642bin(nonce,
                             sizeof(nonce),
                             key.ptr,
                             key.len,
                             NULL,
                             &len,
                             NULL,
                             sodium_base64_VARIANT_ORIGINAL)
               == 0
           && len == NONCE_LEN;
}

/// Fields that may be there once each; repeated ones are refused.
typedef struct UpgradeFields {
    Str upgrade, version, key, accept, extensions;
} UpgradeFields;

static bool upgrade_fields_read(const HeadFields *fields, UpgradeFields *ret_fields) {
    return head_one(fields, S("Upgrade"), &ret_fields->upgrade)
           && head_one(fields, S("Sec-WebSocket-Version"), &ret_fields->version)
           && head_one(fields, S("Sec-WebSocket-Key"), &ret_fields->key)
           && head_one(fields, S("Sec-WebSocket-Accept"), &ret_fields->accept)
           && head_one(fields, S("Sec-WebSocket-Extensions"), &ret_fields->extensions);
}

static bool upgrade_is_to_websocket(const HeadFields *fields) {
    return head_has(fields, S("Upgrade"), S("websocket"), true)
           && head_has(fields, S("Connection"), S("upgrade"), true);
}

static UpgradeVerdict upgrade_bad(const char *detail) {
    return (UpgradeVerdict){UPGRADE_BAD_REQUEST, detail};
}

/// A client that does not offer our subprotocol speaks WebSocket, so 426 (RFC 9110 section 15.5.22:
/// upgrade to another protocol) would tell it to do what it does. Its handshake lacks what is
/// required here, and for that RFC 6455 section 4.2.1 has 400. What would do is named in the same
/// header, as section 4.4 does for the version.
UpgradeVerdict upgrade_request_parse(Str bytes, Str path, Str protocol, Str *ret_key) {
    RequestHead request;
    UpgradeFields fields;
    HeadVerdict verdict = head_read_request(bytes, &request);
    if (verdict.status) return upgrade_bad(verdict.detail);
    if (request.head.minor == 0) return upgrade_bad("the version of HTTP is not 1.1");
    const HeadFields *all = &request.head.fields;
    if (!upgrade_fields_read(all, &fields)) return upgrade_bad("a field is repeated");
    if (request.head.body == BODY_CHUNKED || request.head.length > 0)
        return upgrade_bad("the request has a body");
    if (request.query.ptr || !str_eq(request.path, path))
        return (UpgradeVerdict){UPGRADE_NOT_FOUND, "there is no such path"};
    if (!str_eq(request.method, S("GET")))
        return (UpgradeVerdict){UPGRADE_BAD_METHOD, "the method is not GET"};
    if (!upgrade_is_to_websocket(all) || !str_eq(fields.version, S("13")))
        return (UpgradeVerdict){UPGRADE_REQUIRED,
                                "the request asks for no WebSocket of version 13"};
    if (!upgrade_key_is_good(fields.key))
        return upgrade_bad("Sec-WebSocket-Key is not 16 bytes in base64");
    if (!head_has(all, S("Sec-WebSocket-Protocol"), protocol, false))
        return upgrade_bad("Sec-WebSocket-Protocol does not offer what is spoken here");
    *ret_key = fields.key;
    return (UpgradeVerdict){.status = UPGRADE_ACCEPTED};
}

/// What a server that speaks WebSocket answers to `key` (RFC 6455 section 4.2.2).
static void upgrade_accept_of(Str key, char ret_accept[ACCEPT_LEN + 1]) {
    static const Str guid = S("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    char text[UPGRADE_KEY_LEN + 36];
    uint8_t digest[SHA1_LEN];
    assert(key.len == UPGRADE_KEY_LEN && sizeof(text) == key.len + guid.len);
    memcpy(text, key.ptr, key.len);
    memcpy(text + key.len, guid.ptr, guid.len);
    int rc = gnutls_hash_fast(GNUTLS_DIG_SHA1, text, sizeof(text), digest);
    assert(rc == 0); // the arguments are always the same sizes
    sodium_bin2base64(
        ret_accept, ACCEPT_LEN + 1, digest, sizeof(digest), sodium_base64_VARIANT_ORIGINAL);
}

void upgrade_accept(Text *out, Str key, Str protocol) {
    char accept[ACCEPT_LEN + 1];
    upgrade_accept_of(key, accept);
    text_print(out,
               "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
               "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
               "Sec-WebSocket-Protocol: %.*s\r\n\r\n",
               accept,
               STR_FMT(protocol));
}

typedef struct Refusal {
    UpgradeStatus status;
    bool names_protocol;
    const char *title;
    const char *code;
    const char *headers;
} Refusal;

static const Refusal refusals[] = {
    {UPGRADE_BAD_REQUEST,  true,  "Bad Request",                     "invalid",   ""                                                   },
    {UPGRADE_NOT_FOUND,    false, "Not Found",                       "not_found", ""                                                   },
    {UPGRADE_BAD_METHOD,   false, "Method Not Allowed",              "invalid",   "Allow: GET\r\n"                                     },
    {UPGRADE_REQUIRED,
     true,                        "Upgrade Required",
     "invalid",                                                                   "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"},
    {UPGRADE_HEAD_TOO_BIG, false, "Request Header Fields Too Large", "limit",     ""                                                   },
};

void upgrade_refuse(Text *out, UpgradeVerdict verdict, Str protocol) {
    const Refusal *refusal = refusals;
    while (refusal->status != verdict.status) {
        refusal++;
        assert(refusal < refusals + sizeof(refusals) / sizeof(refusals[0]));
    }
    char body[256];
    int len = snprintf(body,
                       sizeof(body),
                       "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,"
                       "\"code\":\"%s\",\"detail\":\"%s\"}\n",
                       refusal->title,
                       (int)verdict.status,
                       refusal->code,
                       verdict.detail);
    assert(len > 0 && (size_t)len < sizeof(body));
    text_print(out, "HTTP/1.1 %d %s\r\n%s", (int)verdict.status, refusal->title, refusal->headers);
    if (refusal->names_protocol)
        text_print(out, "Sec-WebSocket-Protocol: %.*s\r\n", STR_FMT(protocol));
    text_print(out,
               "Content-Type: application/problem+json\r\n"
               "Content-Length: %d\r\nConnection: close\r\n\r\n%s",
               len,
               body);
}

void upgrade_key_make(char ret_key[UPGRADE_KEY_LEN + 1]) {
    uint8_t nonce[NONCE_LEN];
    randombytes_buf(nonce, sizeof(nonce));
    sodium_bin2base64(
        ret_key, UPGRADE_KEY_LEN + 1, nonce, sizeof(nonce), sodium_base64_VARIANT_ORIGINAL);
}

void upgrade_ask(Text *out, Str host, uint16_t port, Str path, Str protocol, Str key) {
    text_print(out,
               "GET %.*s HTTP/1.1\r\nHost: " HOST_SPEC ":%u\r\nUpgrade: websocket\r\n"
               "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %.*s\r\n"
               "Sec-WebSocket-Protocol: %.*s\r\n\r\n",
               STR_FMT(path),
               HOST_FMT(host),
               port,
               STR_FMT(key),
               STR_FMT(protocol));
}

/// Why a 101 is none to this key and protocol; NULL: it is one.
static const char *upgrade_answer_fault(const HeadFields *all, Str key, Str protocol) {
    UpgradeFields fields;
    Str agreed;
    char accept[ACCEPT_LEN + 1];
    upgrade_accept_of(key, accept);
    if (!upgrade_fields_read(all, &fields) || !upgrade_is_to_websocket(all) || fields.extensions.ptr
        || !str_eq(fields.accept, str_from(accept)))
        return "the server's answer is not an upgrade to WebSocket";
    if (!head_one(all, S("Sec-WebSocket-Protocol"), &agreed) || !str_eq(agreed, protocol))
        return "the server does not agree to the channel's protocol";
    return NULL;
}

Err upgrade_answer_parse(Str bytes, Str key, Str protocol, UpgradeAnswer *ret_answer) {
    ReplyHead reply;
    if (head_read_reply(bytes, false, &reply).status || reply.head.minor == 0)
        return FAIL(ERR_INVALID, "the server's answer is not HTTP/1.1");
    const HeadFields *all = &reply.head.fields;
    UpgradeAnswer answer = {.status = reply.status};
    if (reply.status == UPGRADE_ACCEPTED) {
        const char *fault = upgrade_answer_fault(all, key, protocol);
        if (fault) return FAIL(ERR_INVALID, fault);
    } else {
        answer.retry_after_s = head_retry_after_s(all);
    }
    *ret_answer = answer;
    return SUCCESS;
}
