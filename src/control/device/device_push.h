// SPDX-License-Identifier: Apache-2.0
/// What devices are told without having asked.
#pragma once

#include "control/app.h"

/// RouterOptions.published: act on what happened in a committed call.
void device_published(void *app, Call *call);
