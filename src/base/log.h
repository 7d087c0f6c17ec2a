// SPDX-License-Identifier: Apache-2.0
/// Structured log: one event name and typed fields a line.
///
/// logfmt on a terminal, JSON lines otherwise (both to standard error). Lower code returns an
/// `Err`; the edge that answers for it logs it, once. Secrets are never fields.
#pragma once

#include "base/str.h"

typedef enum LogLevel { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVEL_COUNT } LogLevel;

typedef struct LogField {
    const char *key; ///< static text; NULL ends the list
    enum { LOG_TEXT, LOG_NUMBER, LOG_FLAG } kind;
    Str text;
    uint64_t number;
} LogField;

/// Set the least level that is written, and the program's name. Call once, before any thread.
void log_setup(const char *program, LogLevel least);
/// Write one line. `fields` ends with a field whose key is NULL. Thread-safe; never fails.
void log_write(LogLevel level, const char *event, const LogField *fields);

/// Typed constructors behind `F`; `key` is static text.
LogField log_field_str(const char *key, Str value);
LogField log_field_text(const char *key, const char *value);
LogField log_field_u64(const char *key, uint64_t value);
LogField log_field_bool(const char *key, bool value);

/// A field: F("device", id_str(&id)), F("count", count). Signed values are given cast.
#define F(key, value) \
    _Generic((value),                                                                              \
        Str: log_field_str,                                                                        \
        char *: log_field_text,                                                                    \
        const char *: log_field_text,                                                              \
        bool: log_field_bool,                                                                      \
        default: log_field_u64)((key), (value))

/// log_event(LOG_INFO, "call.failed", F("call", id), ...)
#define log_event(level, event, ...) \
    log_write((level), (event), (const LogField[]){__VA_ARGS__ __VA_OPT__(, ){.key = NULL}})
