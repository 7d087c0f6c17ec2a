// SPDX-License-Identifier: Apache-2.0
// Everything that `muster` can do: each endpoint of the API is a verb, and the rows here are those
// that do more than one call, or none.
#include "cli/cli.h"

#include "api/audit.h"
#include "api/endpoints.h"
#include "api/fleet.h"
#include "api/release.h"
#include "api/session.h"

#define OPTIONS(array) .options = (array), .option_count = sizeof(array) / sizeof((array)[0])

static const Option login_options[] = {
    {.name = "server",         .value = "URL",  .doc = "the control plane, https://host:port"           },
    {.name = "ca",             .value = "FILE", .doc = "PEM file of the authority that it is trusted by"},
    {.name = "ca-fingerprint", .value = "HEX",  .doc = "or its SHA-256: it is fetched and stored"       },
    {.name = "org",            .value = "ORG",  .doc = "organisation, where there is more than one"     },
    {.name = "name",           .value = "NAME", .doc = "who signs in (owner)"                           },
    {.name = "password-file",
     .value = "FILE",
     .doc = "its first line is the password; else $MUSTER_PASSWORD, else it is asked for"               },
};
static const Option deploy_options[] = {
    {.name = "fleet",         .value = "FLEET",    .doc = "where to"                                   },
    {.name = "release",       .value = "RELEASE",  .doc = "what, an id or APP@VERSION"                 },
    {.name = "wait",          .value = NULL,       .doc = "until every device runs it, a line a change"},
    {.name = "timeout",       .value = "DURATION", .doc = "how long to wait (10m)"                     },
    {.name = "allow-offline", .value = NULL,       .doc = "do not wait for devices that are away"      },
};
static const Option release_options[] = {
    {.name = "file",              .value = "FILE",    .doc = "the Compose file; - is standard input"     },
    {.name = "version",           .value = "VERSION", .doc = "semantic version of the release"           },
    {.name = "application",       .value = "APP",     .doc = "what it is a release of (the file's name:)"},
    {.name = "no-resolve",        .value = NULL,      .doc = "ask no registry: images have their digests"},
    {.name = "insecure-registry", .value = NULL,      .doc = "speak to registries without TLS"           },
};

// clang-format off
static const Verb rows[] = {
    {"", "login", &Session_login, login_run, OPTIONS(login_options)},
    {"", "logout", &Session_logout, logout_run},
    {"", "deploy", &Fleet_deploy, deploy_run, OPTIONS(deploy_options)},
    {"", "help", NULL, help_run, "[NOUN] [VERB]", "What there is, and how it is used"},
    {"", "man", NULL, man_run, "[NOUN]", "Print the manual page"},
    {"", "completion", NULL, completion_run, "SHELL", "Print completions for a shell (bash)"},
    {"", "version", NULL, version_run, .doc = "Print the version"},
    {"audit", "verify", &Audit_verify, verify_run},
    {"release", "create", &Release_create, release_run,
     .doc = "Make a release from a Compose file", OPTIONS(release_options)},
};
// clang-format on
enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

/// The row of this endpoint; NULL: it has none.
static const Verb *verb_row(const Endpoint *endpoint) {
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (rows[i].endpoint == endpoint) return &rows[i];
    return NULL;
}

/// The verb of an endpoint, as a row says or as it is.
static Verb verb_of(const Endpoint *endpoint) {
    const Verb *row = verb_row(endpoint);
    Verb verb = row ? *row : (Verb){endpoint->noun, endpoint->verb, endpoint};
    if (!verb.doc) verb.doc = endpoint->doc;
    return verb;
}

bool verb_at(size_t at, Verb *ret_verb) {
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (*rows[i].noun || at-- > 0) continue;
        *ret_verb = rows[i].endpoint ? verb_of(rows[i].endpoint) : rows[i];
        return true;
    }
    for (size_t i = 0; i < endpoint_count; i++) {
        Verb verb = verb_of(endpoints[i]);
        if (!*verb.noun || at-- > 0) continue;
        *ret_verb = verb;
        return true;
    }
    return false;
}

bool verb_find(Str noun, Str name, Verb *ret_verb) {
    Verb verb;
    for (size_t at = 0; verb_at(at, &verb); at++) {
        if (!str_eq(noun, str_from(verb.noun)) || !str_eq(name, str_from(verb.name))) continue;
        *ret_verb = verb;
        return true;
    }
    return false;
}

bool noun_is_known(Str noun) {
    Verb verb;
    for (size_t at = 0; verb_at(at, &verb); at++)
        if (str_eq(noun, str_from(verb.noun))) return true;
    return false;
}
