// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"

#include <unistd.h>

enum { LOG_LINE_MAX = 16 * 1024 };

static const char *const level_names[LOG_LEVEL_COUNT] = {"debug", "info", "warn", "error"};

// The process's one log: set once before any thread by log_setup.
static struct {
    const char *program;
    LogLevel least;
    bool json;
} config = {.program = "muster", .least = LOG_INFO};

void log_setup(const char *program, LogLevel least) {
    config.program = program;
    config.least = least;
    config.json = !isatty(STDERR_FILENO);
}

LogField log_field_str(const char *key, Str value) {
    return (LogField){.key = key, .kind = LOG_TEXT, .text = value};
}

LogField log_field_text(const char *key, const char *value) {
    return log_field_str(key, str_from(value));
}

LogField log_field_u64(const char *key, uint64_t value) {
    return (LogField){.key = key, .kind = LOG_NUMBER, .number = value};
}

LogField log_field_bool(const char *key, bool value) {
    return (LogField){.key = key, .kind = LOG_FLAG, .number = value};
}

static void log_add_value(Text *line, const LogField *field) {
    switch (field->kind) {
    case LOG_TEXT:
        text_add_json(line, field->text);
        return;
    case LOG_NUMBER:
        text_add_u64(line, field->number);
        return;
    case LOG_FLAG:
        text_add(line, field->number ? S("true") : S("false"));
        return;
    }
}

static void log_add_field(Text *line, const LogField *field) {
    if (config.json) {
        text_add_char(line, ',');
        text_add_json(line, str_from(field->key));
        text_add_char(line, ':');
    } else {
        text_print(line, " %s=", field->key);
    }
    log_add_value(line, field);
}

void log_write(LogLevel level, const char *event, const LogField *fields) {
    if (level < config.least) return;
    Clock clock = clock_system();
    char now[TIME_TEXT_LEN + 1];
    time_format((Time){clock_now_ms(&clock)}, now);
    Text line;
    text_init(&line, LOG_LINE_MAX);
    text_print(&line,
               config.json ? "{\"time\":\"%s\",\"level\":\"%s\",\"program\":\"%s\",\"event\":\"%s\""
                           : "%s %-5s %s: %s",
               now,
               level_names[level],
               config.program,
               event);
    for (const LogField *field = fields; field->key; field++)
        log_add_field(&line, field);
    if (config.json) text_add_char(&line, '}');
    text_add_char(&line, '\n');
    // One write a line keeps the lines of threads apart. A log that cannot be written has nobody
    // to be reported to.
    ssize_t written = write(STDERR_FILENO, line.ptr, line.len);
    (void)written;
    text_done(&line);
}
