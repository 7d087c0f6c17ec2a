// SPDX-License-Identifier: Apache-2.0
#include "http1/head_parts.h"

#include <string.h>
#include <strings.h>

bool head_is_token(Str text) {
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_alphanumeric =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_alphanumeric && (c == '\0' || !strchr(marks, c))) return false;
    }
    return text.len > 0;
}

/// What is wrong with the byte at `at`, seen from those before it; NULL: nothing.
static const char *head_byte_fault(Str bytes, size_t at) {
    char c = bytes.ptr[at];
    bool is_after_cr = at > 0 && bytes.ptr[at - 1] == '\r';
    if (is_after_cr != (c == '\n')) return "a line of the head does not end with CR LF";
    bool is_control = ((unsigned char)c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 0x7f;
    return is_control ? "the head has control characters" : NULL;
}

HeadVerdict head_find(Str bytes, size_t from, size_t *ret_len) {
    *ret_len = 0;
    for (size_t at = from; at < bytes.len; at++) {
        const char *fault = head_byte_fault(bytes, at);
        if (fault) return head_refuse(400, fault);
        // The first line may be empty, and is none of the head then.
        if (bytes.ptr[at] != '\n' || at < 3 || bytes.ptr[at - 2] != '\n') continue;
        *ret_len = at + 1;
        break;
    }
    return (HeadVerdict){};
}

Str head_line(Str *rest) {
    const char *found = rest->len ? memmem(rest->ptr, rest->len, "\r\n", 2) : NULL;
    size_t end = found ? (size_t)(found - rest->ptr) : rest->len;
    Str line = str_slice(*rest, 0, end);
    *rest = str_slice(*rest, end + 2, rest->len);
    return line;
}

/// Bytes that a value may have (RFC 9110 section 5.5): all but controls, of which tab is none.
static bool head_is_value(Str text) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) return false;
    }
    return true;
}

static HeadVerdict head_read_field(Str line, HeadField *ret_field) {
    if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return head_refuse(400, "a field of the head is folded over several lines");
    size_t colon = str_index(line, ':', 0);
    HeadField field = {str_slice(line, 0, colon), str_slice(line, colon + 1, line.len)};
    if (colon == line.len) return head_refuse(400, "a line of the head has no colon");
    if (!head_is_token(field.name))
        return head_refuse(400, "the name of a field has bytes that are not allowed in it");
    if (!head_is_value(field.value))
        return head_refuse(400, "the value of a field has bytes that are not allowed in it");
    *ret_field = (HeadField){field.name, str_trim(field.value)};
    return (HeadVerdict){};
}

HeadVerdict head_read_fields(Str lines, HeadFields *fields) {
    fields->count = 0;
    for (Str line = head_line(&lines); line.len > 0; line = head_line(&lines)) {
        if (fields->count == HEAD_FIELDS_MAX)
            return head_refuse(431, "the head has more than 64 fields");
        HEAD_TRY(head_read_field(line, &fields->items[fields->count]));
        fields->count++;
    }
    return lines.len == 0 ? (HeadVerdict){} : head_refuse(400, "there is more behind the head");
}

bool head_next(const HeadFields *fields, Str name, size_t *at, Str *ret_value) {
    while (*at < fields->count) {
        const HeadField *field = &fields->items[(*at)++];
        if (!head_word_is(field->name, name)) continue;
        *ret_value = field->value;
        return true;
    }
    return false;
}

bool head_one(const HeadFields *fields, Str name, Str *ret_value) {
    size_t at = 0;
    Str again;
    *ret_value = (Str){};
    return !head_next(fields, name, &at, ret_value) || !head_next(fields, name, &at, &again);
}

uint64_t head_retry_after_s(const HeadFields *fields) {
    Str text;
    uint64_t seconds = 0;
    if (!head_one(fields, S("Retry-After"), &text)) return 0;
    return str_u64(text, &seconds).code == OK ? seconds : 0;
}

bool head_word_is(Str a, Str b) {
    return a.len == b.len && (a.len == 0 || strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

static bool head_list_has(Str list, Str word, bool in_any_case) {
    Str part;
    while (list.ptr && str_cut(&list, ',', &part)) {
        part = str_trim(part);
        if (in_any_case ? head_word_is(part, word) : str_eq(part, word)) return true;
    }
    return false;
}

bool head_has(const HeadFields *fields, Str name, Str word, bool in_any_case) {
    Str list;
    for (size_t at = 0; head_next(fields, name, &at, &list);)
        if (head_list_has(list, word, in_any_case)) return true;
    return false;
}

HeadVerdict head_read_version(Str word, uint8_t *ret_minor) {
    bool is_http = word.len == 8 && str_starts(word, S("HTTP/")) && word.ptr[6] == '.'
                   && word.ptr[5] >= '0' && word.ptr[5] <= '9' && word.ptr[7] >= '0'
                   && word.ptr[7] <= '9';
    if (!is_http) return head_refuse(400, "the start line names no version of HTTP");
    if (word.ptr[5] != '1') return head_refuse(505, "the version of HTTP is not 1.1");
    *ret_minor = word.ptr[7] > '0';
    return (HeadVerdict){};
}

static HeadVerdict head_read_length(Head *head, Str text) {
    if (str_u64(text, &head->length).code != OK || head->length > INT64_MAX)
        return head_refuse(400, "Content-Length is not a number");
    head->body = BODY_LENGTH;
    return (HeadVerdict){};
}

/// Any other coding would have to be undone to find the end.
static HeadVerdict head_read_coding(Head *head, Str coding) {
    if (head->minor == 0) return head_refuse(400, "a transfer coding needs HTTP/1.1");
    if (!head_word_is(coding, S("chunked")))
        return head_refuse(501, "no transfer coding but chunked is known here");
    head->body = BODY_CHUNKED;
    return (HeadVerdict){};
}

HeadVerdict head_read_framing(Head *head, BodyForm otherwise) {
    const HeadFields *fields = &head->fields;
    Str length, coding;
    if (!head_one(fields, S("Content-Length"), &length))
        return head_refuse(400, "Content-Length is repeated");
    if (!head_one(fields, S("Transfer-Encoding"), &coding))
        return head_refuse(400, "Transfer-Encoding is repeated");
    if (length.ptr && coding.ptr)
        return head_refuse(400, "there are both Content-Length and Transfer-Encoding");
    head->body = otherwise;
    if (length.ptr) HEAD_TRY(head_read_length(head, length));
    if (coding.ptr) HEAD_TRY(head_read_coding(head, coding));
    bool closes = head_has(fields, S("Connection"), S("close"), true);
    bool keeps = head->minor > 0 || head_has(fields, S("Connection"), S("keep-alive"), true);
    head->is_kept = keeps && !closes && head->body != BODY_TO_END;
    return (HeadVerdict){};
}
