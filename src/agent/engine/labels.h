// SPDX-License-Identifier: Apache-2.0
/// The labels by which an object of the engine is recognised as ours (docs/protocol.md, section 8).
///
/// Names are for people, labels identify. What does not carry all of ours, or belongs to another
/// device, is never touched, whatever its name; what a newer program made is left alone, too.
#pragma once

#include "base/schema.h"

enum { LABELS_FORMAT = 1 }; ///< of the names and labels that this program makes

#define LABEL_MANAGED "io.muster.managed" ///< "true" on everything that is ours
#define LABEL_FORMAT "io.muster.format"
#define LABEL_DEVICE "io.muster.device"
#define LABEL_APPLICATION "io.muster.application"
#define LABEL_SERVICE "io.muster.service"
#define LABEL_RELEASE "io.muster.release"
#define LABEL_CONFIG "io.muster.config"

/// Whose an object is.
typedef struct LabelsOwner {
    Str device_id;
    Str application;
} LabelsOwner;

typedef enum LabelsJudgement {
    LABELS_FOREIGN, ///< not of this device, or not managed
    LABELS_NEWER,   ///< of this device, by a newer program
    LABELS_OURS,
} LabelsJudgement;

/// Whether an object with these labels is the device's.
LabelsJudgement labels_judge(StrMap labels, Str device_id);
/// Whether it is the application's of the device.
bool labels_are_of(StrMap labels, const LabelsOwner *owner);
/// The labels that every object of an application has, followed by `more`; in `arena`, absent when
/// it is exhausted.
StrMap labels_make(const LabelsOwner *owner, const StrPair *more, size_t count, Arena *arena);
