// SPDX-License-Identifier: Apache-2.0
#include "http1/upgrade.h"

#include <assert.h>
#include <gnutls/crypto.h>
#include <http_parser.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { SHA1_LEN = 20, ACCEPT_LEN = 28, NONCE_LEN = 16 };

/// Headers that mean something here; all others are skipped.
typedef enum HeadField {
    HEAD_HOST,
    HEAD_UPGRADE,
    HEAD_CONNECTION,
    HEAD_KEY,
    HEAD_VERSION,
    HEAD_ACCEPT,
    HEAD_PROTOCOL,
    HEAD_RETRY_AFTER,
    HEAD_CONTENT_LENGTH,
    HEAD_TRANSFER_ENCODING,
    HEAD_EXTENSIONS,
    HEAD_FIELD_COUNT
} HeadField;

static const char *const field_names[HEAD_FIELD_COUNT] = {
    [HEAD_HOST] = "Host",
    [HEAD_UPGRADE] = "Upgrade",
    [HEAD_CONNECTION] = "Connection",
    [HEAD_KEY] = "Sec-WebSocket-Key",
    [HEAD_VERSION] = "Sec-WebSocket-Version",
    [HEAD_ACCEPT] = "Sec-WebSocket-Accept",
    [HEAD_PROTOCOL] = "Sec-WebSocket-Protocol",
    [HEAD_RETRY_AFTER] = "Retry-After",
    [HEAD_CONTENT_LENGTH] = "Content-Length",
    [HEAD_TRANSFER_ENCODING] = "Transfer-Encoding",
    [HEAD_EXTENSIONS] = "Sec-WebSocket-Extensions",
};

typedef struct Head {
    Str protocol;    // the one to look for
    bool is_offered; // by a request: it has `protocol`
    uint16_t status; // of an answer
    bool is_get;
    bool is_whole; // all headers were seen
    Str target;
    HeadField field; // whose value comes next; HEAD_FIELD_COUNT: one that is skipped
    bool in_value;   // a value was given for `field`
    Str fields[HEAD_FIELD_COUNT];
} Head;

static int upgrade_on_target(http_parser *parser, const char *at, size_t len) {
    Head *head = parser->data;
    head->target = (Str){at, len};
    return 0;
}

static bool upgrade_same_word(Str a, Str b) {
    return a.len == b.len && (a.len == 0 || strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

static int upgrade_on_field(http_parser *parser, const char *at, size_t len) {
    Head *head = parser->data;
    head->field = 0;
    head->in_value = false;
    while (head->field < HEAD_FIELD_COUNT
           && !upgrade_same_word((Str){at, len}, str_from(field_names[head->field])))
        head->field++;
    return 0;
}

/// `list` is comma separated and has `word`, as it is written or `in_any_case`.
static bool upgrade_list_has(Str list, Str word, bool in_any_case) {
    Str part;
    while (list.ptr && str_cut(&list, ',', &part)) {
        part = str_trim(part);
        if (in_any_case ? upgrade_same_word(part, word) : str_eq(part, word)) return true;
    }
    return false;
}

/// A second value for the same field is a folded or a repeated one: both are refused, but that a
/// request may offer its subprotocols in several fields.
static int upgrade_on_value(http_parser *parser, const char *at, size_t len) {
    Head *head = parser->data;
    Str value = str_trim((Str){at, len});
    bool is_folded = head->in_value;
    head->in_value = true;
    if (is_folded) return 1;
    if (head->field == HEAD_FIELD_COUNT) return 0;
    if (head->field == HEAD_PROTOCOL && parser->type == HTTP_REQUEST) {
        head->is_offered |= upgrade_list_has(value, head->protocol, false);
        return 0;
    }
    if (head->fields[head->field].ptr) return 1;
    head->fields[head->field] = value;
    return 0;
}

/// The head is all that is parsed: a body would be a fault of the peer.
static int upgrade_on_complete(http_parser *parser) {
    Head *head = parser->data;
    head->is_whole = true;
    return 2; // whatever follows is not HTTP
}

static bool
upgrade_head_parse(Str bytes, enum http_parser_type type, Str protocol, Head *ret_head) {
    static const http_parser_settings settings = {
        .on_url = upgrade_on_target,
        .on_header_field = upgrade_on_field,
        .on_header_value = upgrade_on_value,
        .on_headers_complete = upgrade_on_complete,
    };
    Head head = {.protocol = protocol};
    http_parser parser;
    http_parser_init(&parser, type);
    parser.data = &head;
    size_t taken = http_parser_execute(&parser, &settings, bytes.ptr, bytes.len);
    if (!head.is_whole || taken != bytes.len || HTTP_PARSER_ERRNO(&parser) != HPE_OK) return false;
    if (parser.http_major != 1 || parser.http_minor != 1) return false;
    head.is_get = type == HTTP_REQUEST && parser.method == HTTP_GET;
    head.status = (uint16_t)parser.status_code;
    *ret_head = head;
    return true;
}

static bool upgrade_has_word(Str list, Str word) {
    return upgrade_list_has(list, word, true);
}

size_t upgrade_head_len(Str bytes, size_t from) {
    static const Str end = S("\r\n\r\n");
    size_t at = from < end.len ? 0 : from - end.len;
    if (bytes.len - at < end.len) return 0;
    const char *found = memmem(bytes.ptr + at, bytes.len - at, end.ptr, end.len);
    return found ? (size_t)(found - bytes.ptr) + end.len : 0;
}

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

static bool upgrade_has_body(const Str fields[HEAD_FIELD_COUNT]) {
    return fields[HEAD_TRANSFER_ENCODING].ptr
           || (fields[HEAD_CONTENT_LENGTH].ptr && !str_eq(fields[HEAD_CONTENT_LENGTH], S("0")));
}

/// A client that does not offer our subprotocol speaks WebSocket, so 426 (RFC 9110 section 15.5.22:
/// upgrade to another protocol) would tell it to do what it does. Its handshake lacks what is
/// required here, and for that RFC 6455 section 4.2.1 has 400. What would do is named in the same
/// header, as section 4.4 does for the version.
UpgradeVerdict upgrade_request_parse(Str bytes, Str path, Str protocol, Str *ret_key) {
    Head head;
    if (!upgrade_head_parse(bytes, HTTP_REQUEST, protocol, &head))
        return (UpgradeVerdict){UPGRADE_BAD_REQUEST, "this is no request of HTTP/1.1"};
    const Str *fields = head.fields;
    if (upgrade_has_body(fields))
        return (UpgradeVerdict){UPGRADE_BAD_REQUEST, "the request has a body"};
    if (fields[HEAD_HOST].len == 0)
        return (UpgradeVerdict){UPGRADE_BAD_REQUEST, "the request names no host"};
    if (!str_eq(head.target, path))
        return (UpgradeVerdict){UPGRADE_NOT_FOUND, "there is no such path"};
    if (!head.is_get) return (UpgradeVerdict){UPGRADE_BAD_METHOD, "the method is not GET"};
    if (!upgrade_has_word(fields[HEAD_UPGRADE], S("websocket"))
        || !upgrade_has_word(fields[HEAD_CONNECTION], S("upgrade"))
        || !str_eq(fields[HEAD_VERSION], S("13")))
        return (UpgradeVerdict){UPGRADE_REQUIRED,
                                "the request asks for no WebSocket of version 13"};
    if (!upgrade_key_is_good(fields[HEAD_KEY]))
        return (UpgradeVerdict){UPGRADE_BAD_REQUEST, "Sec-WebSocket-Key is not 16 bytes in base64"};
    if (!head.is_offered)
        return (UpgradeVerdict){UPGRADE_BAD_REQUEST,
                                "Sec-WebSocket-Protocol does not offer what is spoken here"};
    *ret_key = fields[HEAD_KEY];
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

Err upgrade_answer_parse(Str bytes, Str key, Str protocol, UpgradeAnswer *ret_answer) {
    Head head;
    if (!upgrade_head_parse(bytes, HTTP_RESPONSE, protocol, &head))
        return FAIL(ERR_INVALID, "the server's answer is not HTTP/1.1");
    const Str *fields = head.fields;
    UpgradeAnswer answer = {.status = head.status};
    if (head.status != UPGRADE_ACCEPTED) {
        Err err = str_u64(fields[HEAD_RETRY_AFTER], &answer.retry_after_s);
        if (err.code != OK) answer.retry_after_s = 0; // none, or a date: the caller's own pace then
        *ret_answer = answer;
        return SUCCESS;
    }
    char accept[ACCEPT_LEN + 1];
    upgrade_accept_of(key, accept);
    if (!upgrade_has_word(fields[HEAD_UPGRADE], S("websocket"))
        || !upgrade_has_word(fields[HEAD_CONNECTION], S("upgrade")) || fields[HEAD_EXTENSIONS].ptr
        || !str_eq(fields[HEAD_ACCEPT], str_from(accept)))
        return FAIL(ERR_INVALID, "the server's answer is not an upgrade to WebSocket");
    if (!str_eq(fields[HEAD_PROTOCOL], protocol))
        return FAIL(ERR_INVALID, "the server does not agree to the channel's protocol");
    *ret_answer = answer;
    return SUCCESS;
}
