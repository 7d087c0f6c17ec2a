// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"
#include "base/schema.h"

static bool pattern_is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool pattern_is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

static bool pattern_is_letter(char c) {
    return pattern_is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool pattern_is_slug_char(char c) {
    return pattern_is_lower(c) || pattern_is_digit(c) || c == '-' || c == '.' || c == '_';
}

static bool pattern_is_dns_char(char c) {
    return pattern_is_lower(c) || pattern_is_digit(c) || c == '-';
}

static bool pattern_is_name_char(char c) {
    return pattern_is_letter(c) || pattern_is_digit(c) || c == '_';
}

static bool pattern_is_label_char(char c) {
    return pattern_is_letter(c) || pattern_is_digit(c) || c == '-' || c == '_' || c == '.'
           || c == '/';
}

static bool pattern_is_hex(char c) {
    return pattern_is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool pattern_is_version_char(char c) {
    return pattern_is_letter(c) || pattern_is_digit(c) || c == '-';
}

static bool pattern_all(Str text, bool (*is)(char c)) {
    for (size_t i = 0; i < text.len; i++)
        if (!is(text.ptr[i])) return false;
    return true;
}

/// One or more characters, the first and the last of them a lower-case letter or digit.
static bool pattern_is_between_alphanumerics(Str text, bool (*is)(char c)) {
    if (text.len == 0 || !pattern_all(text, is)) return false;
    char first = text.ptr[0];
    char last = text.ptr[text.len - 1];
    return (pattern_is_lower(first) || pattern_is_digit(first))
           && (pattern_is_lower(last) || pattern_is_digit(last));
}

static bool pattern_slug_matches(Str text) {
    return pattern_is_between_alphanumerics(text, pattern_is_slug_char);
}

static bool pattern_dns_label_matches(Str text) {
    return text.len <= 63 && pattern_is_between_alphanumerics(text, pattern_is_dns_char);
}

/// Digits without a leading zero.
static bool pattern_is_version_number(Str text) {
    return text.len > 0 && pattern_all(text, pattern_is_digit)
           && (text.len == 1 || text.ptr[0] != '0');
}

/// Dot-separated identifiers; with `strict_numbers` the all-digit ones have no leading zero.
static bool pattern_is_version_tail(Str tail, bool strict_numbers) {
    Str part;
    while (str_cut(&tail, '.', &part)) {
        if (part.len == 0 || !pattern_all(part, pattern_is_version_char)) return false;
        if (strict_numbers && pattern_all(part, pattern_is_digit)
            && !pattern_is_version_number(part))
            return false;
    }
    return true;
}

static bool pattern_semver_matches(Str text) {
    Str rest = text;
    Str version;
    if (!str_cut(&rest, '+', &version)) return false;
    if (!pattern_is_version_tail(rest, false)) return false; // the build, perhaps absent
    Str core;
    if (!str_cut(&version, '-', &core) || !pattern_is_version_tail(version, true)) return false;
    Str part;
    size_t parts = 0;
    while (str_cut(&core, '.', &part)) {
        if (!pattern_is_version_number(part)) return false;
        parts++;
    }
    return parts == 3;
}

static bool pattern_digest_matches(Str text) {
    const Str prefix = S("sha256:");
    Str digits = str_slice(text, prefix.len, text.len);
    return str_starts(text, prefix) && digits.len == 64 && pattern_all(digits, pattern_is_hex);
}

static bool pattern_hex128_matches(Str text) {
    return text.len == 32 && pattern_all(text, pattern_is_hex);
}

static bool pattern_key32_matches(Str text) {
    uint8_t key[32];
    return base64_decode_exact(text, key, sizeof(key)).code == OK;
}

/// C0, DEL and (in UTF-8) C1.
static bool pattern_line_matches(Str text) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x20 || c == 0x7f) return false;
        if (c == 0xc2 && i + 1 < text.len && (unsigned char)text.ptr[i + 1] < 0xa0) return false;
    }
    return true;
}

static bool pattern_name_matches(Str text) {
    return text.len > 0 && pattern_all(text, pattern_is_name_char)
           && !pattern_is_digit(text.ptr[0]);
}

static bool pattern_label_matches(Str text) {
    return text.len > 0 && pattern_all(text, pattern_is_label_char)
           && pattern_is_letter(text.ptr[0]);
}

const Pattern Pattern_slug = {
    .name = "slug",
    .regex = "^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$",
    .allowed = "lower-case letters, digits, '-', '.' and '_', first and last a letter or digit",
    .matches = pattern_slug_matches,
};
const Pattern Pattern_dns_label = {
    .name = "dns_label",
    .regex = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    .allowed = "a DNS label: lower-case letters, digits and '-', first and last a letter or digit",
    .matches = pattern_dns_label_matches,
};
const Pattern Pattern_semver = {
    .name = "semver",
    .regex = "^(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)"
             "(?:-((?:0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*)"
             "(?:\\.(?:0|[1-9]\\d*|\\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
             "(?:\\+([0-9a-zA-Z-]+(?:\\.[0-9a-zA-Z-]+)*))?$",
    .allowed = "a semantic version, like 1.4.0 or 2.0.0-rc.1",
    .matches = pattern_semver_matches,
};
const Pattern Pattern_digest = {
    .name = "digest",
    .regex = "^sha256:[0-9a-f]{64}$",
    .allowed = "a digest: sha256: and 64 lower-case hex digits",
    .matches = pattern_digest_matches,
};
const Pattern Pattern_hex128 = {
    .name = "hex128",
    .regex = "^[0-9a-f]{32}$",
    .allowed = "32 lower-case hex digits",
    .matches = pattern_hex128_matches,
};
const Pattern Pattern_key32 = {
    .name = "key32",
    .regex = "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$",
    .allowed = "base64 of a key of 32 bytes",
    .matches = pattern_key32_matches,
};
const Pattern Pattern_line = {
    .name = "line",
    .regex = "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
    .allowed = "one line without control characters",
    .matches = pattern_line_matches,
};
const Pattern Pattern_name = {
    .name = "name",
    .regex = "^[A-Za-z_][A-Za-z0-9_]*$",
    .allowed = "letters, digits and '_', first not a digit",
    .matches = pattern_name_matches,
};
const Pattern Pattern_label = {
    .name = "label",
    .regex = "^[A-Za-z][A-Za-z0-9._/-]*$",
    .allowed = "letters, digits, '-', '_', '.' and '/', first a letter",
    .matches = pattern_label_matches,
};
