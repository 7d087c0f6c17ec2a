// SPDX-License-Identifier: Apache-2.0
/// Which devices a list with a selector has, page by page.
#include "api/device_key.h"
#include "base/scope.h"
#include "control/device/device.h"
#include "control/fixture.h"
#include "db/tx.h"
#include "test.h"

#include <string.h>

enum { MANY = 4500, COMMIT_ROWS = 32 };

/// A device as the tests want it.
typedef struct Sample {
    const char *name;
    const char *site; ///< NULL: no label
    const char *arch;
    WorkloadState state;
    uint64_t silent_ms;
    bool is_in_fleet;
} Sample;
static const Sample samples[] = {
    {"till-1", "hall-1", "aarch64", WORKLOAD_RUNNING,  5'000,     true },
    {"till-2", "hall-3", "x86_64",  WORKLOAD_FAILED,   5'000,     true },
    {"till-3", "hall-3", "aarch64", WORKLOAD_RUNNING,  3'600'000, false},
    {"till-4", NULL,     "aarch64", WORKLOAD_DEGRADED, 60'000,    false},
};
enum { SAMPLES = sizeof(samples) / sizeof(samples[0]) };

static Id org_of(Fixture *f) {
    HttpReply org = fixture_call(f, "GET", "/v1/org", f->token, NULL);
    Id id;
    CHECK_OK(id_parse(fixture_field(&org, "id"), S("org"), &id));
    return id;
}

static Device device_made(Fixture *f, const Id *org, const char *name) {
    return (Device){
        .id = id_new(S("device"), ++f->now_ms),
        .org_id = *org,
        .name = str_from(name),
        .public_key = str_from(name),
        .created_at = {f->now_ms},
    };
}

static void sample_save(Fixture *f, const Id *org, Str fleet, const Sample *sample) {
    SCOPED(tx_closep) Tx *tx = NULL;
    CHECK_OK(tx_open(f->app.db, &f->arena, id_str(org), &tx));
    Device device = device_made(f, org, sample->name);
    StrPair site = {S("site"), str_from(sample->site)};
    if (sample->site) device.labels = (StrMap){&site, 1};
    if (sample->is_in_fleet) CHECK_OK(id_parse(fleet, S("fleet"), &device.fleet_id));
    device.facts.architecture = str_from(sample->arch);
    device.facts.hostname = str_from(sample->name);
    device.facts.os = S("Debian GNU/Linux 12 (bookworm)");
    device.agent_version = S("0.1.0");
    device.facts.cpus = 4;
    const DeviceStatus status = {
        .device_id = device.id,
        .org_id = *org,
        .last_seen_at = {f->now_ms - sample->silent_ms},
        .state = sample->state,
    };
    CHECK_OK(tx_create(tx, &Device_schema, &device));
    CHECK_OK(tx_put(tx, &DeviceStatus_schema, &status));
    CHECK_OK(tx_commit(tx, NULL));
}

/// Gives the fleet's id.
static Str samples_open(Fixture *f) {
    fixture_open(f);
    Id org = org_of(f);
    Str fleet = fixture_fleet(f, "shop");
    for (size_t i = 0; i < SAMPLES; i++)
        sample_save(f, &org, fleet, &samples[i]);
    return fleet;
}

static HttpReply list_call(Fixture *f, Str selector, const char *rest) {
    const char *path = fixture_print(f, "/v1/devices?selector=%.*s%s", STR_FMT(selector), rest);
    return fixture_call(f, "GET", path, f->token, NULL);
}

static bool reply_has(const HttpReply *reply, Str text) {
    return memmem(reply->body.ptr, reply->body.len, text.ptr, text.len) != NULL;
}

/// The list has exactly the devices whose numbers are in `wanted`.
static void check_list(Fixture *f, Str selector, const char *wanted) {
    HttpReply reply = list_call(f, selector, "");
    if (reply.status != 200) fail_msg("%.*s: %.*s", STR_FMT(selector), STR_FMT(reply.body));
    for (size_t i = 0; i < SAMPLES; i++) {
        const char *name = fixture_print(f, "\"name\":\"%s\"", samples[i].name);
        bool is_wanted = strchr(wanted, (char)('1' + i)) != NULL;
        if (reply_has(&reply, str_from(name)) != is_wanted)
            fail_msg("%.*s: %s", STR_FMT(selector), samples[i].name);
    }
    CHECK(!reply_has(&reply, S("\"next\"")));
}

TEST(the_keys_of_devices_are_sound) {
    Reason reason = {};
    if (selector_keys_check(&Device_keys, &reason).code != OK) fail_msg("%s", reason.text);
}

TEST(devices_are_selected_by_labels_facts_and_what_is_known_of_them_now) {
    static const struct {
        const char *selector;
        const char *wanted;
    } rows[] = {
        {"",                                      "1234"},
        {"site=hall-3",                           "23"  },
        {"site!=hall-3",                          "14"  },
        {"labels.site in (hall-1,hall-3)",        "123" },
        {"!site",                                 "4"   },
        {"name=till-2",                           "2"   },
        {"name=till-2,site=hall-1",               ""    },
        {"name in (till-2,till-4,till-9)",        "24"  },
        {"fleet=shop",                            "12"  },
        {"fleet!=shop",                           "34"  },
        {"!fleet",                                "34"  },
        {"fleet=shop,state=failed",               "2"   },
        {"status=offline",                        "3"   },
        {"presence in (online,late)",             "124" },
        {"status=late",                           "4"   },
        {"state notin (running)",                 "24"  },
        {"seen<10m",                              "124" },
        {"seen>=1h",                              "3"   },
        {"created<1m",                            "1234"},
        {"release",                               ""    },
        {"release!=shop@1.0.0",                   "1234"},
        {"arch=aarch64,seen<10m",                 "14"  },
        {"os=\"Debian GNU/Linux 12 (bookworm)\"", "1234"},
        {"hostname=till-3",                       "3"   },
        {"agent=0.1.0,cpus>=4",                   "1234"},
        {"cpus>4",                                ""    },
        {"!engine,!kernel,memory=0",              "1234"},
    };
    Fixture f;
    Str fleet = samples_open(&f);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check_list(&f, str_from(rows[i].selector), rows[i].wanted);
    check_list(&f, str_print(&f.arena, "fleet=%.*s", STR_FMT(fleet)), "12");
    check_list(&f, str_print(&f.arena, "fleet notin (%.*s)", STR_FMT(fleet)), "34");
    fixture_close(&f);
}

TEST(a_selector_and_the_other_filters_hold_together) {
    Fixture f;
    Str fleet = samples_open(&f);
    HttpReply reply =
        list_call(&f, S("site=hall-3"), fixture_print(&f, "&fleet_id=%.*s", STR_FMT(fleet)));
    CHECK(reply_has(&reply, S("till-2")) && !reply_has(&reply, S("till-3")));
    HttpReply none = list_call(&f, S("name=till-1"), "&name=till-2");
    CHECK_STR(none.body, S("{\"items\":[]}"));
    fixture_close(&f);
}

TEST(what_is_no_selector_is_refused_with_its_place) {
    Fixture f;
    samples_open(&f);
    HttpReply reply = list_call(&f, S("site=a,status=gone"), "");
    CHECK(reply.status == 422);
    CHECK(reply_has(&reply, S("\"pointer\":\"/selector\"")));
    CHECK(reply_has(&reply,
                    S("must be a selector: column 15: status must be one of "
                      "never, online, late, offline")));
    fixture_close(&f);
}

TEST(another_organisations_devices_are_never_selected) {
    Fixture f;
    samples_open(&f);
    f.token = fixture_org(&f, "other");
    HttpReply reply = list_call(&f, S("name!=x"), "");
    CHECK_STR(reply.body, S("{\"items\":[]}"));
    fixture_close(&f);
}

/// Every page of a list, of `limit` rows; gives how many devices and how many pages there were.
static void
list_read(Fixture *f, Str selector, const char *limit, size_t *ret_devices, size_t *ret_pages) {
    Str after = {}, last = {};
    *ret_devices = *ret_pages = 0;
    do {
        HttpReply reply = list_call(
            f,
            selector,
            fixture_print(f, "&limit=%s%s%.*s", limit, after.ptr ? "&after=" : "", STR_FMT(after)));
        CHECK(reply.status == 200);
        const Str mark = S("\"id\":\"device_");
        for (Str rest = reply.body; rest.len >= mark.len; rest = str_slice(rest, 1, rest.len)) {
            if (!str_starts(rest, mark)) continue;
            Str id = str_slice(rest, 6, 6 + sizeof("device_") - 1 + ID_SUFFIX_LEN);
            CHECK(str_cmp(last, id) < 0); // in order, so none twice
            last = str_dup(&f->arena, id);
            ++*ret_devices;
        }
        bool is_more = reply_has(&reply, S("\"next\""));
        after = is_more ? fixture_field(&reply, "next") : (Str){};
        CHECK(++*ret_pages < MANY);
    } while (after.ptr);
}

/// MANY devices, every ninth and the last of them labelled.
static void many_make(Fixture *f) {
    Id org = org_of(f);
    SCOPED(tx_closep) Tx *tx = NULL;
    CHECK_OK(tx_open(f->app.db, &f->arena, id_str(&org), &tx));
    StrPair site = {S("site"), S("here")};
    for (size_t i = 0; i < MANY; i++) {
        Device device = device_made(f, &org, fixture_print(f, "d-%zu", i));
        if (i % 9 == 0 || i == MANY - 1) device.labels = (StrMap){&site, 1};
        CHECK_OK(tx_create(tx, &Device_schema, &device));
        if (i % COMMIT_ROWS == 0 || i == MANY - 1) CHECK_OK(tx_commit(tx, NULL));
    }
}

TEST(pages_have_each_selected_device_once_and_a_call_looks_at_so_many_rows) {
    Fixture f;
    fixture_open(&f);
    many_make(&f);
    size_t devices, pages;
    list_read(&f, S("site=here"), "7", &devices, &pages);
    CHECK(devices == MANY / 9 + 1);
    CHECK(pages >= devices / 7 && pages <= devices / 7 + 2);
    list_read(&f, S("site=here"), "1000", &devices, &pages);
    CHECK(devices == MANY / 9 + 1 && pages == 3); // of 2000 rows each
    list_read(&f, S("site=nowhere"), "10", &devices, &pages);
    CHECK(devices == 0 && pages == 3);
    list_read(&f, S("name=d-4400"), "10", &devices, &pages);
    CHECK(devices == 1 && pages == 1); // the store finds it
    fixture_close(&f);
}

TEST_MAIN(CASE(the_keys_of_devices_are_sound),
          CASE(devices_are_selected_by_labels_facts_and_what_is_known_of_them_now),
          CASE(a_selector_and_the_other_filters_hold_together),
          CASE(what_is_no_selector_is_refused_with_its_place),
          CASE(another_organisations_devices_are_never_selected),
          CASE(pages_have_each_selected_device_once_and_a_call_looks_at_so_many_rows))
