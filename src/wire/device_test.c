// SPDX-License-Identifier: Apache-2.0
#include "wire/device.h"

#include "base/arena.h"
#include "test.h"

#include <string.h>

TEST(any_text_becomes_a_name_or_nothing) {
    Arena arena;
    arena_init(&arena, 4096);
    CHECK_STR(device_name_fit(S("PF2ABC9"), &arena), S("pf2abc9"));
    CHECK_STR(device_name_fit(S("  Cam 7/left. "), &arena), S("cam-7-left"));
    CHECK_STR(device_name_fit(S("Cam 01.Factory_"), &arena), S("cam-01.factory"));
    CHECK_STR(device_name_fit(S("--a_b.c--"), &arena), S("a_b.c"));
    CHECK_STR(device_name_fit(S("M\xc3\xbcller 3"), &arena), S("m-ller-3"));
    CHECK(!device_name_fit(S(" /// "), &arena).ptr);
    CHECK(!device_name_fit(S("\xc3\xa9 !"), &arena).ptr);
    CHECK(!device_name_fit((Str){}, &arena).ptr);
    char large[200];
    memset(large, 'x', sizeof(large));
    Str longest = device_name_fit((Str){large, sizeof(large)}, &arena);
    CHECK(longest.len == DEVICE_NAME_MAX && Pattern_slug.matches(longest));
    arena_done(&arena);
}

TEST_MAIN(CASE(any_text_becomes_a_name_or_nothing))
