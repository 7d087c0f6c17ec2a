// SPDX-License-Identifier: Apache-2.0
#include "http/problem.h"

#include "http/router.h"

#include <assert.h>

#define URN "urn:muster:problem:"

static const Field ProblemFault_fields[] = {
    FIELD(ProblemFault,
          pointer,
          0,
          "where in the body (RFC 6901), or \"/NAME\" of a query parameter",
          .max = PROBLEM_TEXT_MAX),
    FIELD(ProblemFault, detail, REQUIRED, "what is allowed there", .max = PROBLEM_TEXT_MAX),
};
const Schema ProblemFault_schema = SCHEMA(ProblemFault, "problem_fault", "one bad field");

static const Field Problem_fields[] = {
    FIELD(Problem, type, REQUIRED, "names the kind of failure"),
    FIELD(Problem, title, REQUIRED, "the kind of failure, in words"),
    FIELD(Problem, status, REQUIRED, "the HTTP status", .min = 400, .max = 599),
    FIELD(Problem, code, REQUIRED, "the stable word to compare"),
    FIELD(Problem, detail, REQUIRED, "what happened", .max = PROBLEM_TEXT_MAX),
    FIELD(Problem, instance, 0, "the path of the request", .max = PROBLEM_PATH_MAX * 3),
    FIELD(Problem, request_id, 0, "to find this request in the log"),
    FIELD(Problem, retry_after_s, 0, "seconds after which to try again; 0: no advice"),
    FIELD_LIST(Problem, errors, ProblemFault, 0, "every bad field", .max = FAULTS_MAX),
};
const Schema Problem_schema = SCHEMA(Problem, "problem", "why a request failed (RFC 9457)");

/// What the outside is told about each ErrCode.
static const struct {
    uint32_t status;
    const char *type;
    const char *title;
} kinds[ERR_CODE_COUNT] = {
    [OK] = {200, "about:blank",         "Done"                              },
    [ERR_INVALID] = {422, URN "invalid",         "The input is not allowed"          },
    [ERR_UNAUTHENTICATED] = {401, URN "unauthenticated", "Who is calling was not shown"      },
    [ERR_FORBIDDEN] = {403, URN "forbidden",       "The caller may not do this"        },
    [ERR_NOT_FOUND] = {404, URN "not_found",       "There is no such thing"            },
    [ERR_EXISTS] = {409, URN "exists",          "There is one already"              },
    [ERR_CONFLICT] = {409, URN "conflict",        "Somebody else was faster"          },
    [ERR_STATE] = {409, URN "state",           "Not possible in the present state" },
    [ERR_LIMIT] = {413, URN "limit",           "A limit was reached"               },
    [ERR_BUSY] = {429, URN "busy",            "Too much at once"                  },
    [ERR_TIMEOUT] = {504, URN "timeout",         "No answer in time"                 },
    [ERR_UNAVAILABLE] = {503, URN "unavailable",     "A part that is needed is not there"},
    [ERR_SYSTEM] = {500, URN "system",          "The server failed"                 },
};

uint32_t http_status(ErrCode code) {
    assert((unsigned)code < ERR_CODE_COUNT);
    return kinds[code].status;
}

void problem_encode(Err err,
                    uint32_t status,
                    Str path,
                    Str request_id,
                    uint64_t retry_after_s,
                    const Faults *faults,
                    Text *out) {
    assert(err.code != OK && err.what && status >= 400);
    ProblemFault items[FAULTS_MAX];
    Problem problem = {
        .type = str_from(kinds[err.code].type),
        .title = str_from(kinds[err.code].title),
        .status = status,
        .code = str_from(err_code_name(err.code)),
        .detail = err.code == ERR_SYSTEM ? S("the log has the cause, under the request id")
                                         : str_from(err.what),
        .instance = str_slice(path, 0, PROBLEM_PATH_MAX),
        .request_id = request_id,
        .retry_after_s = retry_after_s,
        .errors = {items, faults ? faults->count : 0},
    };
    for (size_t i = 0; i < problem.errors.count; i++)
        items[i] = (ProblemFault){faults->items[i].pointer, faults->items[i].allowed};
    schema_encode(&Problem_schema, &problem, ENCODE_REPLY, out);
}
