// SPDX-License-Identifier: Apache-2.0
/// A small API over no database, for the tests of this folder and the fuzzer.
#pragma once

#include "http/router_fixture.h"

typedef struct Part {
    Str name;
    uint64_t weight;
} Part;

typedef struct Box {
    Str name;
    Str note;
    uint64_t size;
    struct {
        Part *items;
        size_t count;
    } parts;
} Box;

typedef struct BoxQuery {
    uint64_t limit;
} BoxQuery;

enum { MAY_READ = 1, MAY_WRITE = 2 };

/// What the hooks and handlers count, and how they are told to behave.
typedef struct Fixture {
    _Atomic uint32_t begun, finished, committed, handled; ///< on any thread
    uint32_t conflicts;                                   ///< how many commits lose their race
    Err handler_fails; ///< what the handler of POST returns, unless OK
    Err refuses_after; ///< what it refuses with after the commit, unless OK
    size_t note_len;   ///< of its answer's note, of quotes; 0: that of the request
    Router *router;
    WorkerPool *workers; ///< run lost races again; opened and closed by a test that has some
    Arena arena;
} Fixture;

extern const Schema Box_schema;

/// A router over the routes below; the token "reader" may read, "writer" may do both.
void fixture_open(Fixture *fixture);
/// Free all of it.
void fixture_close(Fixture *fixture);
/// Run one request and give its answer, which lives until the next one.
HttpReply fixture_run(Fixture *fixture, const HttpRequest *request);
