// SPDX-License-Identifier: Apache-2.0
// Lines of the input are method, path, bearer, content type and one query pair; the rest is the
// body. Whatever comes, there is an answer with a status, and a failure is a document.
#include "http/fixture.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Str rest = {(const char *)data, size};
    Str lines[6] = {};
    for (size_t i = 0; i < 6; i++) {
        if (!str_cut(&rest, '\n', &lines[i])) break;
    }
    StrPair pair = {lines[4], lines[5]};
    HttpRequest request = {
        .method = lines[0],
        .path = lines[1],
        .bearer = lines[2],
        .content_type = lines[3],
        .query = {&pair, pair.key.len ? 1 : 0},
        .body = rest
    };
    Fixture fixture;
    fixture_open(&fixture);
    HttpReply reply = fixture_run(&fixture, &request);
    assert(reply.status >= 200 && reply.status < 600);
    assert(reply.status != 500 && reply.status != 503);
    assert(reply.status == 204 || (reply.content_type.ptr && reply.body.len));
    assert((reply.status == 405) == (reply.allow.ptr != NULL));
    fixture_close(&fixture);
    return 0;
}
