// SPDX-License-Identifier: Apache-2.0
/// A list reads a fixed number of times, however long it is.
#include "control/fixture.h"

#include "api/device.h"
#include "api/fleet.h"
#include "base/scope.h"
#include "control/device/device.h"
#include "db/engine.h"
#include "test.h"

enum { DEVICES = 1000, FLEETS = 40, COMMIT_ROWS = 25, READS_MAX = 5 };

static const Engine *real;
static size_t reads;

static Err counted_select(Db *db, const Select *select, RowSink sink) {
    reads++;
    return real->select(db, select, sink);
}

static Err counted_count(Db *db, const Select *select, uint64_t *ret_count) {
    reads++;
    return real->count(db, select, ret_count);
}

static Err counted_count_by(Db *db, const Select *select, size_t column, RowSink sink) {
    reads++;
    return real->count_by(db, select, column, sink);
}

/// The store counts its reads from now on.
static void reads_count(Fixture *f, Engine *engine) {
    fixture_quiet(f);
    real = f->app.db->engine;
    *engine = *real;
    engine->select = counted_select;
    engine->count = counted_count;
    engine->count_by = counted_count_by;
    f->app.db->engine = engine;
}

static void device_put(Tx *tx, Fixture *f, const Id *org, const Id *fleet, unsigned number) {
    Str name = str_print(&f->arena, "device-%u", number);
    const Device device = {.id = id_new(S("device"), ++f->now_ms),
                           .org_id = *org,
                           .fleet_id = *fleet,
                           .name = name,
                           .public_key = name};
    DeviceStatus status = {.device_id = device.id, .org_id = *org, .last_seen_at = {f->now_ms}};
    status.detail = name;
    CHECK_OK(tx_create(tx, &Device_schema, &device));
    CHECK_OK(tx_put(tx, &DeviceStatus_schema, &status));
}

/// Many devices in several fleets.
static void devices_put(Fixture *f) {
    Id org, fleets[FLEETS];
    HttpReply shown = fixture_call(f, "GET", "/v1/org", f->token, NULL);
    CHECK_OK(id_parse(fixture_field(&shown, "id"), S("org"), &org));
    for (unsigned i = 0; i < FLEETS; i++) {
        Str fleet = fixture_fleet(f, fixture_print(f, "fleet-%u", i));
        CHECK_OK(id_parse(fleet, S("fleet"), &fleets[i]));
    }
    SCOPED(tx_closep) Tx *tx = NULL;
    CHECK_OK(tx_open(f->app.db, &f->arena, id_str(&org), &tx));
    for (unsigned i = 0; i < DEVICES; i++) {
        device_put(tx, f, &org, &fleets[i % FLEETS], i);
        if (i % COMMIT_ROWS == COMMIT_ROWS - 1) CHECK_OK(tx_commit(tx, NULL));
    }
}

static size_t occurrences(const HttpReply *reply, Str text) {
    size_t count = 0;
    for (size_t at = 0; at < reply->body.len; at++)
        if (str_starts(str_slice(reply->body, at, reply->body.len), text)) count++;
    return count;
}

/// The list at `path` has `count` records with `text`, and was read at once.
static void check_list(Fixture *f, const char *path, size_t count, Str text) {
    reads = 0;
    HttpReply reply = fixture_call(f, "GET", path, f->token, NULL);
    CHECK(reply.status == 200);
    CHECK(occurrences(&reply, text) == count);
    if (reads > READS_MAX) fail_msg("%s: %zu reads", path, reads);
}

TEST(a_list_of_a_thousand_devices_is_five_reads) {
    Fixture f;
    Engine engine;
    fixture_open(&f);
    devices_put(&f);
    reads_count(&f, &engine);
    check_list(&f, "/v1/devices?limit=1000", DEVICES, S("\"fleet_name\":\"fleet-"));
    check_list(&f, "/v1/devices?limit=1000", DEVICES, S("\"detail\":\"device-"));
    check_list(&f, "/v1/devices?limit=1000", DEVICES / FLEETS, S("\"fleet_name\":\"fleet-7\""));
    check_list(&f, "/v1/devices?limit=3", 3, S("\"fleet_name\""));
    fixture_close(&f);
}

TEST(a_list_of_fleets_or_tokens_is_as_few) {
    Fixture f;
    Engine engine;
    fixture_open(&f);
    devices_put(&f);
    HttpReply one = fixture_call(&f, "GET", "/v1/fleets?limit=1", f.token, NULL);
    Str fleet = str_dup(&f.arena, fixture_field(&one, "id"));
    for (int i = 0; i < FLEETS; i++)
        fixture_enrolment_token(&f, fleet, 1);
    reads_count(&f, &engine);
    check_list(&f, "/v1/fleets", FLEETS, S("\"device_count\""));
    check_list(&f, "/v1/tokens", FLEETS, S("\"fleet_name\":\"fleet-"));
    fixture_close(&f);
}

TEST(a_selection_reads_by_the_chunk_and_not_by_the_device) {
    Fixture f;
    Engine engine;
    fixture_open(&f);
    devices_put(&f);
    reads_count(&f, &engine);
    reads = 0;
    HttpReply reply =
        fixture_call(&f, "GET", "/v1/devices?limit=1000&selector=fleet=fleet-7", f.token, NULL);
    CHECK(occurrences(&reply, S("\"fleet_name\":\"fleet-7\"")) == DEVICES / FLEETS);
    CHECK(reads <= 1 + 4 * 5); // five chunks of 200 devices
    fixture_close(&f);
}

TEST_MAIN(CASE(a_list_of_a_thousand_devices_is_five_reads),
          CASE(a_list_of_fleets_or_tokens_is_as_few),
          CASE(a_selection_reads_by_the_chunk_and_not_by_the_device))
