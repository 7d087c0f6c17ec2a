// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include "base/id.h"
#include "test.h"

static Str formatted(uint64_t ms) {
    static char text[TIME_TEXT_LEN + 1];
    time_format((Time){ms}, text);
    return str_from(text);
}

TEST(times_round_trip_through_rfc_3339) {
    Time time;
    CHECK_OK(time_parse(S("2024-02-29T23:59:60.9999+01:30"), &time));
    CHECK_STR(formatted(time.ms), S("2024-02-29T22:29:59.999Z"));
    CHECK_OK(time_parse(S("1970-01-01T00:00:00Z"), &time));
    CHECK(time.ms == 0);
    CHECK(time.ms == 0);
    CHECK_OK(time_parse(S("1969-12-31T23:59:59Z"), &time)); // of a clock that stands before it
    CHECK(time.ms == 0);
    CHECK_OK(time_parse(S("9999-12-31T23:59:59.001Z"), &time));
    CHECK_STR(formatted(time.ms), S("9999-12-31T23:59:59.001Z"));
}

TEST(times_until_the_year_10000_are_written_as_they_are_read) {
    const uint64_t days_ms = 3 * UINT64_C(86'400'000) + 1'234'567;
    const uint64_t end_ms = UINT64_C(253'402'300'800'000);
    for (uint64_t ms = days_ms; ms < end_ms; ms += days_ms) {
        Time time;
        CHECK_OK(time_parse(formatted(ms), &time));
        CHECK(time.ms == ms);
    }
}

TEST(other_forms_of_time_are_refused) {
    static const char *const bad[] = {"2023-02-29T00:00:00Z",
                                      "2023-01-01T00:00:00",
                                      "2023-01-01T24:00:00Z",
                                      "2023-1-01T00:00:00Z",
                                      "2023-01-01T00:00:00.Z",
                                      "2023-01-01T00:00:00Zx"};
    Time time;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK_ERR(time_parse(str_from(bad[i]), &time), ERR_INVALID);
}

TEST(durations_round_trip_and_refuse_nonsense) {
    Duration duration;
    char text[DURATION_TEXT_MAX];
    CHECK_OK(duration_parse(S("1h30m"), &duration));
    CHECK(duration.ms == 5'400'000);
    duration_format((Duration){90'061'001}, text);
    CHECK_STR(str_from(text), S("1d1h1m1s1ms"));
    CHECK_ERR(duration_parse(S("5"), &duration), ERR_INVALID);
    CHECK_ERR(duration_parse(S("m"), &duration), ERR_INVALID);
    CHECK_ERR(duration_parse(S("999999999999999999d"), &duration), ERR_INVALID);
}

TEST(ids_carry_their_noun_and_sort_by_time) {
    Id early = id_new(S("device"), 1000);
    Id late = id_new(S("device"), 2000);
    CHECK(str_cmp(id_str(&early), id_str(&late)) < 0);
    Id parsed;
    CHECK_OK(id_parse(id_str(&early), S("device"), &parsed));
    CHECK(id_eq(&parsed, &early));
    CHECK_ERR(id_parse(id_str(&early), S("fleet"), &parsed), ERR_INVALID);
    CHECK_ERR(id_parse(S("device_81jdfq3t5hefbv1nq5a3x4k2zr"), S("device"), &parsed), ERR_INVALID);
    CHECK_ERR(id_parse(S("device_01jdfq3t5hefbv1nq5a3x4k2z"), S("device"), &parsed), ERR_INVALID);
    CHECK_ERR(id_parse(S("device_01jdfq3t5hefbv1nq5a3x4k2zl"), S("device"), &parsed), ERR_INVALID);
}

TEST_MAIN(CASE(times_round_trip_through_rfc_3339),
          CASE(times_until_the_year_10000_are_written_as_they_are_read),
          CASE(other_forms_of_time_are_refused),
          CASE(durations_round_trip_and_refuse_nonsense),
          CASE(ids_carry_their_noun_and_sort_by_time))
