// SPDX-License-Identifier: Apache-2.0
/// By what devices are selected (base/selector.h); any other key is a label.
#pragma once

#include "api/device.h"
#include "base/selector.h"

extern const SelectorKeys Device_keys;
