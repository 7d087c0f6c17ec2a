// SPDX-License-Identifier: Apache-2.0
/// A Compose file (compose-spec) to the Manifest of a release: the supported subset.
///
///     name: shop                      # the application, unless it is given otherwise
///     version: "3"                    # ignored
///     volumes: {data: }               # named volumes must be declared; without options
///     services:
///       web:
///         image: repository[:tag][@sha256:digest]
///         command: text (split like a shell does) or list; entrypoint likewise
///         environment: map, or list of KEY=VALUE
///         ports: "[ADDRESS:]HOST:CONTAINER[/udp]", or {target, published, host_ip, protocol}
///         volumes: "SOURCE:/TARGET[:ro]", or {type, source, target, read_only}
///         depends_on: list, or map to {condition: service_started | service_healthy}
///         healthcheck: {test, interval, timeout, retries, start_period}
///         restart: always (also when absent) | unless-stopped | on-failure | no
///
/// Nothing is guessed and nothing is skipped: any other key, a variable (${X}; write $$ for a
/// dollar sign), a path relative to the file or a port without a host side is refused, each with
/// its place and line, all of them at once.
#pragma once

#include "wire/manifest.h"

typedef struct Compose {
    Str name;          ///< absent: the file has none
    Manifest manifest; ///< images may still have a tag only
} Compose;

/// Decode the document `text`; everything lives in `arena`. Bounds and patterns of values are those
/// of Manifest_schema and are for compose_check. ERR_INVALID: faults, whose pointers are places
/// like "services.web.build (line 7)". ERR_LIMIT: over 256 KiB, or arena exhausted.
Err compose_decode(Str text, Arena *arena, Faults *faults, Compose *ret_compose);
/// What the server will check, before it is sent: bounds, patterns, dependencies, ports.
/// ERR_INVALID: faults with JSON pointers ("/services/0/image").
Err compose_check(const Manifest *manifest, Arena *arena, Faults *faults);
/// Split `text` into words as a shell does: blanks part words, '...' is literal, in "..." and
/// outside a backslash keeps the next character. ERR_INVALID: a quote or backslash is left open.
/// ERR_LIMIT: more than 64 words, or arena exhausted.
Err words_split(Str text, Arena *arena, StrList *ret_words);
