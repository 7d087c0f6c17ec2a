// SPDX-License-Identifier: Apache-2.0
/// The whole control plane without sockets, over a store in memory, for the tests of this folder.
#pragma once

#include "control/control.h"
#include "control/init.h"
#include "http/router_fixture.h"
#include "wire/agent.h"

typedef struct Fixture {
    App app;
    Router *router;
    WorkerPool *workers;     ///< run lost races again
    Arena arena;             ///< of the answers; grows until the test ends
    _Atomic uint64_t now_ms; ///< the clock, which the sealer reads too
    ServerEntry server;      ///< the only one that devices are told
    Credentials owner;       ///< of the organisation "acme"
    Str token;               ///< acme's owner's access token
    Str remote;              ///< where calls come from; absent: 127.0.0.1
} Fixture;

/// Everything open, with the organisation "acme" and its owner signed in.
void fixture_open(Fixture *fixture);
/// The same over a new SQLite store in this file.
void fixture_open_sqlite(Fixture *fixture, const char *path);
/// Only calls use the store from now on, nothing in the background: for who counts its operations.
void fixture_quiet(Fixture *fixture);
/// Free all of it.
void fixture_close(Fixture *fixture);
/// Another organisation with an owner "eve"; gives the owner's access token.
Str fixture_org(Fixture *fixture, const char *name);
/// A session of an operator that is made in the store, without a password, which takes long; gives
/// its access token.
Str fixture_session(Fixture *fixture, const Id *org_id, const Id *operator_id);
/// One call; absent `bearer` or `body`: none. The answer lives as long as the fixture. What was
/// done before is in the journal when it is read.
HttpReply
fixture_call(Fixture *fixture, const char *method, const char *path, Str bearer, const char *body);
/// The text of a field of a JSON object: between the quotes, or up to the next comma or brace.
/// Asserts that it is there. (Enough for answers of our own with plain values.)
Str fixture_field(const HttpReply *reply, const char *name);
/// The text is somewhere in the body.
bool fixture_has(const HttpReply *reply, const char *text);
/// The first body that is printed into the fixture's arena.
__attribute__((format(printf, 2, 3))) const char *
fixture_print(Fixture *fixture, const char *format, ...);
/// A new fleet's id, by the owner.
Str fixture_fleet(Fixture *fixture, const char *name);
/// A new enrolment token's text for a fleet, good `uses` times.
Str fixture_enrolment_token(Fixture *fixture, Str fleet_id, unsigned uses);
/// Enrol a device with `key`; gives the answer, whatever it is.
HttpReply fixture_enrol(Fixture *fixture, Str token, const JwsKey *key, const char *name);

/// A device, and what it says hello with: a test changes what shall be wrong.
typedef struct FixtureDevice {
    JwsKey key;
    Hello hello;      ///< its proof is made when it is sent
    Proof proof;      ///< an absent nonce: of a fresh challenge
    const char *path; ///< /v1/devices/ID
} FixtureDevice;

/// A new device that has joined with the token; asserts success.
FixtureDevice fixture_device(Fixture *fixture, Str token, const char *name);
/// The nonce of a fresh challenge.
Str fixture_nonce(Fixture *fixture);
/// The claims, signed by `key`.
Str fixture_proof(Fixture *fixture, const JwsKey *key, const Proof *proof);
/// Its next hello offers this key, over a nonce that is taken now.
void fixture_offer(Fixture *fixture, FixtureDevice *device, const JwsKey *next);
/// The hello, with its proof, as JSON.
Str fixture_hello(Fixture *fixture, const FixtureDevice *device);
/// One sync by POST: the hello, and `rest`, other members of a SyncUp ("\"seq\":1").
HttpReply fixture_sync(Fixture *fixture, const FixtureDevice *device, const char *rest);
/// What a slice with the five plain endpoints at /v1/NOUNs must do: make a record of `create`, list
/// and show it, change it by `change`, remove it, leave three entries in the audit log and five
/// operations in the OpenAPI document. Asserts each.
void fixture_plain(Fixture *fixture, const char *noun, const char *create, const char *change);
