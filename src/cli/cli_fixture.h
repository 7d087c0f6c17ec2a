// SPDX-License-Identifier: Apache-2.0
/// For tests: runs of `muster` in a folder of their own, with nothing of ours in the environment
/// but MUSTER_CONFIG, and the server that they ask: a script of answers (http1/http1_peer.h). What
/// goes wrong in here is an assertion that fails.
#pragma once

#include "cli/session.h"
#include "http1/http1_peer.h"

/// What a run printed, and its exit code.
typedef struct Run {
    int code;
    char *out;
    char *err;
} Run;

/// Run the command line.
Run run(int argc, const char **argv);
#define RUN(...)                                                       \
    run((int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), \
        (const char *[]){__VA_ARGS__})
/// Free it.
void run_done(Run *run);

typedef struct World {
    char folder[64];
    char config[128]; ///< the session's file, in a folder that is not there yet
    char ca[136];     ///< its authority's
    bool has_peer;
    Peer peer;
    char url[64]; ///< of the peer
} World;

/// A folder, and a peer that answers so; no peer if `count` is 0.
void world_open(World *world, const Step *steps, size_t count);
#define WORLD_OPEN(world, ...) \
    world_open(                \
        world, (const Step[]){__VA_ARGS__}, sizeof((const Step[]){__VA_ARGS__}) / sizeof(Step))
/// Sign in at the peer by a session's file with "access-1" and "refresh-1"; the access token ends
/// `in_ms` from now.
void world_sign_in(const World *world, int64_t in_ms);
/// The session's file as it is now.
Session world_session(const World *world, Arena *arena);
/// Write a file into the folder; gives its path, good until the next call.
const char *world_file(const World *world, const char *name, const char *text);
/// Wait until the peer's script is done, and check that it was asked as often as it has steps.
/// Remove the folder.
void world_close(World *world);

/// Answers of the peer.
#define ANSWER(status, type, body)                                                               \
    (Step) {                                                                                     \
        "HTTP/1.1 " status "\r\nContent-Type: " type "\r\nConnection: close\r\n\r\n" body, CLOSE \
    }
#define JSON(body) ANSWER("200 OK", "application/json", body)
#define PROBLEM(status, body) ANSWER(status, "application/problem+json", body)
#define TOKENS                                                                            \
    JSON("{\"access_token\":\"access-2\",\"token_type\":\"Bearer\",\"expires_in_s\":900," \
         "\"refresh_token\":\"refresh-2\",\"operator_id\":\"operator_" UUID "\","         \
         "\"org_id\":\"org_" UUID "\",\"role\":\"owner\"}")
#define UUID "01h455vb4pex5vsknk084sn02q"
