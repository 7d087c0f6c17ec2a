// SPDX-License-Identifier: Apache-2.0
// Any bytes as a request and as an answer: texts that come out must lie within what went in.
#include "http1/head.h"
#include "http1/upgrade.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_within(Str text, Str head) {
    if (text.ptr) assert(text.ptr >= head.ptr && text.ptr + text.len <= head.ptr + head.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Str bytes = {(const char *)data, size};
    size_t len = 0;
    if (size == 0 || head_find(bytes, 0, &len).status || len == 0) return 0;
    Str head = str_slice(bytes, 0, len);
    Str key = {};
    UpgradeVerdict verdict = upgrade_request_parse(head, S("/v1/channel"), S("ours.1"), &key);
    assert((verdict.status == UPGRADE_ACCEPTED) == !verdict.detail);
    if (verdict.status == UPGRADE_ACCEPTED) {
        assert(key.len == UPGRADE_KEY_LEN);
        check_within(key, head);
    }
    UpgradeAnswer answer = {};
    Err err = upgrade_answer_parse(head, S("dGhlIHNhbXBsZSBub25jZQ=="), S("ours.1"), &answer);
    assert(err.code == OK || err.code == ERR_INVALID);
    return 0;
}
