// SPDX-License-Identifier: Apache-2.0
#include "control/telemetry/telemetry.h"

#include "control/fixture.h"
#include "test.h"

static HttpReply measured(Fixture *f, const FixtureDevice *device, Str bearer) {
    return fixture_call(f, "GET", fixture_print(f, "%s/telemetry", device->path), bearer, NULL);
}

TEST(the_latest_measurements_of_a_device_are_kept_and_go_with_it) {
    Fixture f;
    fixture_open(&f);
    Str token = fixture_enrolment_token(&f, fixture_fleet(&f, "one"), 2);
    FixtureDevice cam = fixture_device(&f, token, "cam"), till = fixture_device(&f, token, "till");
    CHECK(measured(&f, &cam, f.token).status == 404);
    const char *first = "\"seq\":1,\"telemetry\":{\"uptime_s\":5,\"load1\":0.5,\"containers\":3}";
    CHECK(fixture_sync(&f, &cam, first).status == 200);
    f.now_ms += 60'000;
    CHECK(fixture_sync(&f, &cam, "\"seq\":2,\"telemetry\":{\"uptime_s\":65}").status == 200);
    HttpReply shown = measured(&f, &cam, f.token);
    CHECK_STR(fixture_field(&shown, "uptime_s"), S("65"));
    CHECK_STR(fixture_field(&shown, "containers"), S("0")); // of the last one, not of both
    CHECK_STR(fixture_field(&shown, "device_id"), id_str(&cam.hello.device_id));
    Str at = fixture_field(&shown, "at");
    CHECK(fixture_sync(&f, &cam, "\"seq\":3").status == 200); // measures nothing
    shown = measured(&f, &cam, f.token);
    CHECK_STR(fixture_field(&shown, "at"), at);
    CHECK(measured(&f, &till, f.token).status == 404);
    CHECK(measured(&f, &cam, fixture_org(&f, "other")).status == 404);
    CHECK(fixture_call(&f, "DELETE", cam.path, f.token, NULL).status == 204);
    CHECK(measured(&f, &cam, f.token).status == 404);
    fixture_close(&f);
}

TEST_MAIN(CASE(the_latest_measurements_of_a_device_are_kept_and_go_with_it))
