// SPDX-License-Identifier: Apache-2.0
// Everything that `muster` can do. A row without `run` is a call of the API and nothing else.
#include "cli/cli.h"

#include "wire/audit.h"
#include "wire/device.h"
#include "wire/fleet.h"
#include "wire/org.h"

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
    {.name = "fleet",     .value = "FLEET",                       .doc = "where to", .noun = "fleet"},
    {.name = "release",    .value = "RELEASE",                                          .doc = "what, an id or APP@VERSION", .noun = "release"},
    {.name = "wait",.doc = "until every device runs it, with a line for each change"},
    {.name = "timeout",                   .value = "DURATION",                                            .doc = "how long to wait (10m)"},
    {.name = "allow-offline",                   .doc = "do not wait for devices that are away"                                                                                 },
};
static const Option release_options[] = {
    {.name = "file",                            .value = "FILE",                                                        .doc = "the Compose file; - is standard input"},
    {.name = "version",                                         .value = "VERSION",                                                                                               .doc = "semantic version of the release"},
    {.name = "application", .value = "APP",.doc = "what it is a release of (the file's name:)"},
    {.name = "no-resolve",                           .doc = "ask no registry: every image must be named by its digest"                                                                     },
    {.name = "insecure-registry",                      .doc = "speak to registries without TLS"},
};
static const Option release_filters[] = {
    {.name = "application", .value = "APP",         .doc = "only releases of it", .query = "application"},
    {.name = "ref",         .value = "APP@VERSION", .doc = "only this one",       .query = "ref"        },
};
static const Option device_filters[] = {
    {.name = "fleet",
     .value = "FLEET",
     .doc = "only devices in it",
     .query = "fleet_id",
     .noun = "fleet"},
    {.name = "name",               .value = "NAME", .doc = "only the device of this name", .query = "name"},
};
static const Option token_filters[] = {
    {.name = "fleet",
     .value = "FLEET",
     .doc = "only tokens for it",
     .query = "fleet_id",
     .noun = "fleet"},
};
static const Option fleet_filters[] = {
    {.name = "name", .value = "NAME", .doc = "only the fleet of this name", .query = "name"},
};
static const Option audit_filters[] = {
    {.name = "descending", .doc = "newest first", .query = "descending"},
};

// clang-format off
const Verb cli_verbs[] = {
    {"", "login", "", "sign in to a control plane", .shape = SHOWS_NOTHING,
     .run = login_run, OPTIONS(login_options)},
    {"", "logout", "", "end the session", "POST", "/v1/logout", .shape = SHOWS_NOTHING,
     .run = logout_run},
    {"", "deploy", "", "ship a release to a fleet", "POST", "/v1/fleets/{fleet}/deploy",
     .out = &Fleet_schema, .run = deploy_run, OPTIONS(deploy_options)},
    {"", "help", "[NOUN] [VERB]", "what there is, and how it is used", .shape = SHOWS_NOTHING,
     .run = help_run},
    {"", "man", "[NOUN]", "print the manual page", .shape = SHOWS_NOTHING, .run = man_run},
    {"", "completion", "SHELL", "print completions for a shell (bash)", .shape = SHOWS_NOTHING,
     .run = completion_run},
    {"", "version", "", "print the version", .shape = SHOWS_NOTHING, .run = version_run},

    {"audit", "list", "", "every change that was made", "GET", "/v1/audit",
     .out = &AuditEntry_schema, .shape = SHOWS_LIST, OPTIONS(audit_filters)},
    {"audit", "verify", "", "check the chain of changes", "GET", "/v1/audit/verify",
     .out = &AuditVerdict_schema, .run = verify_run},

    {"device", "list", "", "devices and their last word", "GET", "/v1/devices",
     .out = &Device_schema, .shape = SHOWS_LIST, OPTIONS(device_filters)},
    {"device", "show", "DEVICE", "one device", "GET", "/v1/devices/{device}",
     .out = &Device_schema},
    {"device", "update", "DEVICE", "rename, label or move a device", "PATCH",
     "/v1/devices/{device}", .in = &Device_schema, .changes = true, .out = &Device_schema},
    {"device", "delete", "DEVICE", "forget a device; its key is good no longer", "DELETE",
     "/v1/devices/{device}", .shape = SHOWS_NOTHING},
    {"device", "telemetry", "DEVICE", "its latest measurements", "GET",
     "/v1/devices/{device}/telemetry", .out = &Telemetry_schema},

    {"fleet", "list", "", "fleets and what they run", "GET", "/v1/fleets",
     .out = &Fleet_schema, .shape = SHOWS_LIST, OPTIONS(fleet_filters)},
    {"fleet", "show", "FLEET", "one fleet", "GET", "/v1/fleets/{fleet}", .out = &Fleet_schema},
    {"fleet", "create", "", "make a fleet", "POST", "/v1/fleets", .in = &Fleet_schema,
     .out = &Fleet_schema},
    {"fleet", "update", "FLEET", "rename a fleet", "PATCH", "/v1/fleets/{fleet}",
     .in = &Fleet_schema, .changes = true, .out = &Fleet_schema},
    {"fleet", "delete", "FLEET", "remove a fleet", "DELETE", "/v1/fleets/{fleet}",
     .shape = SHOWS_NOTHING},

    {"operator", "list", "", "who may sign in", "GET", "/v1/operators",
     .out = &Operator_schema, .shape = SHOWS_LIST},
    {"operator", "show", "OPERATOR", "one operator", "GET", "/v1/operators/{operator}",
     .out = &Operator_schema},
    {"operator", "create", "", "let somebody sign in", "POST", "/v1/operators",
     .in = &Operator_schema, .out = &Operator_schema},
    {"operator", "update", "OPERATOR", "change a role or password", "PATCH",
     "/v1/operators/{operator}", .in = &Operator_schema, .changes = true,
     .out = &Operator_schema},
    {"operator", "delete", "OPERATOR", "remove an operator", "DELETE",
     "/v1/operators/{operator}", .shape = SHOWS_NOTHING},

    {"org", "show", "", "your organisation", "GET", "/v1/org", .out = &Org_schema},
    {"org", "update", "", "rename your organisation", "PATCH", "/v1/org", .in = &Org_schema,
     .changes = true, .out = &Org_schema},

    {"release", "list", "", "releases, what can be deployed", "GET", "/v1/releases",
     .out = &Release_schema, .shape = SHOWS_LIST, OPTIONS(release_filters)},
    {"release", "show", "RELEASE", "one release", "GET", "/v1/releases/{release}",
     .out = &Release_schema},
    {"release", "create", "", "make a release from a Compose file", "POST", "/v1/releases",
     .out = &Release_schema, .run = release_run, OPTIONS(release_options)},

    {"token", "list", "", "tokens that let devices join", "GET", "/v1/tokens",
     .out = &Token_schema, .shape = SHOWS_LIST, OPTIONS(token_filters)},
    {"token", "show", "TOKEN", "one token, without its secret", "GET", "/v1/tokens/{token}",
     .out = &Token_schema},
    {"token", "create", "", "make a token; it is shown once", "POST", "/v1/tokens",
     .in = &Token_schema, .out = &Token_schema},
    {"token", "delete", "TOKEN", "no device joins with it any more", "DELETE",
     "/v1/tokens/{token}", .shape = SHOWS_NOTHING},
};
// clang-format on
const size_t cli_verb_count = sizeof(cli_verbs) / sizeof(cli_verbs[0]);

const Verb *verb_find(Str noun, Str name) {
    for (size_t i = 0; i < cli_verb_count; i++)
        if (str_eq(noun, str_from(cli_verbs[i].noun)) && str_eq(name, str_from(cli_verbs[i].name)))
            return &cli_verbs[i];
    return NULL;
}
