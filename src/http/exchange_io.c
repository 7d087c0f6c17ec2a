// SPDX-License-Identifier: Apache-2.0
// Between libmicrohttpd's idea of a request and ours.
#include "http/exchange.h"

#include <arpa/inet.h>
#include <strings.h>

enum {
    QUERY_MAX = 32,
    ANSWER_HEADERS_MAX = 4096, ///< memory for them, beyond what the call may have
};

static enum MHD_Result exchange_query_add(void *arg,
                                          enum MHD_ValueKind,
                                          const char *key,
                                          size_t key_len,
                                          const char *value,
                                          size_t value_len) {
    StrMap *query = arg;
    StrPair *pair = &query->items[query->count++];
    pair->key = (Str){key, key_len};
    pair->value = value ? (Str){value, value_len} : S("");
    return MHD_YES;
}

Err exchange_load_query(Exchange *exchange) {
    struct MHD_Connection *connection = exchange->connection;
    int count = MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, NULL, NULL);
    if (count > QUERY_MAX) return FAIL(ERR_INVALID, "too many query parameters");
    StrMap *query = &exchange->request.query;
    query->items = ARENA_ARRAY(&exchange->arena, StrPair, QUERY_MAX);
    if (!query->items) return arena_check(&exchange->arena);
    MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, exchange_query_add, query);
    return SUCCESS;
}

static Str exchange_remote_text(Exchange *exchange) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (!info || !info->client_addr) return (Str){};
    const void *address = info->client_addr;
    char text[INET6_ADDRSTRLEN] = "";
    if (info->client_addr->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = address;
        inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
    } else {
        const struct sockaddr_in6 *v6 = address;
        bool is_mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr); // IPv4 to a socket of both
        const void *bytes = &v6->sin6_addr.s6_addr[is_mapped ? 12 : 0];
        inet_ntop(is_mapped ? AF_INET : AF_INET6, bytes, text, sizeof(text));
    }
    return str_dup(&exchange->arena, str_from(text));
}

Str exchange_header(const Exchange *exchange, const char *name) {
    return str_from(MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name));
}

static Str exchange_bearer_of(Str authorization) {
    Str scheme = S("Bearer ");
    if (authorization.len <= scheme.len) return (Str){};
    if (strncasecmp(authorization.ptr, scheme.ptr, scheme.len) != 0) return (Str){};
    return str_trim(str_slice(authorization, scheme.len, authorization.len));
}

void exchange_load_head(Exchange *exchange, const char *url, const char *method) {
    HttpRequest *request = &exchange->request;
    Str verb = str_from(method);
    request->method = str_eq(verb, S("HEAD")) ? S("GET") : verb; // the library leaves the body out
    request->path = str_from(url);
    request->content_type = exchange_header(exchange, "Content-Type");
    request->remote_address = exchange_remote_text(exchange);
    request->bearer = exchange_bearer_of(exchange_header(exchange, "Authorization"));
}

static void exchange_header_add(struct MHD_Response *response, const char *name, Str value) {
    if (value.ptr) MHD_add_response_header(response, name, value.ptr);
}

/// Texts of a reply live in its arena with a NUL behind them, or are literals.
enum MHD_Result exchange_send(Exchange *exchange) {
    HttpReply *reply = &exchange->reply;
    exchange->state = ANSWERED;
    exchange->arena.max_bytes += ANSWER_HEADERS_MAX;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        reply->body.len, (void *)(uintptr_t)reply->body.ptr, MHD_RESPMEM_PERSISTENT);
    if (!response) return MHD_NO;
    exchange_header_add(response, "Content-Type", str_dup(&exchange->arena, reply->content_type));
    exchange_header_add(response, "X-Request-Id", str_dup(&exchange->arena, reply->request_id));
    exchange_header_add(response, "Allow", str_dup(&exchange->arena, reply->allow));
    exchange_header_add(response, "Cache-Control", S("no-store"));
    exchange_header_add(response, "X-Content-Type-Options", S("nosniff"));
    if (reply->status == MHD_HTTP_UNAUTHORIZED)
        exchange_header_add(response, "WWW-Authenticate", S("Bearer"));
    if (reply->retry_after_s)
        exchange_header_add(
            response,
            "Retry-After",
            str_print(&exchange->arena, "%llu", (unsigned long long)reply->retry_after_s));
    if (traffic_is_draining(&exchange->server->traffic))
        exchange_header_add(response, "Connection", S("close"));
    enum MHD_Result result = MHD_queue_response(exchange->connection, reply->status, response);
    MHD_destroy_response(response);
    return result;
}
