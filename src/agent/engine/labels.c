// SPDX-License-Identifier: Apache-2.0
#include "agent/engine/labels.h"

#include <string.h>

#define LABELS_FORMAT_TEXT "1" ///< LABELS_FORMAT

LabelsJudgement labels_judge(StrMap labels, Str device_id) {
    uint64_t format = 0;
    if (!str_eq(str_map_find(labels, S(LABEL_MANAGED)), S("true"))
        || !str_eq(str_map_find(labels, S(LABEL_DEVICE)), device_id)
        || str_u64(str_map_find(labels, S(LABEL_FORMAT)), &format).code != OK || format == 0)
        return LABELS_FOREIGN;
    if (format > LABELS_FORMAT) return LABELS_NEWER;
    return str_map_find(labels, S(LABEL_APPLICATION)).len > 0 ? LABELS_OURS : LABELS_FOREIGN;
}

bool labels_are_of(StrMap labels, const LabelsOwner *owner) {
    return labels_judge(labels, owner->device_id) == LABELS_OURS
           && str_eq(str_map_find(labels, S(LABEL_APPLICATION)), owner->application);
}

StrMap labels_make(const LabelsOwner *owner, const StrPair *more, size_t count, Arena *arena) {
    const StrPair all[] = {
        {S(LABEL_MANAGED),     S("true")            },
        {S(LABEL_FORMAT),      S(LABELS_FORMAT_TEXT)},
        {S(LABEL_DEVICE),      owner->device_id     },
        {S(LABEL_APPLICATION), owner->application   },
    };
    const size_t own = sizeof(all) / sizeof(all[0]);
    StrPair *pairs = ARENA_ARRAY(arena, StrPair, own + count);
    if (!pairs) return (StrMap){};
    memcpy(pairs, all, sizeof(all));
    if (count) memcpy(pairs + own, more, count * sizeof(*more));
    return (StrMap){pairs, own + count};
}
