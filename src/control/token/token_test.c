// SPDX-License-Identifier: Apache-2.0
#include "control/token/token.h"

#include "base/json_slice.h"
#include "control/fixture.h"
#include "test.h"
#include "wire/token_text.h"

static HttpReply token_made(Fixture *f, Str fleet, const char *more) {
    const char *body = fixture_print(f, "{\"fleet_id\":\"%.*s\"%s}", STR_FMT(fleet), more);
    return fixture_call(f, "POST", "/v1/tokens", f->token, body);
}

TEST(a_token_has_all_that_a_machine_needs_and_is_shown_once) {
    Fixture f;
    fixture_open(&f);
    Str fleet = fixture_fleet(&f, "shop-floor");
    HttpReply made = token_made(&f, fleet, ",\"uses_max\":3,\"ttl\":\"2h\"");
    CHECK(made.status == 201);
    TokenText parts;
    CHECK_OK(token_text_parse(fixture_field(&made, "token"), &f.arena, &parts, NULL));
    CHECK_STR(parts.fleet, S("shop-floor"));
    CHECK(parts.servers.count == 1);
    CHECK_STR(parts.servers.items[0], f.server.url);
    CHECK_STR(parts.authority, f.app.authority);
    char ends[TIME_TEXT_LEN + 1];
    time_format((Time){f.now_ms + 2 * 3'600'000}, ends);
    CHECK_STR(fixture_field(&made, "expires_at"), str_from(ends));
    const char *path = fixture_print(&f, "/v1/tokens/%.*s", STR_FMT(fixture_field(&made, "id")));
    HttpReply shown = fixture_call(&f, "GET", path, f.token, NULL);
    CHECK(shown.status == 200 && !json_slice_member(shown.body, S("token")).ptr);
    CHECK_STR(fixture_field(&shown, "fleet_name"), S("shop-floor"));
    static const char *const elsewhere[] = {"/v1/tokens", "/v1/audit"};
    const char *secret = str_dup(&f.arena, parts.secret).ptr;
    for (size_t i = 0; i < 2; i++) {
        HttpReply list = fixture_call(&f, "GET", elsewhere[i], f.token, NULL);
        CHECK(list.status == 200 && !fixture_has(&list, secret));
    }
    fixture_close(&f);
}

TEST(a_token_is_good_so_often_and_so_long_and_until_it_is_deleted) {
    Fixture f;
    fixture_open(&f);
    Str fleet = fixture_fleet(&f, "one");
    HttpReply made = token_made(&f, fleet, ",\"uses_max\":1");
    JwsKey keys[4];
    for (size_t i = 0; i < 4; i++)
        jws_key_make(&keys[i]);
    CHECK(fixture_enrol(&f, fixture_field(&made, "token"), &keys[0], "a").status == 200);
    CHECK(fixture_enrol(&f, fixture_field(&made, "token"), &keys[1], "b").status == 401);
    made = token_made(&f, fleet, ",\"ttl\":\"1m\"");
    f.now_ms += 60'000;
    CHECK(fixture_enrol(&f, fixture_field(&made, "token"), &keys[2], "c").status == 401);
    made = token_made(&f, fleet, "");
    const char *path = fixture_print(&f, "/v1/tokens/%.*s", STR_FMT(fixture_field(&made, "id")));
    CHECK(fixture_call(&f, "DELETE", path, f.token, NULL).status == 204);
    CHECK(fixture_enrol(&f, fixture_field(&made, "token"), &keys[3], "d").status == 401);
    fixture_close(&f);
}

TEST(a_token_is_for_a_fleet_of_the_organisation) {
    Fixture f;
    fixture_open(&f);
    Str other = fixture_org(&f, "other");
    Str fleet = fixture_fleet(&f, "one");
    const char *body = fixture_print(&f, "{\"fleet_id\":\"%.*s\"}", STR_FMT(fleet));
    HttpReply refused = fixture_call(&f, "POST", "/v1/tokens", other, body);
    CHECK(refused.status == 422 && fixture_has(&refused, "\"/fleet_id\""));
    fixture_close(&f);
}

TEST_MAIN(CASE(a_token_has_all_that_a_machine_needs_and_is_shown_once),
          CASE(a_token_is_good_so_often_and_so_long_and_until_it_is_deleted),
          CASE(a_token_is_for_a_fleet_of_the_organisation))
