// SPDX-License-Identifier: Apache-2.0
// The verbs that do more than one call, or none: the topmost file, since it names what runs them.
#include "cli/cli.h"

#include "api/audit.h"
#include "api/device.h"
#include "api/event.h"
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
static const Option logout_options[] = {
    {.name = "all", .value = NULL, .doc = "end every session of the operator, not only this one"},
};
static const Option deploy_options[] = {
    {.name = "fleet",         .value = "FLEET",    .doc = "where to"                                   },
    {.name = "release",       .value = "RELEASE",  .doc = "what, an id or APP@VERSION"                 },
    {.name = "wait",          .value = NULL,       .doc = "until every device runs it, a line a change"},
    {.name = "timeout",       .value = "DURATION", .doc = "how long to wait (10m)"                     },
    {.name = "allow-offline", .value = NULL,       .doc = "do not wait for devices that are away"      },
};
static const Option events_options[] = {
    {.name = "follow", .letter = 'f', .value = NULL,           .doc = "go on with what comes, until Ctrl-C"},
    {.name = "after",
     .value = "NUMBER",
     .doc = "begin behind this entry (-f: with what comes now)"                                       },
    {.name = "action",
     .value = "ACTION",
     .doc = "only fleet.deploy, or all of fleet; several: a,b"                                       },
    {.name = "subject",                .value = "ID|NAME",             .doc = "only about this; several: a,b"},
    {.name = "class",                .value = "audit|event",               .doc = "only what was decided, or what was noticed"                                     },
};
static const Option release_options[] = {
    {.name = "file",              .value = "FILE",    .doc = "the Compose file; - is standard input"     },
    {.name = "version",           .value = "VERSION", .doc = "semantic version of the release"           },
    {.name = "application",       .value = "APP",     .doc = "what it is a release of (the file's name:)"},
    {.name = "no-resolve",        .value = NULL,      .doc = "ask no registry: images have their digests"},
    {.name = "insecure-registry", .value = NULL,      .doc = "speak to registries without TLS"           },
};

static const Option checkpoint_options[] = {
    {.name = "save", .value = "FILE", .doc = "where to, instead of showing it"},
};
static const Option export_options[] = {
    {.name = "after", .value = "NUMBER", .doc = "begin behind this entry"},
};
static const Option verify_options[] = {
    {.name = "checkpoint",
     .value = "FILE",
     .doc = "saved before: prove that the journal only grew since then"                              },
    {.name = "save",       .value = "FILE", .doc = "where to keep how far it came, for the next time"},
};

// clang-format off
static const Verb verb_rows[] = {
    {"", "login", &Session_login, login_run, OPTIONS(login_options)},
    {"", "logout", &Session_logout, logout_run, OPTIONS(logout_options)},
    {"", "deploy", &Fleet_deploy, deploy_run, OPTIONS(deploy_options)},
    {"", "events", &Event_follow, events_run,
     .doc = "Show the entries of the journal, and follow it", OPTIONS(events_options)},
    {"", "help", NULL, help_run, "[NOUN] [VERB]", "What there is, and how it is used"},
    {"", "man", NULL, man_run, "[NOUN]", "Print the manual page"},
    {"", "completion", NULL, completion_run, "SHELL", "Print completions for a shell (bash)"},
    {"", "version", NULL, version_run, .doc = "Print the version"},
    {"audit", "checkpoint", &Audit_checkpoint, audit_checkpoint_run, OPTIONS(checkpoint_options)},
    {"audit", "export", &Audit_export, audit_export_run, OPTIONS(export_options)},
    {"audit", "verify", NULL, audit_verify_run, .doc = "Prove that the journal is whole",
     OPTIONS(verify_options)},
    {"device", "rotate-key", &Device_rotate_key},
    {"release", "create", &Release_create, release_run,
     .doc = "Make a release from a Compose file", OPTIONS(release_options)},
};
// clang-format on

const Verbs muster_verbs = {verb_rows, sizeof(verb_rows) / sizeof(verb_rows[0])};
