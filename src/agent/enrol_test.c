// SPDX-License-Identifier: Apache-2.0
#include "agent/enrol.h"

#include "agent/join.h"
#include "base/arena.h"
#include "folder.h"
#include "http1/http1_peer.h"
#include "io/file.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Fixture {
    char folder[64];
    char state[80];
    char file[80];
    Arena arena;
    Peer peer;
} Fixture;

static int setup(void **test_state) {
    Fixture *f = calloc(1, sizeof(*f));
    snprintf(f->folder, sizeof(f->folder), "/tmp/muster-enrol-XXXXXX");
    if (!mkdtemp(f->folder)) return -1;
    snprintf(f->state, sizeof(f->state), "%s/state", f->folder);
    snprintf(f->file, sizeof(f->file), "%s/enrol", f->folder);
    arena_init(&f->arena, 4 * 1024 * 1024);
    *test_state = f;
    return 0;
}

static int teardown(void **test_state) {
    Fixture *f = *test_state;
    int rc = folder_remove(f->folder);
    arena_done(&f->arena);
    free(f);
    return rc;
}

#define INSTALLATION "installation_01jdfq3t5hefbv1nq5a3x4k2zr"
#define DEVICE "device_01jdfq3t5hefbv1nq5a3x4k2zr"
#define CHALLENGE                                                                          \
    "{\"nonce\":\"n-1\",\"now\":\"2026-11-24T10:56:17.123Z\",\"audience\":\"" INSTALLATION \
    "\",\"binding\":\"none\",\"of_tomorrow\":{}}"
#define ENROLLED ENROLLED_AS("4")
#define ENROLLED_AS(epoch)                                                                      \
    "{\"device_id\":\"" DEVICE "\",\"name\":\"till-1\",\"fleet_id\":"                           \
    "\"fleet_01jdfq3t5hefbv1nq5a3x4k2zr\",\"epoch\":" epoch ",\"installation\":\"" INSTALLATION \
    "\",\"servers\":{\"digest\":\"list-1\",\"servers\":[{\"url\":\"http://127.0.0.1:7000\"}]}," \
    "\"heartbeat\":\"30s\"}"

static const char *reply_of(Fixture *f, const char *status, Str body) {
    return str_print(&f->arena,
                     "HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
                     "Content-Length: %zu\r\n\r\n%.*s",
                     status,
                     body.len,
                     STR_FMT(body))
        .ptr;
}

/// A server that answers a challenge, then this.
static void serve(Fixture *f, const char *status, Str body) {
    Step steps[] = {
        {reply_of(f, "200 OK", S(CHALLENGE)), KEEP},
        {reply_of(f, status,   body),         KEEP},
    };
    peer_start(&f->peer, steps, 2, true, NULL);
}

/// A token for the server, behind one that is not there.
static const char *token_of(Fixture *f) {
    Str servers[] = {S("http://127.0.0.1:1"),
                     str_print(&f->arena, "http://127.0.0.1:%u", f->peer.port)};
    TokenText parts = {
        .servers = {servers, 2},
          .fleet = S("shop"), .secret = S("s3cret")
    };
    Str token;
    CHECK_OK(token_text_make(&parts, &f->arena, &token));
    return str_dup(&f->arena, token).ptr;
}

static Err enrol_now(Fixture *f, const char *token, bool force, Reason *reason) {
    *reason = (Reason){};
    EnrolOptions options = {.token = token, .name = "till-1", .state = f->state, .force = force};
    return enrol(&options, reason);
}

static Membership member_now(Fixture *f, Servers *ret_servers, Identity *ret_key) {
    State state;
    Membership member;
    Servers trial;
    CHECK_OK(state_open(f->state, NULL, &state, NULL));
    CHECK_OK(state_identity(&state, &f->arena, &member, ret_key, NULL));
    CHECK_OK(state_servers(&state, &f->arena, ret_servers, &trial, NULL));
    state_close(&state);
    return member;
}

TEST(a_token_is_the_whole_line) {
    Fixture *f = *test_state;
    serve(f, "201 Created", S(ENROLLED));
    Reason reason;
    CHECK_OK(enrol_now(f, token_of(f), false, &reason));
    peer_stop(&f->peer);
    Servers servers;
    Identity key;
    Membership member = member_now(f, &servers, &key);
    CHECK_STR(id_str(&member.device_id), S(DEVICE));
    CHECK_STR(id_str(&member.installation), S(INSTALLATION));
    CHECK(member.epoch == 4);
    CHECK_STR(servers.servers.items[0].url, S("http://127.0.0.1:7000"));
    // What was asked: the secret, a proof over the nonce, and nothing of the token beside it.
    const char *body = strstr(f->peer.requests[1], "\r\n\r\n") + 4;
    EnrolInput input;
    CHECK_OK(schema_read(&EnrolInput_schema, str_from(body), DECODE_PEER, &f->arena, &input, NULL));
    CHECK_STR(input.secret, S("s3cret"));
    CHECK_STR(input.name, S("till-1"));
    CHECK(input.abilities.count == ABILITY_COUNT && input.facts.cpus > 0);
    Str json;
    Proof proof;
    CHECK_OK(jws_verify(key.key.public, input.proof, &f->arena, &json));
    CHECK_OK(schema_read(&Proof_schema, json, DECODE_INPUT, &f->arena, &proof, NULL));
    CHECK(proof.use == PROOF_ENROL && id_is_absent(&proof.sub));
    CHECK_STR(proof.nonce, S("n-1"));
    CHECK_STR(proof.about, sha256_hex(&f->arena, S("s3cret")));
    CHECK_STR(id_str(&proof.aud), S(INSTALLATION));
    CHECK_ERR(enrol_now(f, token_of(f), false, &reason), ERR_EXISTS);
}

TEST(what_the_server_says_is_told_and_the_key_waits_for_another_try) {
    Fixture *f = *test_state;
    serve(f, "401 Unauthorized", S("{\"title\":\"no\",\"detail\":\"the token was used up\"}"));
    Reason reason;
    CHECK_ERR(enrol_now(f, token_of(f), false, &reason), ERR_UNAUTHENTICATED);
    peer_stop(&f->peer);
    assert_string_equal(reason.text, "the token was used up");
    State state;
    Identity key;
    CHECK_OK(state_open(f->state, NULL, &state, NULL));
    CHECK_OK(state_next_find(&state, &key, NULL));
    state_close(&state);
}

TEST(with_force_a_key_that_is_refused_makes_way_for_a_new_one) {
    static const struct {
        const char *status;
        const char *body;
    } refusals[] = {
        {"403 Forbidden", "{\"detail\":\"retired\"}"                             },
        {"409 Conflict",  "{\"code\":\"exists\",\"detail\":\"of somebody else\"}"},
    };
    Fixture *f = *test_state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        Step steps[] = {
            {reply_of(f, "200 OK",           S(CHALLENGE)),               KEEP},
            {reply_of(f, refusals[i].status, str_from(refusals[i].body)), KEEP},
            {reply_of(f, "200 OK",           S(CHALLENGE)),               KEEP},
            {reply_of(f, "201 Created",      S(ENROLLED)),                KEEP},
        };
        peer_start(&f->peer, steps, 4, true, NULL);
        Reason reason;
        CHECK_OK(enrol_now(f, token_of(f), true, &reason));
        peer_stop(&f->peer);
        const char *first = strstr(f->peer.requests[1], "\"public_key\":\"");
        const char *second = strstr(f->peer.requests[3], "\"public_key\":\"");
        CHECK(first && second && strncmp(first, second, 50) != 0);
    }
}

TEST(a_device_that_has_lost_its_servers_enrols_again_with_its_own_key) {
    Fixture *f = *test_state;
    serve(f, "201 Created", S(ENROLLED));
    Reason reason;
    CHECK_OK(enrol_now(f, token_of(f), false, &reason));
    peer_stop(&f->peer);
    Servers servers;
    Identity before, after;
    member_now(f, &servers, &before);
    char path[128];
    snprintf(path, sizeof(path), "%s/" STATE_SERVERS, f->state);
    CHECK_OK(file_save(path, S("damaged"), 0600, NULL));
    serve(f, "201 Created", S(ENROLLED));
    CHECK_OK(enrol_now(f, token_of(f), false, &reason));
    peer_stop(&f->peer);
    member_now(f, &servers, &after);
    CHECK(memcmp(before.seed, after.seed, SEED_LEN) == 0);
}

TEST(a_folder_that_cannot_be_read_is_not_overwritten) {
    Fixture *f = *test_state;
    State state;
    CHECK_OK(state_open(f->state, NULL, &state, NULL));
    state_close(&state);
    char path[128];
    snprintf(path, sizeof(path), "%s/" STATE_MEMBERSHIP, f->state);
    CHECK_OK(file_save(path, S("{\"format\":5,\"reads\":5}"), 0600, NULL));
    serve(f, "201 Created", S(ENROLLED));
    Reason reason;
    CHECK_ERR(enrol_now(f, token_of(f), false, &reason), ERR_STATE);
    CHECK(strstr(reason.text, STATE_MEMBERSHIP));
    CHECK_OK(enrol_now(f, token_of(f), true, &reason)); // nobody else has answered yet
    peer_stop(&f->peer);
}

TEST(a_token_that_is_none_is_refused_before_anything_is_made) {
    Fixture *f = *test_state;
    Reason reason;
    CHECK_ERR(enrol_now(f, "muster1.a.b", false, &reason), ERR_INVALID);
    CHECK(reason.text[0] != '\0');
    CHECK(access(f->state, F_OK) != 0);
}

TEST(a_file_has_a_token_and_a_name) {
    Fixture *f = *test_state;
    char token[600];
    memset(token, 'x', sizeof(token)); // longer than a line of other configuration may be
    Str text = str_print(&f->arena, "# first boot\n\ntoken = %.*s\n  name=serial\n", 600, token);
    CHECK_OK(file_save(f->file, text, 0600, NULL));
    EnrolFile file;
    Reason reason = {};
    CHECK_OK(enrol_file_load(f->file, &f->arena, &file, &reason));
    CHECK(file.token.len == 600);
    CHECK_STR(file.name, S("serial"));
}

TEST(a_file_may_be_of_another_system) {
    Fixture *f = *test_state;
    CHECK_OK(file_save(f->file,
                       S("\xEF\xBB\xBFtoken\t=\tx.y \t\r\n\r\n; K\xC3\xBC"
                         "che\r\nname = Till 1\r\n"),
                       0600,
                       NULL));
    EnrolFile file;
    Reason reason = {};
    CHECK_OK(enrol_file_load(f->file, &f->arena, &file, &reason));
    CHECK_STR(file.token, S("x.y"));
    CHECK_STR(file.name, S("Till 1"));
}

TEST(a_file_that_is_not_right_says_where) {
    static const struct {
        const char *text;
        const char *said;
    } cases[] = {
        {"token = a\nname\n",       "line 2 must be `key = value`"},
        {"name = till\n",           "/token: must be"             },
        {"token = a\ntokens = b\n", "/tokens: "                   },
        {"token = a\ntoken = b\n",  "/token: "                    },
    };
    Fixture *f = *test_state;
    EnrolFile file;
    Reason reason = {};
    CHECK_ERR(enrol_file_load(f->file, &f->arena, &file, &reason), ERR_NOT_FOUND);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_OK(file_save(f->file, str_from(cases[i].text), 0600, NULL));
        CHECK_ERR(enrol_file_load(f->file, &f->arena, &file, &reason), ERR_INVALID);
        CHECK(strstr(reason.text, cases[i].said) && strstr(reason.text, f->file));
    }
}

TEST(a_machine_joins_by_its_file) {
    Fixture *f = *test_state;
    serve(f, "201 Created", S(ENROLLED));
    Str text = str_print(&f->arena, "token = %s\nname = Till 1\n", token_of(f));
    CHECK_OK(file_save(f->file, text, 0600, NULL));
    State state;
    CHECK_OK(state_open(f->state, NULL, &state, NULL));
    Reason reason = {};
    CHECK_OK(enrol_by_file(&state, f->file, &reason));
    peer_stop(&f->peer);
    CHECK(strstr(f->peer.requests[1], "\"name\":\"till-1\""));
    // Without a network it is to be tried again.
    CHECK_OK(state_next_forget(&state, NULL));
    char path[128];
    snprintf(path, sizeof(path), "%s/" STATE_MEMBERSHIP, f->state);
    CHECK_OK(file_remove(path, NULL));
    CHECK_ERR(enrol_by_file(&state, f->file, &reason), ERR_UNAVAILABLE);
    CHECK(strstr(reason.text, "127.0.0.1:"));
    state_close(&state);
}

TEST(a_device_that_joins_again_by_its_file_starts_as_who_it_is_now) {
    Fixture *f = *test_state;
    serve(f, "201 Created", S(ENROLLED));
    Reason reason;
    CHECK_OK(enrol_now(f, token_of(f), false, &reason));
    peer_stop(&f->peer);
    char path[128];
    snprintf(path, sizeof(path), "%s/" STATE_SERVERS, f->state);
    CHECK_OK(file_remove(path, NULL));
    State state;
    Membership member;
    Identity identity;
    CHECK_OK(state_open(f->state, NULL, &state, NULL));
    CHECK_OK(join(&state, f->file, &f->arena, &member, &identity, &reason)); // there is no file
    CHECK(member.epoch == 4);
    serve(f, "201 Created", S(ENROLLED_AS("5")));
    Str text = str_print(&f->arena, "token = %s\n", token_of(f));
    CHECK_OK(file_save(f->file, text, 0600, NULL));
    CHECK_OK(join(&state, f->file, &f->arena, &member, &identity, &reason));
    peer_stop(&f->peer);
    CHECK(member.epoch == 5);
    CHECK_STR(member.public_key, identity_public_key(&identity, &f->arena));
    state_close(&state);
}

#define ENROL_CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
TEST_MAIN(ENROL_CASE(a_token_is_the_whole_line),
          ENROL_CASE(what_the_server_says_is_told_and_the_key_waits_for_another_try),
          ENROL_CASE(with_force_a_key_that_is_refused_makes_way_for_a_new_one),
          ENROL_CASE(a_device_that_has_lost_its_servers_enrols_again_with_its_own_key),
          ENROL_CASE(a_folder_that_cannot_be_read_is_not_overwritten),
          ENROL_CASE(a_token_that_is_none_is_refused_before_anything_is_made),
          ENROL_CASE(a_file_has_a_token_and_a_name),
          ENROL_CASE(a_file_may_be_of_another_system),
          ENROL_CASE(a_file_that_is_not_right_says_where),
          ENROL_CASE(a_machine_joins_by_its_file),
          ENROL_CASE(a_device_that_joins_again_by_its_file_starts_as_who_it_is_now))
