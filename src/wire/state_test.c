// SPDX-License-Identifier: Apache-2.0
#include "wire/state.h"

#include "base/scope.h"
#include "test.h"

#include <string.h>

TEST(a_file_is_readable_by_what_it_says_not_by_who_wrote_it) {
    StateHead head = state_head();
    CHECK(head.format == STATE_FORMAT && state_head_is_readable(&head));
    head = (StateHead){.format = STATE_FORMAT + 7, .reads = STATE_FORMAT};
    CHECK(state_head_is_readable(&head));
    head.reads = STATE_FORMAT + 1;
    CHECK(!state_head_is_readable(&head));
}

TEST(the_head_of_every_file_is_found_whatever_follows) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 1 << 20);
    StateHead head;
    CHECK_OK(schema_read(&StateHead_schema,
                         S("{\"algorithm\":{\"of\":\"later\"},\"reads\":3,\"format\":4}"),
                         DECODE_PEER,
                         &arena,
                         &head,
                         NULL));
    CHECK(head.format == 4 && head.reads == 3);
}

TEST(a_file_without_its_head_is_damaged) {
    static const char *const texts[] = {
        "", "{}", "{\"format\":1}", "{\"reads\":1}", "{\"format\":0,\"reads\":0}", "[1,1]"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, 1 << 20);
        StateHead head;
        CHECK_ERR(
            schema_read(&StateHead_schema, str_from(texts[i]), DECODE_PEER, &arena, &head, NULL),
            ERR_INVALID);
    }
}

TEST(a_seed_has_its_length) {
    static const char *const seeds[] = {"",
                                        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
                                        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g"};
    for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
        SCOPED(arena_done) Arena arena;
        arena_init(&arena, 1 << 20);
        IdentityFile file;
        Str json = str_print(&arena,
                             "{\"format\":1,\"reads\":1,\"algorithm\":\"ed25519\",\"seed\":\"%s\"}",
                             seeds[i]);
        CHECK_ERR(schema_read(&IdentityFile_schema, json, DECODE_PEER, &arena, &file, NULL),
                  ERR_INVALID);
    }
}

TEST(each_file_begins_with_its_head) {
    static const Schema *const schemas[] = {&IdentityFile_schema,
                                            &Membership_schema,
                                            &ServersFile_schema,
                                            &DesiredFile_schema,
                                            &ReportedFile_schema};
    for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
        CHECK_STR(schemas[i]->fields[0].name, S("format"));
        CHECK_STR(schemas[i]->fields[1].name, S("reads"));
        CHECK(schemas[i]->fields[0].offset == 0); // the head is the first member
    }
}

TEST_MAIN(CASE(a_file_is_readable_by_what_it_says_not_by_who_wrote_it),
          CASE(the_head_of_every_file_is_found_whatever_follows),
          CASE(a_file_without_its_head_is_damaged),
          CASE(a_seed_has_its_length),
          CASE(each_file_begins_with_its_head))
