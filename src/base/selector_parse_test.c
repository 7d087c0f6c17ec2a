// SPDX-License-Identifier: Apache-2.0
#include "base/selector.h"

#include "base/scope.h"
#include "test.h"
#include "thing_keys.h"

enum { ARENA_MAX = 1 << 20 };

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/// What a text is canonically; absent, and `reason` set, where it is none.
static Str canonical(Arena *arena, Str text, Reason *reason) {
    Selector selector;
    if (selector_parse(text, &Thing_keys, arena, &selector, reason).code != OK) return (Str){};
    SCOPED(text_done) Text out;
    text_init(&out, SELECTOR_BYTES_MAX);
    selector_print(&selector, &out);
    CHECK_OK(text_check(&out));
    return str_dup(arena, text_str(&out));
}

static const struct {
    const char *text;
    const char *canonical;
} forms[] = {
    {"",                               ""                             },
    {"  ",                             ""                             },
    {"site=hall-3",                    "site=hall-3"                  },
    {"site==hall-3",                   "site=hall-3"                  },
    {" site = hall-3 ",                "site=hall-3"                  },
    {"role!=db",                       "role!=db"                     },
    {"role != db",                     "role!=db"                     },
    {"site=hall-3, role!=db,seen<10m", "site=hall-3,role!=db,seen<10m"},
    {"site",                           "site"                         },
    {"!site",                          "!site"                        },
    {"! site",                         "!site"                        },
    {"site in (b,a)",                  "site in (a,b)"                },
    {"site in(b, a , b)",              "site in (a,b)"                },
    {"site in (a)",                    "site=a"                       },
    {"site notin (a)",                 "site!=a"                      },
    {"site notin (a,b)",               "site notin (a,b)"             },
    {"site=",                          "site="                        },
    {"site=,role",                     "site=,role"                   },
    {"site in ()",                     "site="                        },
    {"site in (,a)",                   "site in (,a)"                 },
    {"site in (a,,b)",                 "site in (,a,b)"               },
    {"site=\"\"",                      "site="                        },
    {"site=\"hall 3\"",                "site=\"hall 3\""              },
    {"site=\"a\"",                     "site=a"                       },
    {"site=\"a\\\"b\\\\\"",            "site=\"a\\\"b\\\\\""          },
    {"site=\"a\\\\b\"",                "site=a\\b"                    },
    {"site=\"a,b\",role",              "site=\"a,b\",role"            },
    {"site=shop@1.1.0+x:y/z~%&",       "site=shop@1.1.0+x:y/z~%&"     },
    {"site=h\xc3\xa4lle",              "site=h\xc3\xa4lle"            },
    {"rack<5",                         "rack<5"                       },
    {"rack <= -5.25",                  "rack<=-5.25"                  },
    {"rack>1h30m",                     "rack>1h30m"                   },
    {"rack >= 5",                      "rack>=5"                      },
    {"example.com/rack_1=5",           "example.com/rack_1=5"         },
    {"labels.name=x",                  "labels.name=x"                },
    {"notin notin (notin,in)",         "notin notin (in,notin)"       },
    {"site in (in, notin)",            "site in (in,notin)"           },
    {"site,site",                      "site,site"                    },
};

TEST(every_form_of_a_term_has_one_canonical_text) {
    Arena arena;
    arena_init(&arena, ARENA_MAX);
    for (size_t i = 0; i < COUNT(forms); i++) {
        Reason reason = {};
        Str once = canonical(&arena, str_from(forms[i].text), &reason);
        if (!once.ptr) fail_msg("%s: %s", forms[i].text, reason.text);
        CHECK_STR(once, str_from(forms[i].canonical));
        CHECK_STR(canonical(&arena, once, &reason), once);
        arena_reset(&arena);
    }
    arena_done(&arena);
}

static const struct {
    const char *text;
    const char *reason;
} refused[] = {
    {",",                    "column 1: a key is missing"                              },
    {"a,",                   "column 3: a key is missing"                              },
    {"a,,b",                 "column 3: a key is missing"                              },
    {"=a",                   "column 1: a key is missing"                              },
    {"!",                    "column 2: a key is missing"                              },
    {"a b",                  "column 3: a comma or one of ="                           },
    {"a!",                   "column 2: a comma or one of ="                           },
    {"a~b",                  "column 2: a key has letters"                             },
    {"-a",                   "column 1: a key has letters"                             },
    {"\xc3\xa4\xc3\xa4=1",   "column 1: a key has letters"                             },
    {"!a=b",                 "column 3: a comma is missing"                            },
    {"a=b c",                "column 5: a comma is missing, or quotes around the value"},
    {"a=b=c",                "column 4: a comma is missing"                            },
    {"\xc3\xa4=1",           "column 1: a key has"                                     },
    {"a=\xc3\xa4\xc3\xa4 b", "column 6: a comma is missing"                            },
    {"a=\"x",                "column 3: the closing quote is missing"                  },
    {"a=\"x\\y\"",           "column 5: a backslash goes before"                       },
    {"a=\"x\\",              "column 5: a backslash goes before"                       },
    {"a=\"x\"y",             "column 6: a comma is missing"                            },
    {"a in b",               "column 6: values in brackets are missing"                },
    {"a in (b",              "column 8: a comma or a closing bracket is missing"       },
    {"a in (b c)",           "column 9: a comma or a closing bracket is missing"       },
    {"a in (b) c",           "column 10: a comma is missing"                           },
    {"a<",                   "column 3: a must be a number or a duration"              },
    {"a<b",                  "column 3: a must be a number or a duration"              },
    {"a<1e9",                "column 3: a must be a number or a duration"              },
    {"a<1.",                 "column 3: a must be a number or a duration"              },
    {"a<.5",                 "column 3: a must be a number or a duration"              },
    {"a<1234567890123456",   "column 3: a must be a number or a duration"              },
    {"a<in (1)",             "column 3: a must be a number or a duration"              },
    {"a\x01=b",              "column 2: control characters are not allowed"            },
    {"a=\"\xc2\x85\"",       "column 4: control characters are not allowed"            },
    {"\xc3\xa4\xff",         "column 2: this is not UTF-8"                             },
    {"size=big",             "column 6: size must be a number of at most 15 digits"    },
    {"size in (1, big)",     "column 13: size must be a number"                        },
    {"mood=sad",             "column 6: mood must be one of calm, busy, lost"          },
    {"mood=",                "column 6: mood must be one of"                           },
    {"mood<calm",            "column 5: mood has no order"                             },
    {"enabled=yes",          "column 9: enabled must be true or false"                 },
    {"id=thing_7",           "column 4: id must be"                                    },
    {"id>1",                 "column 3: id has no order"                               },
    {"seen<10",              "column 6: seen must be a duration"                       },
    {"seen=10m",             "column 5: seen is an age: use <"                         },
    {"seen in (10m)",        "column 6: seen is an age"                                },
    {"every=5",              "column 7: every must be a duration"                      },
};

TEST(what_is_no_selector_is_refused_with_the_column) {
    Arena arena;
    arena_init(&arena, ARENA_MAX);
    for (size_t i = 0; i < COUNT(refused); i++) {
        Selector selector = {.count = 7};
        Reason reason = {};
        Err err =
            selector_parse(str_from(refused[i].text), &Thing_keys, &arena, &selector, &reason);
        if (err.code != ERR_INVALID
            || !str_starts(str_from(reason.text), str_from(refused[i].reason)))
            fail_msg("%s: %s", refused[i].text, err.code == OK ? "read" : reason.text);
        CHECK(selector.count == 7);
        CHECK_ERR(selector_parse(str_from(refused[i].text), &Thing_keys, &arena, &selector, NULL),
                  ERR_INVALID);
        arena_reset(&arena);
    }
    arena_done(&arena);
}

TEST(without_a_map_an_unknown_key_is_refused) {
    const SelectorKeys keys = {.rows = Thing_keys.rows, .count = Thing_keys.count - 1};
    Arena arena;
    arena_init(&arena, ARENA_MAX);
    Selector selector;
    Reason reason = {};
    CHECK_OK(selector_parse(S("name=a,seen<1m"), &keys, &arena, &selector, &reason));
    CHECK_ERR(selector_parse(S("name=a,site=b"), &keys, &arena, &selector, &reason), ERR_INVALID);
    CHECK_STR(str_from(reason.text), S("column 8: there is no key site"));
    arena_done(&arena);
}

/// Read `count` times `unit`, with commas between.
static Err parse_many(const char *head, const char *unit, size_t count, Reason *reason) {
    Arena arena;
    arena_init(&arena, ARENA_MAX);
    SCOPED(text_done) Text text;
    text_init(&text, 2 * SELECTOR_BYTES_MAX);
    text_add(&text, str_from(head));
    for (size_t i = 0; i < count; i++)
        text_print(&text, "%s%s", i ? "," : "", unit);
    if (*head) text_add_char(&text, ')');
    Selector selector;
    Err err = selector_parse(text_str(&text), &Thing_keys, &arena, &selector, reason);
    arena_done(&arena);
    return err;
}

TEST(there_is_a_most_of_terms_values_and_bytes) {
    Reason reason = {};
    CHECK_OK(parse_many("", "a", SELECTOR_TERMS_MAX, &reason));
    CHECK_ERR(parse_many("", "a", SELECTOR_TERMS_MAX + 1, &reason), ERR_INVALID);
    CHECK_STR(str_from(reason.text), S("column 65: more than 32 terms"));
    CHECK_OK(parse_many("a in (", "b", SELECTOR_VALUES_MAX, &reason));
    CHECK_ERR(parse_many("a in (", "b", SELECTOR_VALUES_MAX + 1, &reason), ERR_INVALID);
    CHECK_STR(str_from(reason.text), S("column 135: more than 64 values"));
    const char *long_value = "0123456789abcdef0123456789abcdef"; // and a comma
    CHECK_OK(parse_many("a in (", long_value, 30, &reason));
    CHECK_ERR(parse_many("a in (", long_value, 32, &reason), ERR_INVALID);
    CHECK_STR(str_from(reason.text), S("column 1025: longer than 1024 bytes"));
}

TEST(a_text_whose_canonical_form_is_too_long_is_refused) {
    Arena arena;
    arena_init(&arena, ARENA_MAX);
    SCOPED(text_done) Text text;
    text_init(&text, SELECTOR_BYTES_MAX);
    text_add(&text, S("a in(b,c),a=")); // one blank more when it is printed
    while (text_str(&text).len < SELECTOR_BYTES_MAX - 1)
        text_add_char(&text, 'x');
    Selector selector;
    CHECK_OK(selector_parse(text_str(&text), &Thing_keys, &arena, &selector, NULL));
    text_add_char(&text, 'x');
    CHECK_ERR(selector_parse(text_str(&text), &Thing_keys, &arena, &selector, NULL), ERR_INVALID);
    arena_done(&arena);
}

TEST(a_table_of_keys_that_is_not_sound_is_named) {
    static const Field apart[] = {
        FIELD_AT(Thing, parent, "in", 0, "by id", .prefix = "thing"),
        FIELD_AT(Thing, name, "name", 0, "its name"),
        FIELD_AT(Thing, home, "in", 0, "by name"),
    };
    static const Field list[] = {FIELD_AT(Thing, words, "words", 0, "some words")};
    static const Field maps[] = {
        FIELD_AT(Thing, labels, "labels", 0, "labels"),
        FIELD_AT(Thing, labels, "tags", 0, "labels again"),
    };
    static const Field any_id[] = {FIELD_AT(Thing, id, "id", 0, "of any noun")};
    static const struct {
        SelectorKeys keys;
        const char *reason;
    } rows[] = {
        {SELECTOR_KEYS(apart),  "in stands apart from its first row"},
        {SELECTOR_KEYS(list),   "words cannot be compared"          },
        {SELECTOR_KEYS(maps),   "tags is a second map"              },
        {SELECTOR_KEYS(any_id), "id has no prefix"                  },
    };
    Reason reason = {};
    CHECK_OK(selector_keys_check(&Thing_keys, &reason));
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ERR(selector_keys_check(&rows[i].keys, &reason), ERR_INVALID);
        CHECK_STR(str_from(reason.text), str_from(rows[i].reason));
    }
}

TEST_MAIN(CASE(a_table_of_keys_that_is_not_sound_is_named),
          CASE(every_form_of_a_term_has_one_canonical_text),
          CASE(what_is_no_selector_is_refused_with_the_column),
          CASE(without_a_map_an_unknown_key_is_refused),
          CASE(there_is_a_most_of_terms_values_and_bytes),
          CASE(a_text_whose_canonical_form_is_too_long_is_refused))
