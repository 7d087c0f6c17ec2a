// SPDX-License-Identifier: Apache-2.0
/// A router's answer to who can wait for it: tests and fuzzers.
#pragma once

#include "http/router.h"
#include "io/worker.h"

/// Run one request and wait for its answer, which lives in `arena`; a stream is ended at once.
/// Thread-safe. With `workers` NULL the test has no lost races.
HttpReply
router_wait(const Router *router, WorkerPool *workers, const HttpRequest *request, Arena *arena);
