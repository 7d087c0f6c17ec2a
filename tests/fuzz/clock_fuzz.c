// SPDX-License-Identifier: Apache-2.0
// Times, durations and ids: what parses is written and parsed again without a change.
#include "base/clock.h"
#include "base/id.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Str text = {(const char *)data, size};
    Time time, time_again;
    if (time_parse(text, &time).code == OK) {
        char written[TIME_TEXT_LEN + 1];
        time_format(time, written);
        assert(time_parse(str_from(written), &time_again).code == OK);
        assert(time.ms == time_again.ms);
    }
    Duration duration, duration_again;
    if (duration_parse(text, &duration).code == OK) {
        char written[DURATION_TEXT_MAX];
        duration_format(duration, written);
        assert(duration_parse(str_from(written), &duration_again).code == OK);
        assert(duration.ms == duration_again.ms);
    }
    Id id;
    if (id_parse(text, (Str){}, &id).code == OK) assert(str_eq(id_str(&id), text));
    return 0;
}
