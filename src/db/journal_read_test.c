// SPDX-License-Identifier: Apache-2.0
#include "db/journal.h"

#include "base/scope.h"
#include "db/db_fixture.h"
#include "test.h"

#include <sodium.h>

/// A store, the key that signs, an organisation, and who was told that it has grown.
typedef struct Book {
    Fixture *fixture;
    JwsKey key;
    Id org, told;
    unsigned tells;
} Book;

static Book book_new(Fixture *fixture) {
    Book book = {.fixture = fixture, .org = id_new(S("org"), 1)};
    CHECK(sodium_init() >= 0);
    jws_key_make(&book.key);
    return book;
}

static void leave(Book *book, EntryClass class) {
    Tx *tx = fixture_tx(book->fixture, book->org.text);
    const Note note = {
        .org_id = book->org, .class = class, .at = {1000}, .action = S("fleet.create")};
    CHECK_OK(tx_note(tx, &note));
    CHECK_OK(tx_commit(tx, NULL));
}

static void on_sealed(void *ctx, const Id *org_id) {
    Book *book = ctx;
    book->told = *org_id;
    book->tells++;
}

static void seal(Book *book) {
    const SealBy by = {
        .key = &book->key, .holder = S("me"), .watch = {.sealed = on_sealed, .ctx = book}
    };
    SealResult sealed = {.more = true};
    while (sealed.more)
        CHECK_OK(journal_seal(book->fixture->db, &by, 5000, &sealed));
}

static Checkpoint end_of(Book *book) {
    Checkpoint end;
    Tx *tx = fixture_tx(book->fixture, book->org.text);
    CHECK_OK(journal_end(tx, &book->fixture->arena, &book->org, book->key.public, &end));
    return end;
}

/// The numbers behind `after` are first, first + 1, ...: so many.
static void expect(Book *book, uint64_t after, size_t limit, uint64_t first, size_t many) {
    const JournalRow *rows;
    size_t count;
    Tx *tx = fixture_tx(book->fixture, book->org.text);
    CHECK_OK(journal_read(tx, &book->fixture->arena, &book->org, after, limit, &rows, &count));
    CHECK(count == many);
    for (size_t i = 0; i < count; i++)
        CHECK(rows[i].number == first + i);
}

TEST_BOTH(who_is_told_is_told_of_each_journal_that_has_grown_once_a_batch) {
    Book book = book_new(fixture);
    seal(&book);
    CHECK(book.tells == 0);
    leave(&book, ENTRY_AUDIT);
    leave(&book, ENTRY_EVENT);
    seal(&book);
    CHECK(book.tells == 1 && id_eq(&book.told, &book.org));
    seal(&book);
    CHECK(book.tells == 1);
}

TEST_BOTH(a_journal_is_read_forward_from_any_number) {
    Book book = book_new(fixture);
    CHECK(end_of(&book).number == 0);
    expect(&book, 0, 10, 0, 0);
    for (int i = 0; i < 5; i++)
        leave(&book, i % 2 ? ENTRY_EVENT : ENTRY_AUDIT);
    seal(&book);
    CHECK(end_of(&book).number == 5);
    expect(&book, 0, 10, 1, 5);
    expect(&book, 0, 3, 1, 3);
    expect(&book, 3, 10, 4, 2);
    expect(&book, 5, 10, 0, 0);
    uint64_t removed = 0;
    const JournalKeep keep = {.audit_ms = 1};
    CHECK_OK(journal_trim(fixture->db, &book.key, &keep, 9000, &removed));
    CHECK(removed == 3 && end_of(&book).floor_number == 5 && end_of(&book).number == 5);
    expect(&book, 0, 1, 2, 1);
}

TEST_BOTH(the_end_of_another_installations_journal_is_none) {
    Book book = book_new(fixture);
    leave(&book, ENTRY_AUDIT);
    seal(&book);
    Checkpoint end;
    jws_key_make(&book.key);
    Tx *tx = fixture_tx(fixture, book.org.text);
    CHECK_ERR(journal_end(tx, &fixture->arena, &book.org, book.key.public, &end), ERR_SYSTEM);
}

TEST_MAIN(CASE_BOTH(who_is_told_is_told_of_each_journal_that_has_grown_once_a_batch),
          CASE_BOTH(a_journal_is_read_forward_from_any_number),
          CASE_BOTH(the_end_of_another_installations_journal_is_none))
