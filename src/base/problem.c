// SPDX-License-Identifier: Apache-2.0
#include "base/problem.h"

#include <assert.h>
#include <stdio.h>

#define URN "urn:muster:problem:"

enum { PROBLEM_CODE_MAX = 32 };

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

const Str problem_of_no_memory =
    S("{\"type\":\"" URN "memory\",\"title\":\"There is no memory now\",\"status\":503,"
      "\"code\":\"memory\",\"detail\":\"out of memory\"}");

void problem_encode(Err err,
                    uint32_t status,
                    Str path,
                    Str request_id,
                    uint64_t retry_after_s,
                    const Faults *faults,
                    Text *out) {
    assert(err.code != OK && err.what && status >= 400);
    char type[sizeof(URN) + PROBLEM_CODE_MAX];
    snprintf(type, sizeof(type), URN "%s", err_code_name(err.code));
    ProblemFault items[FAULTS_MAX];
    Problem problem = {
        .type = str_from(type),
        .title = str_from(err_title(err.code)),
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

/// A failure that a peer has with its own machine is none of this one.
static ErrCode problem_code_from_peer(Str name, uint32_t status) {
    ErrCode code = err_from_name(name);
    if (code >= ERR_MEMORY) return ERR_UNAVAILABLE;
    return code != OK ? code : err_from_http_status(status);
}

ErrCode problem_read(uint32_t status, Str body, Arena *arena, Problem *ret_problem) {
    Faults ignored;
    faults_init(&ignored, arena);
    Problem problem = {};
    Err err = schema_decode(&Problem_schema, body, DECODE_REPLY, arena, &ignored, &problem);
    if (err.code != OK) problem = (Problem){};
    problem.status = status;
    *ret_problem = problem;
    return problem_code_from_peer(problem.code, status);
}
