// SPDX-License-Identifier: Apache-2.0
#include "db/journal.h"

#include "db/db_fixture.h"
#include "db/engine.h"
#include "db/journal_fixture.h"
#include "test.h"

#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

/// A store, the key that signs, and an organisation.
typedef struct Book {
    Fixture *fixture;
    JwsKey key;
    Id org;
} Book;

static Book book_new(Fixture *fixture) {
    Book book = {.fixture = fixture, .org = id_new(S("org"), 1)};
    CHECK(sodium_init() >= 0);
    jws_key_make(&book.key);
    return book;
}

static Note note_of(const Id *org, EntryClass class, Str action) {
    return (Note){
        .org_id = *org, .class = class, .at = {1000}, .actor = S("somebody"), .action = action};
}

static void leave(Book *book, const Id *org, EntryClass class, const char *action) {
    Tx *tx = fixture_tx(book->fixture, org->text);
    Note note = note_of(org, class, str_from(action));
    CHECK_OK(tx_note(tx, &note));
    CHECK_OK(tx_commit(tx, NULL));
}

static Err seal(Book *book, SealResult *ret_sealed) {
    return journal_seal(book->fixture->db, &(SealBy){&book->key, S("me"), false}, 5000, ret_sealed);
}

static void seal_all(Book *book) {
    SealResult sealed = {.more = true};
    while (sealed.more)
        CHECK_OK(seal(book, &sealed));
}

static uint64_t notes_left(Book *book) {
    uint64_t count = 99;
    CHECK_OK(tx_count(fixture_tx(book->fixture, NULL), &Note_schema, &(Query){}, &count));
    return count;
}

static JournalEntry entry_at(Book *book, const Id *org, uint64_t number) {
    Arena *arena = &book->fixture->arena;
    JournalRow row = {};
    JournalEntry entry = {};
    Tx *tx = fixture_tx(book->fixture, org->text);
    CHECK_OK(tx_get(tx, &JournalRow_schema, journal_key(arena, org, number), &row));
    CHECK_OK(entry_decode(row.entry, row.hash, arena, &entry));
    return entry;
}

static uint64_t walk_left(Book *book, const Id *org) {
    Checkpoint head;
    return journal_walk(book->fixture, org, &book->key, &head);
}

/// The length of a whole journal, which has no gap.
static uint64_t walk(Book *book, const Id *org) {
    uint64_t count = walk_left(book, org);
    if (count > 0) CHECK(entry_at(book, org, count).number == count);
    return count;
}

TEST_BOTH(notes_become_a_journal_in_the_order_of_their_commits) {
    Book book = book_new(fixture);
    leave(&book, &book.org, ENTRY_AUDIT, "a");
    leave(&book, &book.org, ENTRY_EVENT, "b");
    leave(&book, &book.org, ENTRY_AUDIT, "c");
    CHECK(notes_left(&book) == 3);
    seal_all(&book);
    CHECK(notes_left(&book) == 0);
    CHECK(walk(&book, &book.org) == 3);
    CHECK_STR(entry_at(&book, &book.org, 2).action, S("b"));
    JournalEntry last = entry_at(&book, &book.org, 3);
    CHECK_STR(last.action, S("c"));
    CHECK_STR(last.previous, entry_at(&book, &book.org, 1).hash); // events are not chained
    leave(&book, &book.org, ENTRY_AUDIT, "d");
    seal_all(&book);
    CHECK(walk(&book, &book.org) == 4);
}

TEST_BOTH(each_organisation_has_numbers_of_its_own) {
    Book book = book_new(fixture);
    Id other = id_new(S("org"), 2);
    for (int i = 0; i < 3; i++) {
        leave(&book, &book.org, ENTRY_AUDIT, "mine");
        leave(&book, &other, ENTRY_AUDIT, "others");
    }
    seal_all(&book);
    CHECK(walk(&book, &book.org) == 3);
    CHECK(walk(&book, &other) == 3);
    CHECK_STR(entry_at(&book, &other, 3).action, S("others"));
}

TEST_BOTH(more_notes_than_a_batch_holds_are_sealed_in_order) {
    Book book = book_new(fixture);
    char action[16];
    for (int i = 1; i <= 300; i++) {
        snprintf(action, sizeof(action), "n%d", i);
        leave(&book, &book.org, ENTRY_AUDIT, action);
    }
    seal_all(&book);
    CHECK(walk(&book, &book.org) == 300);
    CHECK_STR(entry_at(&book, &book.org, 217).action, S("n217"));
}

TEST_BOTH(a_commit_that_fails_leaves_no_note) {
    Book book = book_new(fixture);
    Crate crate = crate_new(&fixture->arena, NULL, "a", 1);
    Tx *tx = fixture_tx(fixture, NULL);
    Note note = note_of(&book.org, ENTRY_AUDIT, S("a"));
    CHECK_OK(tx_note(tx, &note));
    CHECK_OK(tx_update(tx, &Crate_schema, &crate));
    CHECK_ERR(tx_commit(tx, NULL), ERR_CONFLICT);
    CHECK(notes_left(&book) == 0);
}

TEST_BOTH(a_key_never_goes_back_when_the_clock_does) {
    Book book = book_new(fixture);
    leave(&book, &book.org, ENTRY_AUDIT, "a");
    atomic_fetch_add(&fixture->db->note_last, 3'600'000ull << NOTE_COUNT_BITS); // an hour ahead
    leave(&book, &book.org, ENTRY_AUDIT, "b");
    leave(&book, &book.org, ENTRY_AUDIT, "c");
    leave(&book, &book.org, ENTRY_AUDIT, "d");
    seal_all(&book);
    CHECK_STR(entry_at(&book, &book.org, 2).action, S("b"));
    CHECK_STR(entry_at(&book, &book.org, 3).action, S("c"));
    CHECK_STR(entry_at(&book, &book.org, 4).action, S("d"));
}

typedef struct Heard {
    size_t count;
    Str action;
    Str id;
    size_t unsure; ///< commits that may not have been done
} Heard;

static void heard(void *ctx, const Note *notes, size_t count, bool is_sure) {
    Heard *all = ctx;
    all->unsure += !is_sure;
    all->count += count;
    all->action = notes[count - 1].action;
    all->id = notes[count - 1].id;
}

TEST_BOTH(a_watch_hears_of_notes_that_are_committed_and_of_no_others) {
    Book book = book_new(fixture);
    Heard all = {};
    db_watch(fixture->db, (NoteWatch){heard, &all});
    Crate crate = crate_new(&fixture->arena, NULL, "a", 1);
    Tx *tx = fixture_tx(fixture, NULL);
    Note note = note_of(&book.org, ENTRY_AUDIT, S("a"));
    CHECK_OK(tx_note(tx, &note));
    CHECK_OK(tx_update(tx, &Crate_schema, &crate));
    CHECK_ERR(tx_commit(tx, NULL), ERR_CONFLICT);
    CHECK(all.count == 0);
    CHECK_OK(tx_note(tx, &note));
    char action[] = "b";
    note.action = (Str){action, 1};
    CHECK_OK(tx_note(tx, &note));
    action[0] = 'x'; // the caller's text is the caller's
    CHECK_OK(tx_commit(tx, NULL));
    CHECK(all.count == 2);
    CHECK_STR(all.action, S("b"));
    CHECK(all.id.len > 1);
    CHECK_OK(tx_create(tx, &Crate_schema, &crate));
    CHECK_OK(tx_commit(tx, NULL));
    CHECK(all.count == 2);
}

/// The engine below, that fails or is killed at some operation.
typedef struct Killer {
    Engine engine;
    const Engine *below;
    size_t reads_left; ///< SIZE_MAX: does not count
    bool loses_answer; ///< applies, and says that it did not
    bool refuses;
} Killer;
static Killer killer;

/// Whom the end of a commit is told, whatever it was.
static struct {
    TxDone done;
    void *ctx;
} killed;

static void killed_answer(void *, Err, const TxFault *fault) {
    killed.done(killed.ctx, FAIL(ERR_UNAVAILABLE, "killed"), fault);
}

static void killed_apply(Db *db, Submission *submission) {
    if (killer.refuses) {
        submission->err = FAIL(ERR_UNAVAILABLE, "killed");
        submission_end(submission);
        return;
    }
    killed.done = submission->done;
    killed.ctx = submission->ctx;
    if (killer.loses_answer) submission->done = killed_answer;
    killer.below->apply(db, submission);
}

static Err killed_select(Db *db, const Select *select, RowSink sink) {
    if (killer.reads_left == 0) return FAIL(ERR_UNAVAILABLE, "killed");
    if (killer.reads_left != SIZE_MAX) killer.reads_left--;
    return killer.below->select(db, select, sink);
}

static void killer_set(Fixture *fixture) {
    killer = (Killer){.engine = *fixture->db->engine, .below = fixture->db->engine};
    killer.engine.apply = killed_apply;
    killer.engine.select = killed_select;
    killer.reads_left = SIZE_MAX;
    fixture->db->engine = &killer.engine;
}

TEST_BOTH(a_watch_is_told_that_a_commit_is_in_doubt) {
    Book book = book_new(fixture);
    Heard all = {};
    killer_set(fixture);
    db_watch(fixture->db, (NoteWatch){heard, &all});
    killer.loses_answer = true;
    Tx *tx = fixture_tx(fixture, NULL);
    Note note = note_of(&book.org, ENTRY_AUDIT, S("a"));
    CHECK_OK(tx_note(tx, &note));
    CHECK_ERR(tx_commit(tx, NULL), ERR_UNAVAILABLE);
    CHECK(all.count == 1 && all.unsure == 1);
    killer.loses_answer = false;
    CHECK_OK(tx_note(tx, &note));
    CHECK_OK(tx_commit(tx, NULL));
    CHECK(all.count == 2 && all.unsure == 1);
    fixture->db->engine = killer.below;
}

TEST_BOTH(a_head_that_is_not_ours_stops_its_organisation_and_no_other) {
    Book book = book_new(fixture);
    Id other = id_new(S("org"), 2);
    leave(&book, &book.org, ENTRY_AUDIT, "a");
    seal_all(&book);
    JwsKey ours = book.key;
    jws_key_make(&book.key);
    for (int i = 0; i < 200; i++) // more than a page
        leave(&book, &book.org, ENTRY_AUDIT, "b");
    leave(&book, &other, ENTRY_AUDIT, "c");
    SealResult sealed = {};
    CHECK_OK(seal(&book, &sealed));
    CHECK(sealed.count == 1 && sealed.refused == 200 && !sealed.more);
    CHECK(walk(&book, &other) == 1);
    CHECK(notes_left(&book) == 200);
    book.key = ours;
    CHECK(walk(&book, &book.org) == 1);
}

TEST_BOTH(who_does_not_have_the_lease_waits_and_takes_it_when_it_has_ended) {
    Book book = book_new(fixture);
    SealResult sealed = {};
    leave(&book, &book.org, ENTRY_AUDIT, "a");
    CHECK_OK(seal(&book, &sealed));
    leave(&book, &book.org, ENTRY_AUDIT, "b");
    const SealBy other = {&book.key, S("other"), true};
    CHECK_OK(journal_seal(fixture->db, &other, 5500, &sealed));
    CHECK(sealed.wait_ms == 1500 && sealed.count == 0);
    CHECK(notes_left(&book) == 1);
    CHECK_OK(journal_seal(fixture->db, &other, 7000, &sealed));
    CHECK(sealed.count == 1);
    CHECK(walk(&book, &book.org) == 2);
    Lease lease = {};
    CHECK_OK(tx_get(fixture_tx(fixture, NULL), &Lease_schema, S("journal"), &lease));
    CHECK(lease.epoch == 2);
    CHECK_STR(lease.holder, S("other"));
}

TEST_BOTH(a_sealer_that_ends_at_any_step_loses_and_doubles_nothing) {
    Book book = book_new(fixture);
    SealResult sealed = {};
    killer_set(fixture);
    uint64_t wanted = 0;
    for (size_t step = 0; step < 8; step++) {
        for (int i = 0; i < 3; i++)
            leave(&book, &book.org, i == 1 ? ENTRY_EVENT : ENTRY_AUDIT, "a");
        wanted += 3;
        killer.reads_left = step < 4 ? step : SIZE_MAX;
        killer.refuses = step == 4;
        killer.loses_answer = step == 5;
        Err err = seal(&book, &sealed);
        CHECK(err.code == (step < 3 || step == 4 || step == 5 ? ERR_UNAVAILABLE : OK));
        killer.reads_left = SIZE_MAX;
        killer.refuses = killer.loses_answer = false;
        seal_all(&book);
        CHECK(notes_left(&book) == 0);
        CHECK(walk(&book, &book.org) == wanted);
    }
    fixture->db->engine = killer.below;
}

static Fixture *rival_fixture;
static Book rival_book;
static bool rival_is_due;

/// Another sealer is faster: between what this one read and its commit.
static void rival_apply(Db *db, Submission *submission) {
    if (rival_is_due) {
        rival_is_due = false;
        SealResult sealed = {};
        CHECK_OK(seal(&rival_book, &sealed));
        CHECK(sealed.count == 2);
    }
    killer.below->apply(db, submission);
}

TEST_BOTH(of_two_sealers_with_the_same_notes_one_commits) {
    Book book = book_new(fixture);
    rival_fixture = fixture;
    rival_book = book;
    for (int round = 0; round < 2; round++) { // the first without a head
        leave(&book, &book.org, ENTRY_AUDIT, "a");
        leave(&book, &book.org, ENTRY_AUDIT, "b");
        killer_set(fixture);
        killer.engine.apply = rival_apply;
        rival_is_due = true;
        SealResult sealed = {};
        CHECK_ERR(seal(&book, &sealed), ERR_CONFLICT);
        fixture->db->engine = killer.below;
        CHECK(notes_left(&book) == 0);
        CHECK(walk(&book, &book.org) == 2u * (unsigned)(round + 1));
    }
}

TEST_BOTH(what_retention_leaves_is_proved_from_its_floor) {
    Book book = book_new(fixture);
    Id other = id_new(S("org"), 2);
    for (unsigned i = 0; i < 300; i++) { // several batches
        Tx *tx = fixture_tx(fixture, NULL);
        Note note = note_of(&book.org, i % 3 == 1 ? ENTRY_EVENT : ENTRY_AUDIT, S("a"));
        note.at.ms = 1000 + i;
        CHECK_OK(tx_note(tx, &note));
        CHECK_OK(tx_commit(tx, NULL));
    }
    leave(&book, &other, ENTRY_AUDIT, "b");
    seal_all(&book);
    uint64_t removed = 0;
    JournalKeep keep = {};
    CHECK_OK(journal_trim(fixture->db, &book.key, &keep, 100'000, &removed));
    CHECK(removed == 0); // for ever
    keep.events_ms = 100;
    CHECK_OK(journal_trim(fixture->db, &book.key, &keep, 1250, &removed));
    CHECK(removed == 50); // below 1150: 1, 4, ... 148
    keep.audit_ms = 100;
    CHECK_OK(journal_trim(fixture->db, &book.key, &keep, 1350, &removed));
    CHECK(removed == 167 + 33 + 1); // 0..249, and the other organisation's
    Tx *tx = fixture_tx(fixture, book.org.text);
    JournalHead row = {};
    Checkpoint head = {};
    CHECK_OK(tx_get(tx, &JournalHead_schema, id_str(&book.org), &row));
    CHECK_OK(checkpoint_verify(book.key.public, row.checkpoint, &fixture->arena, &head));
    CHECK(head.floor_number == 250 && head.number == 300);
    CHECK(walk_left(&book, &book.org) == 50);
    CHECK(walk_left(&book, &other) == 0);
    leave(&book, &other, ENTRY_AUDIT, "c"); // and it goes on behind
    seal_all(&book);
    CHECK(walk_left(&book, &other) == 1);
    CHECK(entry_at(&book, &other, 2).previous.len == CHAIN_HASH_LEN);
}

TEST_MAIN(CASE_BOTH(notes_become_a_journal_in_the_order_of_their_commits),
          CASE_BOTH(each_organisation_has_numbers_of_its_own),
          CASE_BOTH(more_notes_than_a_batch_holds_are_sealed_in_order),
          CASE_BOTH(a_commit_that_fails_leaves_no_note),
          CASE_BOTH(a_key_never_goes_back_when_the_clock_does),
          CASE_BOTH(a_watch_hears_of_notes_that_are_committed_and_of_no_others),
          CASE_BOTH(a_watch_is_told_that_a_commit_is_in_doubt),
          CASE_BOTH(a_head_that_is_not_ours_stops_its_organisation_and_no_other),
          CASE_BOTH(who_does_not_have_the_lease_waits_and_takes_it_when_it_has_ended),
          CASE_BOTH(a_sealer_that_ends_at_any_step_loses_and_doubles_nothing),
          CASE_BOTH(of_two_sealers_with_the_same_notes_one_commits),
          CASE_BOTH(what_retention_leaves_is_proved_from_its_floor))
