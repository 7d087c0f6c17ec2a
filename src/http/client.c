// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include "base/clock.h"
#include "base/scope.h"

#include <arpa/inet.h>
#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { URL_MAX = 8192, HEADER_MAX = 8192, CONNECTS_KEPT = 1 };

struct HttpClient {
    CURL *easy; ///< keeps its connection between calls
    char *base_url;
    char *ca_path;
    char *user_agent;
};

static void client_headers_freep(struct curl_slist **headers) {
    curl_slist_free_all(*headers);
}

static void client_closep(HttpClient **client) {
    http_client_close(*client);
}

Err http_client_open(const HttpClientOptions *options, HttpClient **ret_client) {
    assert(options->base_url && options->user_agent);
    SCOPED(client_closep) HttpClient *client = calloc(1, sizeof(*client));
    if (!client) return FAIL(ERR_MEMORY, "no memory for the HTTP client");
    client->easy = curl_easy_init();
    client->base_url = strdup(options->base_url);
    client->user_agent = strdup(options->user_agent);
    if (options->ca_path) client->ca_path = strdup(options->ca_path);
    bool is_whole = client->easy && client->base_url && client->user_agent
                    && (client->ca_path || !options->ca_path);
    if (!is_whole) return FAIL(ERR_MEMORY, "no memory for the HTTP client");
    *ret_client = TAKE_PTR(client);
    return SUCCESS;
}

HttpClient *http_client_close(HttpClient *client) {
    if (!client) return NULL;
    if (client->easy) curl_easy_cleanup(client->easy);
    free(client->base_url);
    free(client->ca_path);
    free(client->user_agent);
    free(client);
    return NULL;
}

void http_encode(Text *out, Str text) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
                        || c == '-' || c == '.' || c == '_' || c == '~';
        if (is_plain) {
            text_add_char(out, (char)c);
        } else {
            text_print(out, "%%%02X", c);
        }
    }
}

/// A call under way.
typedef struct ClientTransfer {
    CURL *easy;
    const HttpCall *call;
    HttpAnswer answer;
    bool is_taken; ///< the body, by the caller
    Err err;       ///< of who takes it
    curl_off_t seen;
    uint64_t seen_ms; ///< when that changed
} ClientTransfer;

static void client_transfer_done(ClientTransfer *transfer) {
    text_done(&transfer->answer.body);
}

static uint32_t client_status(CURL *easy) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return (uint32_t)status;
}

/// Taking less than was offered ends the transfer.
static size_t client_on_body(char *bytes, size_t size, size_t count, void *arg) {
    ClientTransfer *transfer = arg;
    const HttpCall *call = transfer->call;
    Str part = {bytes, size * count};
    if (call->take && client_status(transfer->easy) / 100 == 2) {
        transfer->is_taken = true;
        transfer->err = call->take(call->ctx, part);
    } else {
        text_add(&transfer->answer.body, part);
        transfer->err = text_check(&transfer->answer.body);
    }
    return transfer->err.code == OK ? part.len : 0;
}

/// Called now and then, also while nothing comes. Not 0: it has taken too long.
static int client_on_progress(void *arg, curl_off_t total, curl_off_t now, curl_off_t, curl_off_t) {
    (void)total;
    ClientTransfer *transfer = arg;
    uint64_t now_ms = clock_monotonic_ms();
    if (now != transfer->seen || transfer->seen_ms == 0) transfer->seen_ms = now_ms;
    transfer->seen = now;
    return now_ms - transfer->seen_ms > transfer->call->within_ms;
}

/// The value of the header `line`, if it is the one called `name`.
static bool client_header_is(Str line, const char *name, Str *ret_value) {
    size_t colon = str_index(line, ':', 0);
    if (colon == line.len || colon != strlen(name) || strncasecmp(line.ptr, name, colon) != 0)
        return false;
    *ret_value = str_trim(str_slice(line, colon + 1, line.len));
    return true;
}

static size_t client_on_header(char *bytes, size_t size, size_t count, void *arg) {
    HttpAnswer *answer = &((ClientTransfer *)arg)->answer;
    Str line = {bytes, size * count};
    Str value;
    if (client_header_is(line, "Docker-Content-Digest", &value)
        && value.len < sizeof(answer->digest)) {
        memcpy(answer->digest, value.ptr, value.len);
        answer->digest[value.len] = '\0';
    }
    uint64_t seconds;
    if (client_header_is(line, "Retry-After", &value) && str_u64(value, &seconds).code == OK)
        answer->retry_after_s = seconds; // the form with a date is not used by anyone we call
    return line.len;
}

/// The host is this machine, so that no proxy may stand between.
static bool client_url_is_loopback(const char *url) {
    CURLU *parts = curl_url();
    char *host = NULL;
    bool is_loopback = false;
    if (parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK
        && curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        struct in_addr address;
        bool is_v4 = inet_pton(AF_INET, host, &address) == 1;
        is_loopback = strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0
                      || (is_v4 && ntohl(address.s_addr) >> 24 == 127);
    }
    curl_free(host);
    curl_url_cleanup(parts);
    return is_loopback;
}

/// Append a header; false and the old list when there is no memory.
static bool client_headers_add(struct curl_slist **headers, const char *name, Str value) {
    SCOPED(text_done) Text line;
    text_init(&line, HEADER_MAX);
    text_print(&line, "%s: %.*s", name, STR_FMT(value));
    if (line.failed) return false;
    struct curl_slist *longer = curl_slist_append(*headers, line.ptr);
    if (longer) *headers = longer;
    return longer != NULL;
}

static Err client_headers_make(const HttpCall *call, struct curl_slist **headers) {
    bool has_all = client_headers_add(
        headers, "Accept", call->accept.ptr ? call->accept : S("application/json"));
    if (call->body.ptr)
        has_all = client_headers_add(headers, "Content-Type", S("application/json")) && has_all;
    has_all =
        client_headers_add(headers, "Expect", (Str){}) && has_all; // no round trip before the body
    if (call->last_event_id.ptr)
        has_all = client_headers_add(headers, "Last-Event-ID", call->last_event_id) && has_all;
    if (call->bearer.ptr) {
        SCOPED(text_done) Text token;
        text_init(&token, HEADER_MAX);
        text_print(&token, "Bearer %.*s", STR_FMT(call->bearer));
        has_all = text_check(&token).code == OK
                  && client_headers_add(headers, "Authorization", text_str(&token)) && has_all;
    }
    return has_all ? SUCCESS : FAIL(ERR_LIMIT, "the headers of the request are too long");
}

/// A header or a target with a line break would be another request.
static bool client_is_one_line(Str text) {
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f) return false;
    }
    return true;
}

static void client_easy_connection(const HttpClient *client, bool is_loopback) {
    CURL *easy = client->easy;
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXCONNECTS, (long)CONNECTS_KEPT);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, client->user_agent);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (client->ca_path) curl_easy_setopt(easy, CURLOPT_CAINFO, client->ca_path);
    if (client->ca_path) curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    if (is_loopback) curl_easy_setopt(easy, CURLOPT_PROXY, "");
}

static void client_easy_request(ClientTransfer *transfer) {
    CURL *easy = transfer->easy;
    const HttpCall *call = transfer->call;
    bool is_head = strcmp(call->method, "HEAD") == 0;
    if (call->body.ptr) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body.ptr);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
    }
    if (is_head) curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
    curl_easy_setopt(
        easy, call->take ? CURLOPT_CONNECTTIMEOUT_MS : CURLOPT_TIMEOUT_MS, (long)call->within_ms);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, call->take ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, client_on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, client_on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, client_on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
}

static Err client_transfer_err(CURLcode code) {
    switch ((int)code) {
    case CURLE_OK:
        return SUCCESS;
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_ABORTED_BY_CALLBACK: // by client_on_progress
        return FAIL(ERR_TIMEOUT, "the server did not answer in time");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
        return FAIL(ERR_UNAUTHENTICATED, "the certificate of the server is not trusted");
    case CURLE_SSL_CACERT_BADFILE:
        return FAIL(ERR_INVALID, "the file of trusted certificates cannot be read");
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return FAIL(ERR_INVALID, "the address of the server is not an http or https URL");
    case CURLE_WRITE_ERROR: // by client_on_body
        return FAIL(ERR_LIMIT, "the answer is longer than allowed");
    case CURLE_OUT_OF_MEMORY:
        return FAIL(ERR_MEMORY, "no memory for the exchange");
    default:
        return FAIL(ERR_UNAVAILABLE, "the server cannot be reached");
    }
}

Err http_client_call(HttpClient *client,
                     const HttpCall *call,
                     HttpAnswer *ret_answer,
                     Reason *reason) {
    assert(call->method && call->within_ms && call->reply_max);
    if (!client_is_one_line(call->target) || !client_is_one_line(call->bearer)
        || !client_is_one_line(call->accept) || !client_is_one_line(call->last_event_id))
        return FAIL(ERR_INVALID, "the request holds a control character");
    SCOPED(text_done) Text url;
    text_init(&url, URL_MAX);
    text_print(&url, "%s%.*s", client->base_url, STR_FMT(call->target));
    TRY(text_check(&url));
    SCOPED(client_headers_freep) struct curl_slist *headers = NULL;
    TRY(client_headers_make(call, &headers));
    SCOPED(client_transfer_done) ClientTransfer transfer = {.easy = client->easy, .call = call};
    text_init(&transfer.answer.body, call->reply_max);
    curl_easy_reset(client->easy); // keeps the connection
    client_easy_connection(client, client_url_is_loopback(url.ptr));
    client_easy_request(&transfer);
    curl_easy_setopt(client->easy, CURLOPT_URL, url.ptr);
    curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, headers);
    char words[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(client->easy, CURLOPT_ERRORBUFFER, words);
    CURLcode code = curl_easy_perform(client->easy);
    curl_easy_setopt(client->easy, CURLOPT_ERRORBUFFER, NULL);
    if (transfer.is_taken) TRY(transfer.err);
    Err err = transfer.err.code == ERR_MEMORY ? OUT_OF_MEMORY : client_transfer_err(code);
    if (err.code != OK)
        return reason_fail(
            reason, err, "%s: %s", client->base_url, words[0] ? words : curl_easy_strerror(code));
    transfer.answer.status = client_status(client->easy);
    *ret_answer = transfer.answer;
    transfer.answer.body = (Text){};
    return SUCCESS;
}
