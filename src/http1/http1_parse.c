// SPDX-License-Identifier: Apache-2.0
#include "http1/http1_parse.h"

#include <assert.h>
#include <strings.h>

static const Str retry_after = {"retry-after", 11};

/// Remember why a callback stopped the parser.
static int parse_stop(Http1Parse *parse, Err err) {
    parse->err = err;
    return -1;
}

static int parse_head_count(Http1Parse *parse, size_t len) {
    parse->head_bytes += len;
    if (parse->head_bytes <= HTTP1_HEAD_MAX) return 0;
    return parse_stop(parse, FAIL(ERR_LIMIT, "the reply's head is too large"));
}

/// A header is over: it may have been Retry-After. A date in it is taken for "not given".
static void parse_header_finish(Http1Parse *parse) {
    uint64_t seconds = 0;
    Str number = str_trim((Str){parse->number, parse->number_len});
    if (parse->in_value && parse->name_at == retry_after.len
        && str_u64(number, &seconds).code == OK)
        parse->retry_after_s = seconds;
    parse->in_value = false;
    parse->name_at = 0;
    parse->number_len = 0;
}

static int parse_on_status(http_parser *parser, const char *at, size_t len) {
    (void)at;
    return parse_head_count(parser->data, len);
}

static int parse_on_header_field(http_parser *parser, const char *at, size_t len) {
    Http1Parse *parse = parser->data;
    if (parse->in_value) parse_header_finish(parse);
    if (parse->name_at != SIZE_MAX) { // names may come in pieces
        bool is_like = len <= retry_after.len - parse->name_at
                       && strncasecmp(retry_after.ptr + parse->name_at, at, len) == 0;
        parse->name_at = is_like ? parse->name_at + len : SIZE_MAX;
    }
    return parse_head_count(parse, len);
}

static int parse_on_header_value(http_parser *parser, const char *at, size_t len) {
    Http1Parse *parse = parser->data;
    parse->in_value = true;
    if (parse->name_at == retry_after.len) {
        for (size_t i = 0; i < len && parse->number_len < sizeof(parse->number); i++)
            parse->number[parse->number_len++] = at[i];
    }
    return parse_head_count(parse, len);
}

static int parse_on_headers_complete(http_parser *parser) {
    Http1Parse *parse = parser->data;
    parse_header_finish(parse);
    parse->status = parser->status_code;
    if (parser->http_major != 1 || parse->status < 100 || parse->status > 599)
        return parse_stop(parse, FAIL(ERR_INVALID, "the peer does not speak HTTP/1.1"));
    if (parse->status == 101)
        return parse_stop(parse, FAIL(ERR_INVALID, "the peer switched to another protocol"));
    return parse->is_to_head; // 1: there is no body, whatever the headers say
}

static int parse_on_body(http_parser *parser, const char *at, size_t len) {
    Http1Parse *parse = parser->data;
    Err err = parse->body(parse->app, (Str){at, len});
    return err.code == OK ? 0 : parse_stop(parse, err);
}

static int parse_on_message_complete(http_parser *parser) {
    Http1Parse *parse = parser->data;
    parse_header_finish(parse); // of a trailer
    if (parse->status < 200) {
        parse->retry_after_s = 0;
        return 0; // the reply itself is still to come
    }
    parse->is_complete = true;
    parse->is_kept = http_should_keep_alive(parser) != 0;
    http_parser_pause(parser, 1); // what follows is no part of this reply
    return 0;
}

static const http_parser_settings settings = {
    .on_status = parse_on_status,
    .on_header_field = parse_on_header_field,
    .on_header_value = parse_on_header_value,
    .on_headers_complete = parse_on_headers_complete,
    .on_body = parse_on_body,
    .on_message_complete = parse_on_message_complete,
};

void http1_parse_init(Http1Parse *parse,
                      bool is_to_head,
                      Err (*body)(void *app, Str part),
                      void *app) {
    *parse = (Http1Parse){.is_to_head = is_to_head, .body = body, .app = app};
    http_parser_init(&parse->parser, HTTP_RESPONSE);
    parse->parser.data = parse;
}

Err http1_parse(Http1Parse *parse, Str *input) {
    assert(!parse->is_complete && parse->err.code == OK);
    if (input->len == 0) return SUCCESS; // to the parser it would mean the end
    size_t taken = http_parser_execute(&parse->parser, &settings, input->ptr, input->len);
    TRY(parse->err);
    if (!parse->is_complete && HTTP_PARSER_ERRNO(&parse->parser) != HPE_OK)
        return FAIL(ERR_INVALID, "the peer does not speak HTTP/1.1");
    *input = str_slice(*input, taken, input->len);
    return SUCCESS;
}

Err http1_parse_end(Http1Parse *parse) {
    assert(!parse->is_complete && parse->err.code == OK);
    http_parser_execute(&parse->parser, &settings, NULL, 0);
    parse->is_kept = false;
    if (!parse->is_complete) return FAIL(ERR_UNAVAILABLE, "the connection broke in the reply");
    return SUCCESS;
}
