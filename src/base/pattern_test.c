// SPDX-License-Identifier: Apache-2.0
#include "base/schema.h"

#include "base/scope.h"
#include "base/text.h"
#include "test.h"

#include <regex.h>
#include <string.h>

static const Pattern *const patterns[] = {&Pattern_slug,
                                          &Pattern_dns_label,
                                          &Pattern_semver,
                                          &Pattern_digest,
                                          &Pattern_key32,
                                          &Pattern_name,
                                          &Pattern_label};
enum { PATTERN_COUNT = sizeof(patterns) / sizeof(patterns[0]) };

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LABEL63 "a23456789-123456789-123456789-123456789-123456789-123456789-123"

TEST(patterns_match_what_they_say) {
    static const struct {
        const Pattern *pattern;
        const char *good[8];
        const char *bad[12];
    } cases[] = {
        {&Pattern_slug,
         {"a", "0", "a-b.c_d9"},
         {"", "-a", "a-", "a.", "A", "a b", "a/b", "\xc3\xa9"}                                                                                  },
        {&Pattern_dns_label, {"a", "a-1", LABEL63},                                                  {"", "-a", "a-", "a.b", "a_b", LABEL63 "4"}},
        {&Pattern_semver,
         {"0.0.0", "1.2.3", "1.0.0-rc.1", "1.0.0-0a", "1.0.0+001", "1.0.0--x+y.0", "1.0.0-x-y+z-1"},
         {"",
          "1",
          "1.2",
          "1.2.3.4",
          "01.2.3",
          "1.2.3-",
          "1.2.3+",
          "1.2.3-01",
          "1.2.3-a..b",
          "v1.2.3",
          "1.2.3+a+b"}                                                                                                                          },
        {&Pattern_digest,
         {"sha256:" HEX64},
         {"", "sha256:", "sha512:" HEX64, "sha256:" HEX64 "0", HEX64}                                                                           },
        {&Pattern_key32,
         {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
         {"",
          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="}                                                                                       },
        {&Pattern_line,
         {"", "any text \xc3\xa9 \xc2\xa0", "\xf0\x9f\x98\x80"},
         {"a\nb", "\t", "\x7f", "\xc2\x85", "\x1b[0m"}                                                                                          },
        {&Pattern_name,      {"A", "_", "a_1"},                                                      {"", "1a", "a-b", "a b"}                   },
        {&Pattern_label,     {"a", "a/b.c_d-", "A9"},                                                {"", "1a", "-a", "a b", "a=b"}             },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const Pattern *pattern = cases[i].pattern;
        for (size_t j = 0; cases[i].good[j]; j++)
            if (!pattern->matches(str_from(cases[i].good[j])))
                fail_msg("%s refuses %s", pattern->name, cases[i].good[j]);
        for (size_t j = 0; cases[i].bad[j]; j++)
            if (pattern->matches(str_from(cases[i].bad[j])))
                fail_msg("%s takes %s", pattern->name, cases[i].bad[j]);
    }
}

/// The ECMA 262 expression as a POSIX one, for what the two spell differently.
static void to_posix(const char *regex, Text *out) {
    for (Str rest = str_from(regex); rest.len;) {
        bool digit = str_starts(rest, S("\\d"));
        bool group = str_starts(rest, S("(?:"));
        text_add(out, digit ? S("[0-9]") : group ? S("(") : str_slice(rest, 0, 1));
        rest = str_slice(rest, digit ? 2 : group ? 3 : 1, rest.len);
    }
}

/// Texts near the patterns, so that both answers are common.
static void near_text(uint64_t *state, const char *start, char text[96]) {
    static const char letters[] = "01a9zAZ-._/+= ";
    size_t len = (size_t)snprintf(text, 80, "%s", start);
    for (int edits = 0; edits < 4; edits++) {
        *state = *state * 6364136223846793005 + 1442695040888963407;
        size_t at = (*state >> 33) % (len + 1);
        char letter = letters[(*state >> 40) % (sizeof(letters) - 1)];
        unsigned action = (*state >> 50) % 4;
        if (action == 0 && len < 90) {
            memmove(text + at + 1, text + at, len - at + 1);
            text[at] = letter;
            len++;
        } else if (action == 1 && at < len) {
            memmove(text + at, text + at + 1, len - at);
            len--;
        } else if (action == 2 && at < len) {
            text[at] = letter;
        }
    }
}

TEST(the_published_expression_and_the_matcher_agree) {
    static const char *const starts[PATTERN_COUNT] = {
        "a-b.c",
        LABEL63,
        "1.0.0-a.1+b",
        ("sha256:" HEX64),
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "a_1",
        "a/b.c"};
    uint64_t state = 42;
    size_t matched[PATTERN_COUNT] = {};
    for (size_t i = 0; i < PATTERN_COUNT; i++) {
        SCOPED(text_done) Text posix;
        text_init(&posix, 1000);
        to_posix(patterns[i]->regex, &posix);
        regex_t regex;
        assert_int_equal(regcomp(&regex, posix.ptr, REG_EXTENDED | REG_NOSUB), 0);
        for (int j = 0; j < 5000; j++) {
            char text[96];
            near_text(&state, starts[i], text);
            bool published = regexec(&regex, text, 0, NULL, 0) == 0;
            if (published != patterns[i]->matches(str_from(text)))
                fail_msg("%s: the two differ on \"%s\"", patterns[i]->name, text);
            matched[i] += published;
        }
        regfree(&regex);
        CHECK(matched[i] > 50 && matched[i] < 4950);
    }
}

TEST_MAIN(CASE(patterns_match_what_they_say), CASE(the_published_expression_and_the_matcher_agree))
