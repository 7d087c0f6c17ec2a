// SPDX-License-Identifier: Apache-2.0
/// How a failure is told by one program to another: a problem document of RFC 9457.
///
/// `code` is the stable word that programs compare; `detail` is for people. What the operating
/// system said never leaves the server: it is in the log, under the request id. Who answers and who
/// reads the answer share this record.
#pragma once

#include "base/schema.h"

/// One bad field.
typedef struct ProblemFault {
    Str pointer; ///< RFC 6901 into the body, or "/NAME" of a query parameter
    Str detail;
} ProblemFault;

typedef struct Problem {
    Str type;
    Str title;
    uint64_t status;
    Str code; ///< err_code_name
    Str detail;
    Str instance; ///< the path of the request
    Str request_id;
    uint64_t retry_after_s; ///< 0: no advice
    struct {
        ProblemFault *items;
        size_t count;
    } errors;
} Problem;

enum {
    PROBLEM_PATH_MAX = 1024,        ///< bytes of `instance`; the rest of a longer path is cut
    PROBLEM_TEXT_MAX = 512,         ///< bytes of any other text
    PROBLEM_BYTES_MAX = 256 * 1024, ///< of a whole document
    PROBLEM_RETRY_S = 1,            ///< advised where what is missing may be back soon
};

#define PROBLEM_CONTENT_TYPE "application/problem+json"

extern const Schema ProblemFault_schema;
extern const Schema Problem_schema;

/// What is answered with 503 where there is no memory to make a document.
extern const Str problem_of_no_memory;

/// Append the document that tells `err`. `status`: of HTTP, which may be more exact than
/// err_http_status(err.code). `faults`: NULL or what is wrong with the input.
void problem_encode(Err err,
                    uint32_t status,
                    Str path,
                    Str request_id,
                    uint64_t retry_after_s,
                    const Faults *faults,
                    Text *out);
/// Read what a peer said by a failure's `status` and `body`. Returns what it means here: by its
/// `code`, or by the status where that is no word of ours. Texts are in `arena`; a body that is no
/// problem document leaves everything but the status absent.
ErrCode problem_read(uint32_t status, Str body, Arena *arena, Problem *ret_problem);
