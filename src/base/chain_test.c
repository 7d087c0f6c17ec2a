// SPDX-License-Identifier: Apache-2.0
#include "base/chain.h"

#include "base/scope.h"
#include "test.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { LINES = 6 };

/// A journal of six entries, of which the third is an event.
typedef struct Book {
    Arena arena;
    JwsKey key;
    Id org_id;
    JournalLine lines[LINES + 1];
    size_t count;
    Checkpoint ends[LINES + 1]; ///< after so many
} Book;

static JournalLine book_line(Book *book, const JournalEntry *entry) {
    JournalLine line = {.number = entry->number, .class = entry->class, .at = entry->at};
    CHECK_OK(entry_encode(entry, &book->arena, &line.entry, &line.hash));
    return line;
}

static void book_open(Book *book) {
    CHECK(sodium_init() >= 0);
    *book = (Book){.org_id = id_new(S("org"), 1)};
    arena_init(&book->arena, 16 << 20);
    jws_key_make(&book->key);
    Checkpoint end = {.org_id = book->org_id, .at = {1}};
    end.use = S(CHECKPOINT_USE);
    end.public_key =
        base64_encode(&book->arena, (Bytes){book->key.public, JWS_PUBLIC_KEY_LEN}, BASE64);
    book->ends[0] = end;
    for (size_t i = 0; i < LINES; i++) {
        bool is_audit = i != 2;
        JournalEntry entry = {.org_id = book->org_id,
                              .number = i + 1,
                              .class = is_audit ? ENTRY_AUDIT : ENTRY_EVENT,
                              .at = {1000 + i},
                              .actor = S("somebody"),
                              .action = S("box.open"),
                              .subject = S("box"),
                              .previous = is_audit ? end.audit_hash : (Str){}};
        book->lines[i] = book_line(book, &entry);
        end.number = i + 1;
        if (is_audit) end.audit_number = i + 1;
        if (is_audit) end.audit_hash = book->lines[i].hash;
        book->ends[i + 1] = end;
    }
    book->count = LINES;
}

static void book_close(Book *book) {
    arena_done(&book->arena);
}

/// Walk from behind `from` to the end that the last checkpoint names.
static Err
book_walk(Book *book, const Checkpoint *from, const Checkpoint *passing, Reason *reason) {
    const Checkpoint *head = &book->ends[LINES];
    Chain chain;
    TRY(chain_init(&chain, &book->org_id, from->number, from->audit_number, from->audit_hash));
    chain.passing = passing;
    for (size_t i = 0; i < book->count; i++)
        if (book->lines[i].number > from->number)
            TRY(chain_step(&chain, &book->lines[i], &book->arena, reason));
    return chain_end(&chain, head, reason);
}

#define WALK(book) book_walk((book), &(book)->ends[0], NULL, &reason)

TEST(a_whole_journal_fits_from_its_start_and_from_each_checkpoint) {
    SCOPED(book_close) Book book;
    book_open(&book);
    Reason reason = {};
    for (size_t i = 0; i <= LINES; i++)
        for (size_t k = 0; k <= LINES; k++)
            CHECK_OK(book_walk(&book, &book.ends[i], &book.ends[k], &reason));
}

TEST(an_event_that_has_expired_is_no_gap) {
    SCOPED(book_close) Book book;
    book_open(&book);
    Reason reason = {};
    memmove(&book.lines[2], &book.lines[3], 3 * sizeof(JournalLine));
    book.count--;
    CHECK_OK(WALK(&book));
}

TEST(each_column_that_is_changed_is_noticed_at_its_place) {
    for (int column = 0; column < 5; column++) {
        SCOPED(book_close) Book book;
        book_open(&book);
        Reason reason = {};
        JournalLine *line = &book.lines[3];
        if (column == 0) line->number = 40;
        if (column == 1) line->class = ENTRY_EVENT;
        if (column == 2) line->at.ms++;
        if (column == 3) line->entry = str_dup(&book.arena, book.lines[4].entry);
        if (column == 4) line->hash = str_dup(&book.arena, book.lines[4].hash);
        CHECK_ERR(WALK(&book), ERR_STATE);
        CHECK(strstr(reason.text, column == 0 ? "40" : "4"));
    }
}

TEST(an_entry_that_is_written_anew_does_not_follow) {
    for (size_t at = 0; at < LINES; at++) {
        SCOPED(book_close) Book book;
        book_open(&book);
        Reason reason = {};
        JournalEntry entry;
        CHECK_OK(entry_decode(book.lines[at].entry, book.lines[at].hash, &book.arena, &entry));
        entry.action = S("box.close");
        book.lines[at] = book_line(&book, &entry);
        // An event is numbered only: it is no proof.
        CHECK_ERR(WALK(&book), at == 2 ? OK : ERR_STATE);
    }
}

TEST(a_cut_a_swap_a_double_and_an_insertion_are_noticed_everywhere) {
    for (size_t at = 0; at < LINES; at++) {
        SCOPED(book_close) Book book;
        book_open(&book);
        Reason reason = {};
        const Book whole = book;
        memmove(&book.lines[at], &book.lines[at + 1], (LINES - at) * sizeof(JournalLine));
        book.count = LINES - 1;
        CHECK_ERR(WALK(&book), at == 2 ? OK : ERR_STATE);
        memcpy(book.lines, whole.lines, sizeof(book.lines));
        memmove(&book.lines[at + 1], &whole.lines[at], (LINES - at) * sizeof(JournalLine));
        book.count = LINES + 1; // the same one twice
        CHECK_ERR(WALK(&book), ERR_STATE);
        memcpy(book.lines, whole.lines, sizeof(book.lines));
        book.count = LINES;
        if (at + 1 == LINES) continue;
        book.lines[at] = whole.lines[at + 1];
        book.lines[at + 1] = whole.lines[at];
        CHECK_ERR(WALK(&book), ERR_STATE);
    }
}

TEST(rows_that_are_missing_at_the_end_and_all_of_them_are_noticed) {
    for (size_t left = 0; left < LINES; left++) {
        SCOPED(book_close) Book book;
        book_open(&book);
        Reason reason = {};
        book.count = left;
        CHECK_ERR(WALK(&book), ERR_STATE);
        CHECK(strstr(reason.text, "its signed head names 6"));
    }
}

TEST(another_organisations_entry_is_refused) {
    SCOPED(book_close) Book book;
    book_open(&book);
    Reason reason = {};
    JournalEntry entry;
    CHECK_OK(entry_decode(book.lines[0].entry, (Str){}, &book.arena, &entry));
    entry.org_id = id_new(S("org"), 9);
    book.lines[0] = book_line(&book, &entry);
    CHECK_ERR(WALK(&book), ERR_STATE);
    CHECK(strstr(reason.text, "another organisation"));
}

TEST(what_retention_left_fits_from_its_floor_only) {
    SCOPED(book_close) Book book;
    book_open(&book);
    Reason reason = {};
    memmove(&book.lines[0], &book.lines[2], 4 * sizeof(JournalLine));
    book.count = 4;
    CHECK_ERR(WALK(&book), ERR_STATE);
    Checkpoint floor = book.ends[2];
    floor.number = 0;
    CHECK_OK(book_walk(&book, &floor, NULL, &reason));
}

TEST(a_journal_that_was_written_anew_does_not_pass_a_checkpoint) {
    SCOPED(book_close) Book book;
    book_open(&book);
    Reason reason = {};
    Checkpoint other = book.ends[4];
    other.audit_hash = book.lines[4].hash;
    CHECK_ERR(book_walk(&book, &book.ends[0], &other, &reason), ERR_STATE);
    CHECK_OK(book_walk(&book, &book.ends[0], &book.ends[4], &reason));
}

TEST(a_head_must_continue_the_checkpoint) {
    SCOPED(book_close) Book book;
    book_open(&book);
    Reason reason = {};
    Checkpoint head = book.ends[LINES];
    CHECK_OK(checkpoint_follows(&head, &book.ends[3], &reason));
    CHECK_ERR(checkpoint_follows(&book.ends[3], &head, &reason), ERR_STATE);
    Checkpoint other = book.ends[3];
    other.org_id = id_new(S("org"), 9);
    CHECK_ERR(checkpoint_follows(&head, &other, &reason), ERR_STATE);
    other = book.ends[3];
    other.public_key = S("another");
    CHECK_ERR(checkpoint_follows(&head, &other, &reason), ERR_STATE);
    head.floor_number = 4;
    CHECK_ERR(checkpoint_follows(&head, &book.ends[2], &reason), ERR_NOT_FOUND);
    CHECK(strstr(reason.text, "entries up to 4 were removed by retention"));
    CHECK_OK(checkpoint_follows(&head, &book.ends[4], &reason));
}

TEST(a_checkpoint_is_the_keys_own_and_no_other_token) {
    SCOPED(book_close) Book book;
    book_open(&book);
    JwsKey other;
    jws_key_make(&other);
    Str token;
    Checkpoint got;
    CHECK_OK(checkpoint_sign(&book.key, &book.ends[4], &book.arena, &token));
    CHECK_OK(checkpoint_verify(book.key.public, token, &book.arena, &got));
    CHECK(got.number == 4 && id_eq(&got.org_id, &book.org_id));
    CHECK_STR(got.audit_hash, book.ends[4].audit_hash);
    CHECK_OK(checkpoint_verify(NULL, token, &book.arena, &got));
    CHECK_ERR(checkpoint_verify(other.public, token, &book.arena, &got), ERR_UNAUTHENTICATED);
    char *edited =
        str_dup(&book.arena, token).ptr ? ARENA_ARRAY(&book.arena, char, token.len) : NULL;
    for (size_t at = 0; at < token.len; at += 7) {
        memcpy(edited, token.ptr, token.len);
        edited[at] = edited[at] == 'A' ? 'B' : 'A';
        CHECK_ERR(checkpoint_verify(NULL, (Str){edited, token.len}, &book.arena, &got),
                  ERR_UNAUTHENTICATED);
    }
    SCOPED(text_done) Text text;
    text_init(&text, JWS_TOKEN_MAX);
    jws_sign(&book.key, S("{\"sub\":\"x\",\"aud\":\"y\"}"), &text);
    CHECK_ERR(checkpoint_verify(book.key.public, text_str(&text), &book.arena, &got),
              ERR_UNAUTHENTICATED);
}

TEST(the_bytes_of_an_entry_are_canonical_and_without_its_hash) {
    SCOPED(book_close) Book book;
    book_open(&book);
    JournalEntry entry = {.org_id = book.org_id,
                          .number = 1,
                          .at = {1'700'000'000'000},
                          .action = S("box.open"),
                          .detail = {S("{\"b\":1,\"a\":2}")},
                          .hash = S("x")};
    JournalLine line = book_line(&book, &entry);
    Str wanted = str_print(&book.arena,
                           "{\"action\":\"box.open\",\"at\":\"2023-11-14T22:13:20.000Z\","
                           "\"class\":\"audit\",\"detail\":{\"a\":2,\"b\":1},\"number\":1,"
                           "\"org_id\":\"%s\"}",
                           book.org_id.text);
    CHECK_STR(line.entry, wanted);
    CHECK_STR(line.hash, sha256_hex(&book.arena, wanted));
}

TEST_MAIN(CASE(a_whole_journal_fits_from_its_start_and_from_each_checkpoint),
          CASE(an_event_that_has_expired_is_no_gap),
          CASE(each_column_that_is_changed_is_noticed_at_its_place),
          CASE(an_entry_that_is_written_anew_does_not_follow),
          CASE(a_cut_a_swap_a_double_and_an_insertion_are_noticed_everywhere),
          CASE(rows_that_are_missing_at_the_end_and_all_of_them_are_noticed),
          CASE(another_organisations_entry_is_refused),
          CASE(what_retention_left_fits_from_its_floor_only),
          CASE(a_journal_that_was_written_anew_does_not_pass_a_checkpoint),
          CASE(a_head_must_continue_the_checkpoint),
          CASE(a_checkpoint_is_the_keys_own_and_no_other_token),
          CASE(the_bytes_of_an_entry_are_canonical_and_without_its_hash))
