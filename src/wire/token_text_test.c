// SPDX-License-Identifier: Apache-2.0
#include "wire/token_text.h"

#include "base/base64.h"
#include "base/scope.h"
#include "test.h"

#include <string.h>

#define HEX "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static Str token_of(Arena *arena, const char *json) {
    Str encoded = base64_encode(arena, (Bytes){(const uint8_t *)json, strlen(json)}, BASE64URL);
    return str_print(arena, TOKEN_PREFIX "%.*s", STR_FMT(encoded));
}

TEST(a_token_splits_into_what_it_was_made_of) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 20);
    Str servers[] = {S("https://a.example"), S("https://b.example:8443")};
    TokenText parts = {
        .servers = {servers, 2},
        .authority = S(HEX),
        .fleet = S("shop-floor"),
        .secret = S("c2VjcmV0")
    };
    TokenText again;
    Str text;
    CHECK_OK(token_text_make(&parts, &arena, &text));
    CHECK_OK(token_text_parse(text, &arena, &again, NULL));
    CHECK(again.servers.count == 2);
    CHECK_STR(again.servers.items[1], servers[1]);
    CHECK_STR(again.authority, parts.authority);
    CHECK_STR(again.fleet, parts.fleet);
    CHECK_STR(again.secret, parts.secret);
}

TEST(blanks_around_a_token_are_passed_over_but_none_inside) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 20);
    TokenText parts;
    Str token = token_of(
        &arena,
        "{\"servers\":[\"http://localhost\"],\"fleet\":\"f\",\"secret\":\"s\",\"later\":{}}");
    Str padded = str_print(&arena, " \t%.*s\r\n", STR_FMT(token));
    CHECK_OK(token_text_parse(padded, &arena, &parts, NULL));
    CHECK_STR(parts.secret, S("s"));
    Str broken = str_print(&arena, "%.*s\n%s", 20, token.ptr, token.ptr + 20);
    CHECK_ERR(token_text_parse(broken, &arena, &parts, NULL), ERR_INVALID);
}

TEST(what_is_no_token_is_refused_with_a_reason) {
    static const struct {
        const char *json;
        const char *reason;
    } rows[] = {
        {"[]",                                                                                    "must be"   },
        {"{}",                                                                                    "/servers"  },
        {"{\"servers\":[],\"fleet\":\"f\",\"secret\":\"s\"}",                                     "/servers"  },
        {"{\"servers\":[\"ftp://a\"],\"authority\":\"public\",\"fleet\":\"f\",\"secret\":\"s\"}",
         "/servers/0"                                                                                         },
        {"{\"servers\":[\"http://a\",\"https://a\"],\"fleet\":\"f\",\"secret\":\"s\"}",
         "/authority: must be given"                                                                          },
        {"{\"servers\":[\"https://a\"],\"authority\":\"any\",\"fleet\":\"f\",\"secret\":\"s\"}",
         "/authority: must be public"                                                                         },
        {"{\"servers\":[\"https://a\"],\"authority\":\"" HEX
         "0\",\"fleet\":\"f\",\"secret\":\"s\"}",                                        "/authority"},
        {"{\"servers\":[\"https://a\"],\"authority\":\"public\",\"fleet\":\"f\"}",                "/secret"   },
        {"{\"servers\":[\"https://a\"],\"authority\":\"public\",\"fleet\":\"A "
         "B\",\"secret\":\"s\"}",                                                        "/fleet"    },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, 1 << 20);
        TokenText parts;
        Reason reason = {};
        CHECK_ERR(token_text_parse(token_of(&arena, rows[i].json), &arena, &parts, &reason),
                  ERR_INVALID);
        if (!strstr(reason.text, rows[i].reason)) fail_msg("%s: %s", rows[i].json, reason.text);
    }
    static const char *const texts[] = {
        "", "muster2.", "muster2.=", "muster1.x.y", "muster2.!!!", "muster3.e30", "muster2.e30="};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, 1 << 20);
        TokenText parts;
        Reason reason = {};
        CHECK_ERR(token_text_parse(str_from(texts[i]), &arena, &parts, &reason), ERR_INVALID);
        CHECK(reason.text[0]);
    }
}

TEST(a_token_that_nobody_could_read_is_not_made) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 20);
    char url[URL_MAX + 1] = "https://";
    memset(url + strlen(url), 'a', sizeof(url) - 1 - strlen(url));
    Str servers[SERVERS_MAX];
    for (size_t i = 0; i < SERVERS_MAX; i++)
        servers[i] = str_from(url);
    TokenText parts = {
        .servers = {servers, SERVERS_MAX},
          .authority = S(HEX), .fleet = S("f"), .secret = S("s")
    };
    TokenText again;
    Str text;
    CHECK_OK(token_text_make(&parts, &arena, &text)); // the longest there can be
    CHECK_OK(token_text_parse(text, &arena, &again, NULL));
    char secret[2048];
    memset(secret, 's', sizeof(secret));
    parts.secret = (Str){secret, sizeof(secret)};
    CHECK_ERR(token_text_make(&parts, &arena, &text), ERR_LIMIT);
}

TEST(a_token_survives_every_exhaustion_of_its_arena) {
    SCOPED(arena_done) Arena source;
    arena_init(&source, 1 << 20);
    Str token =
        token_of(&source, "{\"servers\":[\"http://localhost\"],\"fleet\":\"f\",\"secret\":\"s\"}");
    size_t refused = 0;
    for (size_t max = 1;; max += 16) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, max);
        TokenText parts = {};
        Str again;
        Err err = token_text_parse(token, &arena, &parts, NULL);
        if (err.code == OK) err = token_text_make(&parts, &arena, &again);
        if (err.code == OK) break;
        CHECK(err.code == arena_check(&arena).code);
        refused++;
    }
    CHECK(refused > 1);
}

TEST_MAIN(CASE(a_token_splits_into_what_it_was_made_of),
          CASE(blanks_around_a_token_are_passed_over_but_none_inside),
          CASE(what_is_no_token_is_refused_with_a_reason),
          CASE(a_token_that_nobody_could_read_is_not_made),
          CASE(a_token_survives_every_exhaustion_of_its_arena))
