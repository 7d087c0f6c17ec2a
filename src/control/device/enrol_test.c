// SPDX-License-Identifier: Apache-2.0
/// A key is one device, once: whose it is, and what it is worth when its device was retired.
#include "control/fixture.h"

#include "test.h"

#include <string.h>

static const char *device_path(Fixture *f, const HttpReply *enrolled) {
    return fixture_print(f, "/v1/devices/%.*s", STR_FMT(fixture_field(enrolled, "device_id")));
}

/// Enrolled with `token` and `key`, then retired; gives its id.
static Str retired(Fixture *f, Str token, const JwsKey *key) {
    HttpReply enrolled = fixture_enrol(f, token, key, "cam");
    CHECK(enrolled.status == 200);
    CHECK(fixture_call(f, "DELETE", device_path(f, &enrolled), f->token, NULL).status == 204);
    return fixture_field(&enrolled, "device_id");
}

TEST(the_key_of_a_retired_device_does_not_join_again_but_a_new_one_does) {
    Fixture f;
    fixture_open(&f);
    Str token = fixture_enrolment_token(&f, fixture_fleet(&f, "one"), 9);
    JwsKey key, fresh;
    jws_key_make(&key);
    jws_key_make(&fresh);
    retired(&f, token, &key);
    HttpReply again = fixture_enrol(&f, token, &key, "cam");
    CHECK(again.status == 403);
    CHECK_STR(fixture_field(&again, "code"), S("forbidden"));
    CHECK_STR(fixture_field(&again, "detail"),
              S("this device was retired: enrol it again with a new key (muster-agent enrol "
                "--force)"));
    HttpReply anew = fixture_enrol(&f, token, &fresh, "cam");
    CHECK(anew.status == 200);
    CHECK_STR(fixture_field(&anew, "name"), S("cam")); // the name went with the device
    fixture_close(&f);
}

TEST(the_key_of_a_retired_device_joins_no_other_organisation) {
    Fixture f;
    fixture_open(&f);
    JwsKey key;
    jws_key_make(&key);
    retired(&f, fixture_enrolment_token(&f, fixture_fleet(&f, "one"), 1), &key);
    f.token = fixture_org(&f, "other");
    Str token = fixture_enrolment_token(&f, fixture_fleet(&f, "one"), 1);
    CHECK(fixture_enrol(&f, token, &key, "cam").status == 403);
    fixture_close(&f);
}

TEST(a_retired_device_is_told_so_and_a_stranger_is_told_nothing) {
    Fixture f;
    fixture_open(&f);
    JwsKey key, stranger;
    jws_key_make(&key);
    jws_key_make(&stranger);
    Str id = retired(&f, fixture_enrolment_token(&f, fixture_fleet(&f, "one"), 1), &key);
    HttpReply told = fixture_assert(&f, id, &key);
    CHECK(told.status == 403);
    CHECK(memmem(told.body.ptr, told.body.len, "was retired", 11));
    HttpReply untold = fixture_assert(&f, id, &stranger);
    CHECK(untold.status == 401);
    CHECK(!memmem(untold.body.ptr, untold.body.len, "retired", 7));
    Id nobody = id_new(S("device"), f.now_ms);
    CHECK(fixture_assert(&f, id_str(&nobody), &key).status == 401);
    fixture_close(&f);
}

TEST(a_key_belongs_to_one_device_in_all_organisations) {
    Fixture f;
    fixture_open(&f);
    JwsKey key, fresh;
    jws_key_make(&key);
    jws_key_make(&fresh);
    HttpReply first =
        fixture_enrol(&f, fixture_enrolment_token(&f, fixture_fleet(&f, "one"), 1), &key, "cam");
    CHECK(first.status == 200);
    Str ada = f.token;
    f.token = fixture_org(&f, "other");
    Str token = fixture_enrolment_token(&f, fixture_fleet(&f, "one"), 1);
    HttpReply second = fixture_enrol(&f, token, &key, "cam");
    CHECK(second.status == 403);
    CHECK_STR(fixture_field(&second, "detail"),
              S("this key is another organisation's device: enrol with a new key (muster-agent "
                "enrol --force)"));
    CHECK(fixture_call(&f, "GET", device_path(&f, &first), ada, NULL).status == 200);
    CHECK(fixture_enrol(&f, token, &fresh, "cam").status == 200); // nothing was spent
    fixture_close(&f);
}

TEST_MAIN(CASE(the_key_of_a_retired_device_does_not_join_again_but_a_new_one_does),
          CASE(the_key_of_a_retired_device_joins_no_other_organisation),
          CASE(a_retired_device_is_told_so_and_a_stranger_is_told_nothing),
          CASE(a_key_belongs_to_one_device_in_all_organisations))
