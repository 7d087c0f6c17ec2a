// SPDX-License-Identifier: Apache-2.0
/// What the engine_*.c files share; nobody else includes it.
#pragma once

#include "agent/engine/engine.h"
#include "http1/http1.h"

enum {
    ENGINE_PULL_SILENCE_MS = 300'000,    ///< unpacking a large layer says nothing for a while
    ENGINE_REPLY_MAX = 16 * 1024 * 1024, ///< a list of every container; memory only as needed
    ENGINE_API_MAX = 16,
    ENGINE_TARGET_MAX = 2048,
};

/// The member of a filter that keeps what is managed and of the device whose id is to be printed:
/// "label":["io.muster.managed=true","io.muster.device=..."].
#define ENGINE_LABEL_FILTER                                                                  \
    "%%22label%%22%%3A%%5B%%22" LABEL_MANAGED "%%3Dtrue%%22%%2C%%22" LABEL_DEVICE "%%3D%.*s" \
    "%%22%%5D"

struct Engine {
    Http1 *calls;             ///< short ones: never cancelled, so that none is left half known
    Http1 *waits;             ///< pulls and events: cancelled by the owner
    char api[ENGINE_API_MAX]; ///< agreed on; empty: not yet
};

/// One exchange in the agreed version. `ret_body` may be NULL; else it is text_done's to free.
__attribute__((format(printf, 6, 7))) Err engine_call(Engine *engine,
                                                      const char *method,
                                                      Str body,
                                                      Text *ret_body,
                                                      Reason *reason,
                                                      const char *format,
                                                      ...);
/// Agree on a version unless that is done.
Err engine_agree(Engine *engine, Reason *reason);
/// Read what the engine says.
Err engine_decode(const Schema *schema, Str json, Arena *arena, void *record, Reason *reason);
/// Turn the status into an error, with the engine's words; OK for 2xx and 304.
Err engine_judge(const Http1Reply *reply, Reason *reason);
