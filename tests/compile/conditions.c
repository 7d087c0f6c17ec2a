// SPDX-License-Identifier: Apache-2.0
/// Conditions that the compiler must refuse. Each `#ifdef NAME` is one case of refused.sh; without
/// any, the file compiles: that is the control, and has a condition of each kind.
#include "db/tx.h"

typedef enum Mood { MOOD_CALM, MOOD_BUSY } Mood;

typedef struct Row {
    bool flag;
    uint64_t u64;
    int64_t i64;
    double real;
    Str text;
    Id id;
    Time time;
    Duration duration;
    Bytes bytes;
    StrList list;
    Mood mood;
} Row;
extern const Schema Row_schema;

void values(const Id *id, Str text, uint64_t number);
void values(const Id *id, Str text, uint64_t number) {
    [[maybe_unused]] const Condition all[] = {
        WHERE(Row, flag, IS, true),
        WHERE(Row, u64, IS, 1),
        WHERE(Row, u64, BELOW, number),
        WHERE(Row, i64, AT_LEAST, -1),
        WHERE(Row, text, IS, text),
        WHERE(Row, text, BEGINS, text),
        WHERE(Row, id, IS, id),
        WHERE(Row, id, BEGINS, text),
        WHERE(Row, time, BELOW, (Time){5}),
        WHERE(Row, duration, AT_LEAST, (Duration){5}),
        WHERE(Row, mood, IS, MOOD_BUSY),
#ifdef a_member_that_is_not_there
        WHERE(Row, txet, IS, text),
#endif
#ifdef a_number_for_a_text
        WHERE(Row, text, IS, 1),
#endif
#ifdef a_text_for_a_number
        WHERE(Row, u64, IS, text),
#endif
#ifdef a_text_for_an_id
        WHERE(Row, id, IS, text),
#endif
#ifdef a_literal_for_a_text
        WHERE(Row, text, IS, "text"),
#endif
#ifdef milliseconds_for_a_time
        WHERE(Row, time, BELOW, 5),
#endif
#ifdef a_time_for_a_duration
        WHERE(Row, duration, IS, (Time){5}),
#endif
#ifdef below_of_a_bool
        WHERE(Row, flag, BELOW, true),
#endif
#ifdef below_of_an_enum
        WHERE(Row, mood, BELOW, MOOD_BUSY),
#endif
#ifdef begins_of_a_time
        WHERE(Row, time, BEGINS, text),
#endif
#ifdef begins_of_a_number
        WHERE(Row, u64, BEGINS, text),
#endif
#ifdef a_condition_about_a_real
        WHERE(Row, real, IS, 1.0),
#endif
#ifdef a_condition_about_bytes
        WHERE(Row, bytes, IS, text),
#endif
#ifdef a_condition_about_a_list
        WHERE(Row, list, IS, text),
#endif
#ifdef a_how_that_is_not_there
        WHERE(Row, text, ABOVE, text),
#endif
    };
}

void lists(const Id *ids, Str *texts, const uint64_t *numbers);
void lists(const Id *ids, Str *texts, const uint64_t *numbers) {
    [[maybe_unused]] const Time *times = NULL;
    [[maybe_unused]] const Condition all[] = {
        WHERE_ONE_OF(Row, id, ids, 3),
        WHERE_ONE_OF(Row, text, texts, 3),
        WHERE_ONE_OF(Row, u64, numbers, 3),
#ifdef one_of_a_list_of_another_type
        WHERE_ONE_OF(Row, id, texts, 3),
#endif
#ifdef one_of_a_list_that_is_like_it
        WHERE_ONE_OF(Row, duration, times, 3),
#endif
#ifdef one_of_a_single_value
        WHERE_ONE_OF(Row, u64, numbers[0], 3),
#endif
    };
    [[maybe_unused]] const Query orders[] = {
        {.order = BY(Row, time)},
#ifdef an_order_by_a_member_that_is_not_there
        {.order = BY(Row, txet)},
#endif
    };
}
