// SPDX-License-Identifier: Apache-2.0
#include "cli/compose.h"

#include <string.h>

enum { WORDS_MAX = 64 };

typedef struct Splitter {
    char *out; ///< the words, one behind the other
    size_t used;
    char quote; ///< open quote; 0: none
} Splitter;

/// Take the character at `*at` into the word. False: a backslash at the end.
static bool words_take(Splitter *splitter, Str text, size_t *at) {
    char c = text.ptr[*at];
    bool escapes = c == '\\' && splitter->quote != '\'';
    if (!splitter->quote && (c == '\'' || c == '"')) {
        splitter->quote = c;
    } else if (splitter->quote && c == splitter->quote) {
        splitter->quote = 0;
    } else if (escapes) {
        if (++*at == text.len) return false;
        bool kept = splitter->quote && !strchr("\"\\$`\n", text.ptr[*at]);
        if (kept) splitter->out[splitter->used++] = '\\'; // POSIX: only these lose it in "..."
        splitter->out[splitter->used++] = text.ptr[*at];
    } else {
        splitter->out[splitter->used++] = c;
    }
    return true;
}

static bool words_is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

Err words_split(Str text, Arena *arena, StrList *ret_words) {
    Splitter splitter = {.out = arena_alloc(arena, text.len * 2 + 1, 1)};
    Str *words = ARENA_ARRAY(arena, Str, WORDS_MAX);
    if (arena->failed == ERR_LIMIT) return FAIL(ERR_LIMIT, "the command is too long");
    TRY(arena_check(arena));
    size_t count = 0;
    for (size_t at = 0; at < text.len;) {
        if (words_is_blank(text.ptr[at])) {
            at++;
            continue;
        }
        if (count == WORDS_MAX) return FAIL(ERR_LIMIT, "must have at most 64 words");
        size_t start = splitter.used;
        for (; at < text.len && (splitter.quote || !words_is_blank(text.ptr[at])); at++)
            if (!words_take(&splitter, text, &at))
                return FAIL(ERR_INVALID, "must not end in a backslash");
        words[count++] = (Str){splitter.out + start, splitter.used - start};
    }
    if (splitter.quote) return FAIL(ERR_INVALID, "must close its quotes");
    *ret_words = (StrList){words, count};
    return SUCCESS;
}
