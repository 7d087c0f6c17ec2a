// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"
#include "base/text.h"

#include "starve.h"
#include "test.h"

TEST(an_arena_remembers_whether_its_limit_or_malloc_refused) {
    Arena arena;
    arena_init(&arena, 1024);
    starve(0, false);
    CHECK(!arena_alloc(&arena, 8, 8));
    CHECK(starve_end());
    CHECK(!arena_alloc(&arena, 2048, 8)); // the first refusal is what is told
    CHECK_ERR(arena_check(&arena), ERR_MEMORY);
    arena_reset(&arena);
    CHECK(arena_alloc(&arena, 8, 8) && !arena_alloc(&arena, 2048, 8));
    CHECK_ERR(arena_check(&arena), ERR_LIMIT);
    arena_done(&arena);
    arena_init(&arena, 1024);
    CHECK(!arena_array(&arena, SIZE_MAX / 2, 16, 8));
    CHECK_ERR(arena_check(&arena), ERR_LIMIT);
    arena_done(&arena);
}

TEST(a_text_remembers_whether_its_limit_or_malloc_refused) {
    Text text;
    text_init(&text, 100);
    starve(0, false);
    text_add(&text, S("abc"));
    CHECK(starve_end());
    text_add(&text, S("def"));
    CHECK_STR(text_str(&text), S(""));
    CHECK_ERR(text_check(&text), ERR_MEMORY);
    text_clear(&text);
    text_add(&text, S("abc"));
    CHECK_OK(text_check(&text));
    text_print(&text, "%200d", 1);
    CHECK_ERR(text_check(&text), ERR_LIMIT);
    text_done(&text);
}

TEST_MAIN(CASE(an_arena_remembers_whether_its_limit_or_malloc_refused),
          CASE(a_text_remembers_whether_its_limit_or_malloc_refused))
