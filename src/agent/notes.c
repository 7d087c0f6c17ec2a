// SPDX-License-Identifier: Apache-2.0
#include "agent/notes.h"

#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void notes_add(Notes *notes, const char *format, ...) {
    char line[ERR_REASON_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    Reason note;
    reason_set(&note, "%s", line);
    for (size_t i = 0; i < notes->count; i++)
        if (strcmp(notes->lines[i].text, note.text) == 0) return;
    log_event(LOG_WARN, "device.note", F("what", str_from(note.text)));
    if (notes->count < NOTES_MAX) notes->lines[notes->count++] = note;
}
