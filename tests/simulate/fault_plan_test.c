// SPDX-License-Identifier: Apache-2.0
#include "fault_plan.h"
#include "spread.h"
#include "test.h"

#include <string.h>

enum { MINUTE_MS = 60'000, DEVICES = 2000 };

TEST(faults_are_given_by_name_and_number) {
    FaultPlan plan = {};
    CHECK_OK(fault_plan_add(&plan, S("drop=0.25")));
    CHECK_OK(fault_plan_add(&plan, S("silent=0")));
    CHECK_OK(fault_plan_add(&plan, S("fail=1")));
    CHECK_OK(fault_plan_add(&plan, S("slow=300")));
    CHECK_OK(fault_plan_add(&plan, S("flap=5")));
    CHECK(plan.value[FAULT_DROP] > 0.24 && plan.value[FAULT_DROP] < 0.26);
    CHECK(plan.value[FAULT_SLOW] > 299.9 && plan.value[FAULT_SLOW] < 300.1);
    CHECK(plan.value[FAULT_SILENT] <= 0 && plan.value[FAULT_GARBAGE] <= 0);
}

TEST(other_faults_are_refused) {
    static const char *const wrong[] = {"",
                                        "drop",
                                        "drop=",
                                        "drop=1.5",
                                        "drop=x",
                                        "drop=0x1",
                                        "drop=-0.1",
                                        "drop=1e0",
                                        "rust=1",
                                        "slow=0",
                                        "slow=1.5",
                                        "flap=0",
                                        "fail=nan",
                                        "slow=60001",
                                        "drop=1=1",
                                        "drop=0.00000000000000000001"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        FaultPlan plan = {}, none = {};
        CHECK_ERR(fault_plan_add(&plan, str_from(wrong[i])), ERR_INVALID);
        CHECK(memcmp(&plan, &none, sizeof(plan)) == 0);
    }
}

TEST(only_what_touches_connections_needs_them) {
    static const struct {
        const char *text;
        bool is;
    } cases[] = {
        {"drop=0.1",    true },
        {"silent=1",    true },
        {"garbage=0.5", true },
        {"slow=1",      true },
        {"fail=1",      false},
        {"flap=1",      false},
        {"drop=0",      false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        FaultPlan plan = {};
        CHECK_OK(fault_plan_add(&plan, str_from(cases[i].text)));
        CHECK(fault_plan_is_of_connections(&plan) == cases[i].is);
    }
}

/// How many devices the fault strikes, looked at in steps.
static unsigned struck(const FaultPlan *plan, FaultKind kind, uint64_t until_ms, uint64_t step_ms) {
    unsigned count = 0;
    for (uint64_t device = 0; device < DEVICES; device++)
        for (uint64_t at_ms = 0; at_ms < until_ms; at_ms += step_ms)
            count += fault_plan_strikes(plan, kind, device, at_ms, at_ms + step_ms);
    return count;
}

TEST(a_chance_is_of_each_minute_and_each_device) {
    FaultPlan plan = {.seed = 7, .value = {[FAULT_DROP] = 0.25}};
    unsigned count = struck(&plan, FAULT_DROP, 4 * MINUTE_MS, 500);
    CHECK(count > DEVICES * 9 / 10 && count < DEVICES * 11 / 10);
    CHECK(struck(&plan, FAULT_DROP, 4 * MINUTE_MS, 12'000) == count); // however often one looks
    unsigned early = struck(&plan, FAULT_DROP, MINUTE_MS / 2, 1000);
    CHECK(early > DEVICES / 10 && early < DEVICES * 3 / 20); // not all at the minute's begin
    CHECK(struck(&plan, FAULT_SILENT, MINUTE_MS, 1000) == 0);
}

TEST(a_look_over_several_minutes_sees_what_happened_in_each) {
    FaultPlan plan = {.seed = 7, .value = {[FAULT_DROP] = 1}};
    CHECK(fault_plan_strikes(&plan, FAULT_DROP, 3, 0, MINUTE_MS));
    CHECK(fault_plan_strikes(&plan, FAULT_DROP, 3, MINUTE_MS - 1, 2 * MINUTE_MS + 1));
    CHECK(!fault_plan_strikes(&plan, FAULT_DROP, 3, 500, 500));
}

TEST(the_seed_decides_when) {
    FaultPlan one = {
        .seed = 1, .value = {[FAULT_DROP] = 0.5, [FAULT_GARBAGE] = 0.5}
    };
    FaultPlan again = one, other = one;
    other.seed = 2;
    unsigned same = 0, kinds = 0;
    for (uint64_t device = 0; device < DEVICES; device++) {
        bool strikes = fault_plan_strikes(&one, FAULT_DROP, device, 0, MINUTE_MS);
        CHECK(fault_plan_strikes(&again, FAULT_DROP, device, 0, MINUTE_MS) == strikes);
        same += fault_plan_strikes(&other, FAULT_DROP, device, 0, MINUTE_MS) == strikes;
        kinds += fault_plan_strikes(&one, FAULT_GARBAGE, device, 0, MINUTE_MS) == strikes;
    }
    CHECK(same > DEVICES / 3 && same < DEVICES * 2 / 3);
    CHECK(kinds > DEVICES / 3 && kinds < DEVICES * 2 / 3);
}

TEST(a_device_flaps_once_a_period_at_a_moment_of_its_own) {
    FaultPlan plan = {.seed = 3, .value = {[FAULT_FLAP] = 5}};
    CHECK(struck(&plan, FAULT_FLAP, 20'000, 100) == 4 * DEVICES);
    unsigned early = struck(&plan, FAULT_FLAP, 1000, 100);
    CHECK(early > DEVICES / 7 && early < DEVICES * 2 / 7);
}

TEST(a_deployment_fails_with_its_chance_and_stays_failed) {
    FaultPlan plan = {.seed = 3, .value = {[FAULT_FAIL] = 0.5}};
    unsigned failed = 0, both = 0;
    for (uint64_t device = 0; device < DEVICES; device++) {
        bool first = fault_plan_fails(&plan, device, 1);
        CHECK(fault_plan_fails(&plan, device, 1) == first);
        failed += first;
        both += first && fault_plan_fails(&plan, device, 2);
    }
    CHECK(failed > DEVICES / 3 && failed < DEVICES * 2 / 3);
    CHECK(both > DEVICES / 8 && both < DEVICES * 3 / 8);
    CHECK(!fault_plan_fails(&(FaultPlan){}, 1, 1));
}

TEST(devices_go_out_from_addresses_of_their_own) {
    char source[SPREAD_TEXT_MAX];
    static const struct {
        uint64_t number, count;
        const char *source;
    } cases[] = {
        {0,              0,   "127.0.0.1"      },
        {253,            0,   "127.0.0.254"    },
        {254,            0,   "127.0.1.1"      },
        {100'000,        0,   "127.1.137.179"  },
        {SPREAD_MAX - 1, 0,   "127.255.255.254"},
        {SPREAD_MAX,     0,   "127.0.0.1"      },
        {1000,           1,   "127.0.0.1"      },
        {1000,           300, "127.0.0.101"    },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        spread_source(cases[i].number, cases[i].count, source);
        CHECK_STR(str_from(source), str_from(cases[i].source));
    }
}

TEST(only_a_server_on_loopback_sees_them) {
    CHECK(spread_reaches("127.0.0.1") && spread_reaches("127.3.2.1")
          && spread_reaches("localhost"));
    CHECK(!spread_reaches("::1") && !spread_reaches("192.0.2.1") && !spread_reaches("127"));
}

TEST_MAIN(CASE(faults_are_given_by_name_and_number),
          CASE(other_faults_are_refused),
          CASE(only_what_touches_connections_needs_them),
          CASE(a_chance_is_of_each_minute_and_each_device),
          CASE(a_look_over_several_minutes_sees_what_happened_in_each),
          CASE(the_seed_decides_when),
          CASE(a_device_flaps_once_a_period_at_a_moment_of_its_own),
          CASE(a_deployment_fails_with_its_chance_and_stays_failed),
          CASE(devices_go_out_from_addresses_of_their_own),
          CASE(only_a_server_on_loopback_sees_them))
