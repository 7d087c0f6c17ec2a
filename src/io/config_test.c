// SPDX-License-Identifier: Apache-2.0
#include "io/config.h"

#include "base/scope.h"
#include "io/file.h"

#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Shop {
    Str name;
    uint64_t port;
    bool is_open;
    Duration every;
    StrList hosts;
    StrMap labels;
    Time made_at;
} Shop;
static const Field Shop_fields[] = {
    FIELD(Shop, name, 0, "its name", .pattern = &Pattern_slug, .max = 20),
    FIELD(Shop, port, 0, "where it listens", .min = 1, .max = 65535, .fallback = "8443"),
    FIELD(Shop, labels, 0, "free words about it"),
    FIELD(Shop, is_open, 0, "it sells", .fallback = "true"),
    FIELD(Shop, every, 0, "how often it counts", .fallback = "30s"),
    FIELD(Shop, hosts, 0, "its names in the network"),
    FIELD(Shop, made_at, READ_ONLY, "when it was made"),
};
static const Schema Shop_schema = SCHEMA(Shop, "shop", "how a shop is run");

/// A file of its own for each test, and what was read of it.
typedef struct Fixture {
    char folder[64];
    char path[80];
    Arena arena;
    Faults faults;
    Shop shop;
} Fixture;

static int fixture_open(void **state) {
    Fixture *fixture = calloc(1, sizeof(*fixture));
    snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/config_test.XXXXXX");
    bool is_made = mkdtemp(fixture->folder);
    snprintf(fixture->path, sizeof(fixture->path), "%s/shop.conf", fixture->folder);
    arena_init(&fixture->arena, 1 << 18);
    *state = fixture;
    return is_made ? 0 : -1;
}

static int fixture_close(void **state) {
    Fixture *fixture = *state;
    unlink(fixture->path);
    int status = rmdir(fixture->folder);
    arena_done(&fixture->arena);
    free(fixture);
    return status;
}

#define FIXED(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

static Err load(Fixture *fixture, Str text) {
    CHECK_OK(file_save(fixture->path, text, 0600, NULL));
    faults_init(&fixture->faults, &fixture->arena);
    return config_load(
        fixture->path, &Shop_schema, &fixture->arena, &fixture->faults, &fixture->shop, NULL);
}

/// The file is refused with one fault, at the key, with the words in it.
static void expect_fault(Fixture *fixture, Str text, const char *pointer, const char *words) {
    CHECK_ERR(load(fixture, text), ERR_INVALID);
    CHECK(fixture->faults.count == 1);
    CHECK_STR(fixture->faults.items[0].pointer, str_from(pointer));
    if (!strstr(fixture->faults.items[0].allowed.ptr, words))
        fail_msg("%s", fixture->faults.items[0].allowed.ptr);
}

TEST(keys_fill_fields_and_a_section_fills_a_map) {
    Fixture *fixture = *test_state;
    CHECK_OK(load(fixture,
                  S("\xef\xbb\xbf# a comment\n; another\n\nname = corner ; the best\r\nport=99\n"
                    "is_open = false\nhosts = a.lan, b.lan\n[labels]\nsite = north\nrow=7")));
    const Shop *shop = &fixture->shop;
    CHECK_STR(shop->name, S("corner"));
    CHECK(shop->port == 99 && !shop->is_open && shop->every.ms == 30'000);
    CHECK(shop->hosts.count == 2);
    CHECK_STR(shop->hosts.items[1], S("b.lan"));
    CHECK(shop->labels.count == 2);
    CHECK_STR(str_map_find(shop->labels, S("row")), S("7"));
}

TEST(an_empty_file_gives_the_defaults) {
    Fixture *fixture = *test_state;
    CHECK_OK(load(fixture, S("")));
    CHECK(fixture->shop.port == 8443 && fixture->shop.is_open && !fixture->shop.name.ptr);
}

TEST(faults_name_the_key_and_what_is_allowed) {
    Fixture *fixture = *test_state;
    expect_fault(fixture, S("port = 70000\n"), "/port", "from 1 to 65535");
    expect_fault(fixture, S("name = Not A Slug\n"), "/name", "lower-case");
    expect_fault(fixture, S("colour = red\n"), "/colour", "no such key");
    expect_fault(fixture, S("[other]\nport = 1\n"), "/other.port", "no such key");
    expect_fault(fixture, S("made_at = 2026-01-01T00:00:00Z\n"), "/made_at", "no such key");
    expect_fault(fixture, S("port = 1\nport = 1\n"), "/port", "once");
    expect_fault(fixture, S("[labels]\na = 1\na = 2\n"), "/labels.a", "once");
    expect_fault(fixture, S("hosts = a\n  b\n"), "/hosts", "once"); // no lines that go on
}

TEST(all_faults_are_told_at_once) {
    Fixture *fixture = *test_state;
    CHECK_ERR(load(fixture, S("port = x\nname = ?\ncolour = red\n")), ERR_INVALID);
    CHECK(fixture->faults.count == 3);
}

TEST(a_line_that_is_no_pair_is_told_by_its_number) {
    Fixture *fixture = *test_state;
    expect_fault(fixture, S("port = 1\n\nnonsense\n"), "", "in line 3");
    expect_fault(fixture, S("[labels\na = b\n"), "", "in line 1");
    expect_fault(fixture, S("name = \xff\n"), "", "UTF-8");
    expect_fault(fixture, S("name = a\0b\n"), "", "UTF-8");
}

TEST(a_line_that_would_be_cut_is_refused) {
    Fixture *fixture = *test_state;
    Text text;
    text_init(&text, 1000);
    text_print(&text, "port = 1\nname = %0300d\n", 7);
    expect_fault(fixture, text_str(&text), "", "line 2 is longer");
    text_clear(&text);
    text_print(&text, "[labels]\nx = %0190d\n", 7);
    CHECK_OK(load(fixture, text_str(&text)));
    CHECK(str_map_find(fixture->shop.labels, S("x")).len == 190);
    text_done(&text);
}

TEST(what_is_not_there_or_far_too_much_is_refused) {
    Fixture *fixture = *test_state;
    faults_init(&fixture->faults, &fixture->arena);
    CHECK_ERR(
        config_load(
            fixture->path, &Shop_schema, &fixture->arena, &fixture->faults, &fixture->shop, NULL),
        ERR_NOT_FOUND);
    Text text;
    text_init(&text, 1 << 18);
    for (int i = 0; i < 300; i++)
        text_add(&text, S("port = 1\n"));
    CHECK_ERR(load(fixture, text_str(&text)), ERR_LIMIT);
    for (int i = 0; i < 9000; i++)
        text_add(&text, S("#comment\n"));
    CHECK_ERR(load(fixture, text_str(&text)), ERR_LIMIT);
    text_done(&text);
    Arena small;
    arena_init(&small, 100);
    CHECK_ERR(
        config_load(fixture->path, &Shop_schema, &small, &fixture->faults, &fixture->shop, NULL),
        ERR_LIMIT);
    arena_done(&small);
}

TEST(a_link_to_a_file_is_followed) {
    Fixture *fixture = *test_state;
    char target[96];
    snprintf(target, sizeof(target), "%s/target", fixture->folder);
    CHECK_OK(file_save(target, S("port = 5\n"), 0600, NULL));
    CHECK(symlink(target, fixture->path) == 0);
    faults_init(&fixture->faults, &fixture->arena);
    CHECK_OK(config_load(
        fixture->path, &Shop_schema, &fixture->arena, &fixture->faults, &fixture->shop, NULL));
    CHECK(fixture->shop.port == 5);
    CHECK_OK(file_remove(target, NULL));
}

/// Take the comment sign from each line that is a key and has a default.
static void uncomment(Str sample, Text *out) {
    Str line;
    while (str_cut(&sample, '\n', &line)) {
        bool is_key =
            str_starts(line, S("#")) && !str_starts(line, S("# ")) && !str_ends(line, S("="));
        text_add(out, str_slice(line, is_key ? 1 : 0, line.len));
        text_add_char(out, '\n');
    }
}

TEST(the_sample_can_be_loaded_with_and_without_its_comment_signs) {
    Fixture *fixture = *test_state;
    Text sample, keys;
    text_init(&sample, 4096);
    text_init(&keys, 4096);
    config_sample(&Shop_schema, &sample);
    CHECK_OK(load(fixture, text_str(&sample)));
    CHECK(fixture->shop.port == 8443);
    uncomment(text_str(&sample), &keys);
    CHECK_OK(load(fixture, text_str(&keys)));
    CHECK(fixture->shop.every.ms == 30'000 && fixture->shop.labels.count == 1);
    CHECK_STR(str_map_find(fixture->shop.labels, S("KEY")), S("VALUE"));
    CHECK(strstr(sample.ptr,
                 "# where it listens\n# It must be an integer from 1 to 65535.\n#port = 8443\n"));
    CHECK(!strstr(sample.ptr, "made_at"));
    text_done(&keys);
    text_done(&sample);
}

TEST_MAIN(FIXED(keys_fill_fields_and_a_section_fills_a_map),
          FIXED(an_empty_file_gives_the_defaults),
          FIXED(faults_name_the_key_and_what_is_allowed),
          FIXED(all_faults_are_told_at_once),
          FIXED(a_line_that_is_no_pair_is_told_by_its_number),
          FIXED(a_line_that_would_be_cut_is_refused),
          FIXED(what_is_not_there_or_far_too_much_is_refused),
          FIXED(a_link_to_a_file_is_followed),
          FIXED(the_sample_can_be_loaded_with_and_without_its_comment_signs))
