// SPDX-License-Identifier: Apache-2.0
#include "io/config.h"

#include "io/file.h"

#include "base/field.h"
#include "base/scope.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 64 * 1024, PAIRS_MAX = 256 };

/// One reading under way.
typedef struct Config {
    Str rest; ///< of the file
    Arena *arena;
    StrPair *pairs; ///< PAIRS_MAX
    size_t count;
    size_t line;      ///< number of the line that was given out last
    size_t long_line; ///< number of a line that inih would cut; 0: none
    size_t long_max;  ///< bytes that it may have
    bool has_too_many;
} Config;

/// inih asks for a line. It would take what does not fit in `size` for a line of its own.
static char *config_line_read(char *ret_line, int size, void *ctx) {
    Config *config = ctx;
    Str line;
    if (config->rest.len == 0 || !str_cut(&config->rest, '\n', &line)) return NULL;
    config->line++;
    size_t max = (size_t)size - 3; // room for CR, LF and NUL
    if (line.len > max) {
        config->long_line = config->line;
        config->long_max = max;
        return NULL;
    }
    memcpy(ret_line, line.ptr, line.len);
    memcpy(ret_line + line.len, "\n", 2);
    return ret_line;
}

static int config_pair_add(void *ctx, const char *section, const char *name, const char *value) {
    Config *config = ctx;
    if (config->count == PAIRS_MAX) {
        config->has_too_many = true;
        return 0;
    }
    Str key = section[0] ? str_print(config->arena, "%s.%s", section, name)
                         : str_dup(config->arena, str_from(name));
    Str text = str_dup(config->arena, str_from(value ? value : ""));
    if (key.ptr && text.ptr) config->pairs[config->count++] = (StrPair){key, text};
    return 1;
}

/// All pairs of the file's text; what is no pair is a fault.
static Err config_pairs_read(Config *config, Faults *faults) {
    config->pairs = ARENA_ARRAY(config->arena, StrPair, PAIRS_MAX);
    TRY(arena_check(config->arena));
    if (!str_is_text(config->rest)) {
        faults_add(faults, S(""), "must be UTF-8 without NUL");
        return faults_check(faults);
    }
    int line = ini_parse_stream(config_line_read, config, config_pair_add, config);
    TRY(arena_check(config->arena));
    if (line < 0) return FAIL(ERR_MEMORY, "no memory to read a file");
    if (config->has_too_many) return FAIL(ERR_LIMIT, "the file has too many keys");
    if (config->long_line)
        faults_add(faults,
                   S(""),
                   "must have lines of at most %zu bytes: line %zu is longer",
                   config->long_max,
                   config->long_line);
    if (line > 0) faults_add(faults, S(""), "must have `key = value` in line %d", line);
    return faults_check(faults);
}

static Err
config_read(const char *path, const Schema *schema, Arena *arena, Faults *faults, void *record) {
    // a file that people keep may well be a link, which file_load would refuse
    SCOPED(mem_freep) char *real = realpath(path, NULL);
    if (!real && errno == ENOENT) return FAIL(ERR_NOT_FOUND, "there is no such file");
    if (!real) return FAIL_SYS("cannot open");
    Config config = {.arena = arena};
    TRY(file_load(real, FILE_MAX, arena, &config.rest, NULL));
    TRY(config_pairs_read(&config, faults));
    return schema_decode_pairs(schema, config.pairs, config.count, arena, faults, record);
}

Err config_load(const char *path,
                const Schema *schema,
                Arena *arena,
                Faults *faults,
                void *record,
                Reason *reason) {
    Err err = config_read(path, schema, arena, faults, record);
    return err.code == OK ? SUCCESS : reason_fail(reason, err, "%s", path);
}

static bool config_field_is_config(const Field *field) {
    return !(field->flags & (READ_ONLY | COMPUTED | HIDDEN)) && field->kind != KIND_JSON
           && field->kind != KIND_RECORD && field->kind != KIND_RECORDS;
}

static void config_sample_add(const Field *field, Text *out) {
    text_print(out, "# %s\n# It must be ", field->doc);
    field_allowed(field, out);
    text_add(out, field->flags & REQUIRED ? S("; it must be given.\n") : S(".\n"));
    if (field->kind == KIND_MAP) {
        text_print(out, "#[%.*s]\n#KEY = VALUE\n\n", STR_FMT(field->name));
        return;
    }
    const char *fallback = field->fallback ? field->fallback : "";
    text_print(out, "#%.*s =%s%s\n\n", STR_FMT(field->name), fallback[0] ? " " : "", fallback);
}

void config_sample(const Schema *schema, Text *out) {
    text_print(out, "# %s\n\n", schema->doc);
    for (int is_map = 0; is_map <= 1; is_map++) { // sections last: they take all that follows
        for (size_t i = 0; i < schema->count; i++) {
            const Field *field = &schema->fields[i];
            if (config_field_is_config(field) && (field->kind == KIND_MAP) == (is_map == 1))
                config_sample_add(field, out);
        }
    }
}
