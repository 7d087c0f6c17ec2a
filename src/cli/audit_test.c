// SPDX-License-Identifier: Apache-2.0
#include "api/audit.h"
#include "base/scope.h"
#include "cli/cli.h"
#include "cli/cli_fixture.h"
#include "test.h"

#include <sodium.h>
#include <stdlib.h>

enum { LATER_MS = 600'000, ENTRIES = 6 };

/// What a server answers: a journal of six entries.
typedef struct Book {
    Arena arena;
    JwsKey key;
    Id org_id;
    JournalLine lines[ENTRIES];
    Checkpoint ends[ENTRIES + 1];
} Book;

static void book_open(Book *book) {
    CHECK(sodium_init() >= 0);
    *book = (Book){};
    arena_init(&book->arena, 16 << 20);
    jws_key_make(&book->key);
    CHECK_OK(id_parse(S("org_" UUID), S("org"), &book->org_id));
    Checkpoint end = {.org_id = book->org_id, .at = {1}};
    book->ends[0] = end;
    for (size_t i = 0; i < ENTRIES; i++) {
        const JournalEntry entry = {.org_id = book->org_id,
                                    .number = i + 1,
                                    .at = {1000 + i},
                                    .action = S("fleet.create"),
                                    .previous = end.audit_hash};
        JournalLine *line = &book->lines[i];
        *line = (JournalLine){.number = i + 1, .at = entry.at};
        CHECK_OK(entry_encode(&entry, &book->arena, &line->entry, &line->hash));
        end.number = end.audit_number = i + 1;
        end.audit_hash = line->hash;
        book->ends[i + 1] = end;
    }
}

static void book_close(Book *book) {
    arena_done(&book->arena);
}

/// An answer of the peer with this body.
static Step answer(Book *book, Str body) {
    static const char head[] =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
    return (Step){str_print(&book->arena, "%s%.*s", head, STR_FMT(body)).ptr, CLOSE};
}

static Str token(Book *book, const Checkpoint *checkpoint) {
    Str signed_one;
    CHECK_OK(checkpoint_sign(&book->key, checkpoint, &book->arena, &signed_one));
    return signed_one;
}

static Step head(Book *book, size_t number) {
    Str text = token(book, &book->ends[number]);
    return answer(book, str_print(&book->arena, "{\"checkpoint\":\"%.*s\"}", STR_FMT(text)));
}

/// The lines from..to of the journal.
static Step lines(Book *book, size_t from, size_t to, bool has_next) {
    SCOPED(text_done) Text text;
    text_init(&text, 1 << 20);
    text_add(&text, S("{\"items\":"));
    schema_encode_list(
        &JournalLine_schema, &book->lines[from - 1], to - from + 1, ENCODE_REPLY, &text);
    if (has_next) text_print(&text, ",\"next\":\"%zu\"", to);
    text_add_char(&text, '}');
    CHECK_OK(text_check(&text));
    return answer(book, text_str(&text));
}

TEST(a_whole_journal_is_verified_page_by_page) {
    SCOPED(book_close) Book book;
    World world;
    book_open(&book);
    WORLD_OPEN(&world, head(&book, 5), lines(&book, 1, 3, true), lines(&book, 4, 6, false));
    world_sign_in(&world, LATER_MS);
    SCOPED(run_done) Run result = RUN("muster", "audit", "verify", "--output", "json");
    world_close(&world);
    CHECK(result.code == 0);
    CHECK(strstr(result.out, "\"intact\":true,\"entries\":5,\"number\":5")); // the 6th came later
    CHECK(strstr(world.peer.requests[1], "GET /v1/audit/export?after=0&limit=200 "));
    CHECK(strstr(world.peer.requests[2], "GET /v1/audit/export?after=3&limit=200 "));
}

TEST(what_is_broken_is_said_and_is_exit_code_1) {
    SCOPED(book_close) Book book;
    World world;
    book_open(&book);
    book.lines[3].entry = book.lines[2].entry;
    WORLD_OPEN(&world, head(&book, 6), lines(&book, 1, 6, false));
    world_sign_in(&world, LATER_MS);
    SCOPED(run_done) Run result = RUN("muster", "audit", "verify");
    world_close(&world);
    CHECK(result.code == EXIT_PARTIAL);
    CHECK(strstr(result.out, "entry 4 has not the hash of its bytes"));
}

TEST(rows_that_are_cut_off_at_the_end_are_noticed) {
    SCOPED(book_close) Book book;
    World world;
    book_open(&book);
    WORLD_OPEN(&world, head(&book, 6), lines(&book, 1, 4, false));
    world_sign_in(&world, LATER_MS);
    SCOPED(run_done) Run result = RUN("muster", "audit", "verify");
    world_close(&world);
    CHECK(result.code == EXIT_PARTIAL);
    CHECK(strstr(result.out, "the journal ends at audit entry 4, but its signed head names 6"));
}

TEST(a_saved_verification_is_continued_where_it_ended) {
    SCOPED(book_close) Book book;
    World world;
    book_open(&book);
    WORLD_OPEN(&world,
               head(&book, 3),
               lines(&book, 1, 3, false),
               head(&book, 6),
               lines(&book, 4, 6, false));
    world_sign_in(&world, LATER_MS);
    Str path = str_dup(&book.arena, str_from(world_file(&world, "proof", "")));
    SCOPED(run_done) Run first = RUN("muster", "audit", "verify", "--save", path.ptr);
    CHECK(first.code == 0);
    SCOPED(run_done)
    Run second = RUN("muster", "audit", "verify", "--checkpoint", path.ptr, "--save", path.ptr);
    CHECK(second.code == 0);
    world_close(&world);
    CHECK(strstr(world.peer.requests[3], "GET /v1/audit/export?after=3&"));
}

TEST(a_journal_that_is_shorter_than_it_was_is_noticed) {
    SCOPED(book_close) Book book;
    World world;
    book_open(&book);
    WORLD_OPEN(&world, head(&book, 2));
    world_sign_in(&world, LATER_MS);
    Str late = token(&book, &book.ends[6]);
    const char *json = str_print(&book.arena, "{\"checkpoint\":\"%.*s\"}", STR_FMT(late)).ptr;
    const char *path = world_file(&world, "late", json);
    SCOPED(run_done) Run result = RUN("muster", "audit", "verify", "--checkpoint", path);
    world_close(&world);
    CHECK(result.code == EXIT_PARTIAL);
    CHECK(strstr(result.out, "the journal ends at entry 2, but did go to 6"));
}

TEST(a_saved_file_that_is_none_is_named) {
    static const char *const texts[] = {
        "no json", "{\"checkpoint\":7}", "{\"checkpoint\":\"a.b.c\"}"};
    for (size_t i = 0; i < 3; i++) {
        SCOPED(book_close) Book book;
        World world;
        book_open(&book);
        WORLD_OPEN(&world, head(&book, 2));
        world_sign_in(&world, LATER_MS);
        const char *path = world_file(&world, "proof", texts[i]);
        SCOPED(run_done) Run result = RUN("muster", "audit", "verify", "--checkpoint", path);
        world_close(&world);
        CHECK(result.code != EXIT_OK && result.code != EXIT_PARTIAL);
        CHECK(strstr(result.err, path));
    }
}

TEST(a_checkpoint_begins_a_verification_that_needs_nothing_before_it) {
    SCOPED(book_close) Book book;
    World world;
    book_open(&book);
    WORLD_OPEN(&world, head(&book, 2), head(&book, 6), lines(&book, 3, 6, false));
    world_sign_in(&world, LATER_MS);
    Str path = str_dup(&book.arena, str_from(world_file(&world, "checkpoint", "")));
    SCOPED(run_done) Run saved = RUN("muster", "audit", "checkpoint", "--save", path.ptr);
    CHECK(saved.code == 0);
    SCOPED(run_done) Run result = RUN("muster", "audit", "verify", "--checkpoint", path.ptr);
    world_close(&world);
    CHECK(result.code == 0 && strstr(result.out, "true"));
}

TEST(a_checkpoint_that_is_older_than_what_retention_left_is_said) {
    SCOPED(book_close) Book book;
    World world;
    book_open(&book);
    Str early = token(&book, &book.ends[1]);
    book.ends[6].floor_number = 3;
    book.ends[6].floor_hash = book.ends[3].audit_hash;
    WORLD_OPEN(&world, head(&book, 6), head(&book, 6), lines(&book, 4, 6, false));
    world_sign_in(&world, LATER_MS);
    const char *json = str_print(&book.arena, "{\"checkpoint\":\"%.*s\"}", STR_FMT(early)).ptr;
    const char *path = world_file(&world, "early", json);
    SCOPED(run_done) Run result = RUN("muster", "audit", "verify", "--checkpoint", path);
    CHECK(result.code != 0 && result.code != EXIT_PARTIAL);
    CHECK(strstr(result.err, "entries up to 3 were removed by retention"));
    SCOPED(run_done) Run whole = RUN("muster", "audit", "verify"); // from the floor
    world_close(&world);
    CHECK(whole.code == 0);
}

TEST(an_export_is_a_line_an_entry) {
    SCOPED(book_close) Book book;
    World world;
    book_open(&book);
    WORLD_OPEN(&world, lines(&book, 3, 4, true), lines(&book, 5, 6, false));
    world_sign_in(&world, LATER_MS);
    SCOPED(run_done) Run result = RUN("muster", "audit", "export", "--after", "2");
    world_close(&world);
    CHECK(result.code == 0);
    Str rest = str_from(result.out), line;
    uint64_t number = 2;
    while (str_cut(&rest, '\n', &line) && line.len > 0) {
        JournalLine got;
        CHECK_OK(schema_read(&JournalLine_schema, line, DECODE_REPLY, &book.arena, &got, NULL));
        CHECK(got.number == ++number);
        CHECK_STR(got.entry, book.lines[number - 1].entry);
    }
    CHECK(number == 6);
    CHECK(strstr(world.peer.requests[0], "after=2&"));
}

TEST_MAIN(CASE(a_whole_journal_is_verified_page_by_page),
          CASE(what_is_broken_is_said_and_is_exit_code_1),
          CASE(rows_that_are_cut_off_at_the_end_are_noticed),
          CASE(a_saved_verification_is_continued_where_it_ended),
          CASE(a_journal_that_is_shorter_than_it_was_is_noticed),
          CASE(a_saved_file_that_is_none_is_named),
          CASE(a_checkpoint_begins_a_verification_that_needs_nothing_before_it),
          CASE(a_checkpoint_that_is_older_than_what_retention_left_is_said),
          CASE(an_export_is_a_line_an_entry))
