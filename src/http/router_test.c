// SPDX-License-Identifier: Apache-2.0
#include "base/problem.h"
#include "http/fixture.h"
#include "io/race.h"

#include <jansson.h>

#include "test.h"

#include <semaphore.h>

/// Run a request as the writer, with a JSON body if there is any.
static HttpReply ask(Fixture *fixture, Str method, Str path, Str body) {
    return fixture_run(fixture,
                       &(HttpRequest){.method = method,
                                      .path = path,
                                      .bearer = S("writer"),
                                      .content_type = S("application/json"),
                                      .body = body});
}

/// The problem document of a reply, read back.
static Problem problem_of(Fixture *fixture, const HttpReply *reply) {
    CHECK_STR(reply->content_type, S(PROBLEM_CONTENT_TYPE));
    Problem problem;
    CHECK_OK(
        schema_read(&Problem_schema, reply->body, DECODE_REPLY, &fixture->arena, &problem, NULL));
    CHECK(problem.status == reply->status);
    CHECK_STR(problem.request_id, reply->request_id);
    return problem;
}

TEST(one_record_a_list_and_nothing_are_answered) {
    Fixture fixture;
    fixture_open(&fixture);
    HttpReply reply = ask(&fixture, S("GET"), S("/v1/boxes/b"), (Str){});
    CHECK(reply.status == 200);
    CHECK_STR(reply.body, S("{\"name\":\"b\",\"size\":0}"));
    CHECK_STR(reply.content_type, S("application/json"));
    CHECK(str_starts(reply.request_id, S("req_")));
    reply = ask(&fixture, S("GET"), S("/v1/boxes"), (Str){});
    CHECK_STR(reply.body,
              S("{\"items\":[{\"name\":\"a\",\"size\":0},{\"name\":\"a\",\"size\":0}],"
                "\"next\":\"more\"}"));
    reply = ask(&fixture, S("DELETE"), S("/v1/boxes/b"), (Str){});
    CHECK(reply.status == 204 && !reply.body.ptr && !reply.content_type.ptr);
    fixture_close(&fixture);
}

TEST(a_creation_is_committed_once) {
    Fixture fixture;
    fixture_open(&fixture);
    HttpReply reply = ask(&fixture, S("POST"), S("/v1/boxes"), S("{\"name\":\"n\"}"));
    CHECK(reply.status == 201);
    CHECK(fixture.committed == 1);
    fixture_close(&fixture);
}

TEST(a_query_has_its_default_its_bounds_and_no_unknown_names) {
    Fixture fixture;
    fixture_open(&fixture);
    HttpRequest request = {.method = S("GET"), .path = S("/v1/boxes"), .bearer = S("reader")};
    StrPair limit = {S("limit"), S("3")};
    request.query = (StrMap){&limit, 1};
    HttpReply reply = fixture_run(&fixture, &request);
    CHECK(reply.status == 200 && !str_ends(reply.body, S("\"more\"}")));
    limit.value = S("4");
    reply = fixture_run(&fixture, &request);
    CHECK(reply.status == 422);
    CHECK_STR(problem_of(&fixture, &reply).errors.items[0].pointer, S("/limit"));
    request.path = S("/v1/boxes/best"); // takes none
    reply = fixture_run(&fixture, &request);
    CHECK(reply.status == 422 && problem_of(&fixture, &reply).errors.count == 1);
    fixture_close(&fixture);
}

TEST(a_literal_beats_a_parameter_and_then_has_its_methods_only) {
    Fixture fixture;
    fixture_open(&fixture);
    HttpReply reply = ask(&fixture, S("GET"), S("/v1/boxes/best"), (Str){});
    CHECK_STR(reply.body, S("{\"name\":\"literal\",\"size\":0}"));
    reply = ask(&fixture, S("DELETE"), S("/v1/boxes/best"), (Str){});
    CHECK(reply.status == 405);
    CHECK_STR(reply.allow, S("GET"));
    fixture_close(&fixture);
}

TEST(an_unknown_path_is_404_and_an_unknown_method_405_with_allow) {
    static const char *const paths[] = {"",
                                        "/",
                                        "/v1",
                                        "/v1/boxes/",
                                        "/v1/boxes//",
                                        "/v1/boxes/a/b",
                                        "v1/boxes",
                                        "/v2/boxes",
                                        "/a/b/c/d/e/f/g/h/i/j/k/l/m"};
    Fixture fixture;
    fixture_open(&fixture);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        HttpReply reply = ask(&fixture, S("GET"), str_from(paths[i]), (Str){});
        CHECK(reply.status == 404 && !reply.allow.ptr);
        CHECK_STR(problem_of(&fixture, &reply).code, S("not_found"));
    }
    HttpReply reply = ask(&fixture, S("PUT"), S("/v1/boxes/b"), (Str){});
    CHECK(reply.status == 405);
    CHECK_STR(reply.allow, S("GET, PATCH, DELETE"));
    CHECK(ask(&fixture, S("POST"), S("/openapi.json"), (Str){}).status == 405);
    CHECK(fixture.begun == 0);
    fixture_close(&fixture);
}

TEST(a_path_parameter_has_at_most_128_bytes) {
    char path[160] = "/v1/boxes/";
    size_t prefix = sizeof("/v1/boxes/") - 1;
    for (size_t i = 0; i < 129; i++)
        path[prefix + i] = 'a';
    Fixture fixture;
    fixture_open(&fixture);
    CHECK(ask(&fixture, S("GET"), (Str){path, prefix + 128}, (Str){}).status == 200);
    CHECK(ask(&fixture, S("GET"), (Str){path, prefix + 129}, (Str){}).status == 404);
    fixture_close(&fixture);
}

TEST(who_may_not_call_learns_nothing_about_the_body) {
    Fixture fixture;
    fixture_open(&fixture);
    HttpRequest request = {.method = S("POST"), .path = S("/v1/boxes"), .body = S("not JSON")};
    HttpReply reply = fixture_run(&fixture, &request);
    CHECK(reply.status == 401);
    CHECK_STR(problem_of(&fixture, &reply).code, S("unauthenticated"));
    request.bearer = S("reader");
    CHECK(fixture_run(&fixture, &request).status == 403);
    request.bearer = S("writer");
    CHECK(fixture_run(&fixture, &request).status == 415);
    CHECK(fixture.begun == 0);
    fixture_close(&fixture);
}

TEST(a_content_type_may_have_parameters_and_any_case) {
    Fixture fixture;
    fixture_open(&fixture);
    HttpRequest request = {.method = S("POST"),
                           .path = S("/v1/boxes"),
                           .bearer = S("writer"),
                           .content_type = S("Application/JSON ; charset=utf-8"),
                           .body = S("{\"name\":\"n\"}")};
    CHECK(fixture_run(&fixture, &request).status == 201);
    request.content_type = S("application/merge-patch+json");
    CHECK(fixture_run(&fixture, &request).status == 415);
    fixture_close(&fixture);
}

TEST(every_bad_field_is_told_with_its_pointer) {
    Fixture fixture;
    fixture_open(&fixture);
    HttpReply reply = ask(&fixture,
                          S("POST"),
                          S("/v1/boxes"),
                          S("{\"size\":101,\"parts\":[{\"name\":\"p\"},{\"weight\":1}]}"));
    CHECK(reply.status == 422);
    Problem problem = problem_of(&fixture, &reply);
    CHECK(problem.errors.count == 3);
    bool has_size = false, has_name = false, has_part = false;
    for (size_t i = 0; i < problem.errors.count; i++) {
        Str pointer = problem.errors.items[i].pointer;
        has_size = has_size || str_eq(pointer, S("/size"));
        has_name = has_name || str_eq(pointer, S("/name"));
        has_part = has_part || str_eq(pointer, S("/parts/1/name"));
    }
    CHECK(has_size && has_name && has_part);
    CHECK(fixture.begun == 0);
    fixture_close(&fixture);
}

TEST(the_envelope_of_another_program_may_have_unknown_fields_but_no_wrong_ones) {
    Fixture fixture;
    fixture_open(&fixture);
    const Str newer = S("{\"name\":\"a\",\"colour\":\"red\",\"parts\":[{\"name\":\"p\",\"x\":1}]}");
    HttpReply reply = ask(&fixture, S("POST"), S("/v1/boxes/sync"), newer);
    CHECK(reply.status == 200);
    CHECK(ask(&fixture, S("POST"), S("/v1/boxes"), newer).status == 422);
    reply = ask(&fixture, S("POST"), S("/v1/boxes/sync"), S("{\"colour\":\"red\",\"size\":101}"));
    CHECK(reply.status == 422);
    CHECK(problem_of(&fixture, &reply).errors.count == 2); // the name is missing
    CHECK(ask(&fixture, S("POST"), S("/v1/boxes/sync"), S("{")).status == 400);
    fixture_close(&fixture);
}

TEST(a_body_that_is_no_json_is_400_and_one_of_another_type_422) {
    Fixture fixture;
    fixture_open(&fixture);
    CHECK(ask(&fixture, S("POST"), S("/v1/boxes"), S("{")).status == 400);
    CHECK(ask(&fixture, S("POST"), S("/v1/boxes"), S("")).status == 400);
    CHECK(ask(&fixture, S("PATCH"), S("/v1/boxes/b"), S("{")).status == 400);
    CHECK(ask(&fixture, S("POST"), S("/v1/boxes"), S("[]")).status == 422);
    CHECK(ask(&fixture, S("PATCH"), S("/v1/boxes/b"), S("[]")).status == 422);
    CHECK(ask(&fixture, S("GET"), S("/v1/boxes/b"), S("{}")).status == 422);
    fixture_close(&fixture);
}

TEST(a_handler_refuses_a_field_as_decoding_does) {
    Fixture fixture;
    fixture_open(&fixture);
    HttpReply reply = ask(&fixture, S("POST"), S("/v1/boxes"), S("{\"name\":\"n\",\"size\":13}"));
    Problem problem = problem_of(&fixture, &reply);
    CHECK(reply.status == 422 && problem.errors.count == 1);
    CHECK_STR(problem.errors.items[0].detail, S("must not be 13"));
    CHECK(fixture.finished == 1 && fixture.committed == 0);
    fixture_close(&fixture);
}

TEST(a_patch_keeps_what_it_does_not_name_and_takes_no_immutable_field) {
    Fixture fixture;
    fixture_open(&fixture);
    HttpReply reply = ask(&fixture, S("PATCH"), S("/v1/boxes/b"), S("{\"size\":7}"));
    CHECK_STR(reply.body, S("{\"name\":\"b\",\"note\":\"old\",\"size\":7}"));
    reply = ask(&fixture, S("PATCH"), S("/v1/boxes/b"), S("{\"note\":null}"));
    CHECK_STR(reply.body, S("{\"name\":\"b\",\"size\":0}"));
    reply = ask(&fixture, S("PATCH"), S("/v1/boxes/b"), S("{\"name\":\"c\"}"));
    CHECK(reply.status == 422);
    CHECK_STR(problem_of(&fixture, &reply).errors.items[0].pointer, S("/name"));
    fixture_close(&fixture);
}

static const HttpRequest creation = {
    .method = S("POST"),
    .path = S("/v1/boxes"),
    .bearer = S("writer"),
    .content_type = S("application/json"),
    .body = S("{\"name\":\"n\"}"),
};

/// With one worker for lost races.
static void racing_open(Fixture *fixture) {
    fixture_open(fixture);
    CHECK_OK(worker_pool_open(&(WorkerOptions){.threads = 1, .queue_max = 4}, &fixture->workers));
}

static void racing_close(Fixture *fixture) {
    worker_pool_close(fixture->workers);
    fixture_close(fixture);
}

TEST(a_lost_race_is_run_again_until_it_is_won) {
    Fixture fixture;
    racing_open(&fixture);
    fixture.conflicts = RACE_TRIES_MAX - 1;
    HttpReply reply = ask(&fixture, S("POST"), S("/v1/boxes"), S("{\"name\":\"n\"}"));
    CHECK(reply.status == 201);
    CHECK(fixture.begun == RACE_TRIES_MAX && fixture.finished == RACE_TRIES_MAX);
    CHECK(fixture.handled == RACE_TRIES_MAX && fixture.committed == 1);
    racing_close(&fixture);
}

TEST(a_race_that_is_always_lost_ends_as_409) {
    Fixture fixture;
    racing_open(&fixture);
    fixture.conflicts = UINT32_MAX;
    HttpReply reply = ask(&fixture, S("POST"), S("/v1/boxes"), S("{\"name\":\"n\"}"));
    CHECK(reply.status == 409);
    CHECK_STR(problem_of(&fixture, &reply).code, S("conflict"));
    CHECK(fixture.handled == RACE_TRIES_MAX);
    racing_close(&fixture);
}

/// A call under way, and what happens beside it.
typedef struct Racing {
    HttpReply reply;
    sem_t ended, beside;
} Racing;

static void racing_end(void *ctx, const HttpReply *reply) {
    Racing *racing = ctx;
    racing->reply = *reply;
    sem_post(&racing->ended);
}

static void racing_job(void *ctx) {
    sem_post(&((Racing *)ctx)->beside);
}

TEST(who_pauses_after_a_lost_race_keeps_no_worker) {
    Fixture fixture;
    racing_open(&fixture);
    fixture.conflicts = UINT32_MAX;
    Racing racing = {};
    sem_init(&racing.ended, 0, 0);
    sem_init(&racing.beside, 0, 0);
    router_run_then(
        fixture.router, fixture.workers, &creation, &fixture.arena, racing_end, &racing);
    for (int i = 0; i < 10; i++) {
        CHECK_OK(worker_submit(fixture.workers, racing_job, &racing));
        sem_wait(&racing.beside);
    }
    CHECK(sem_trywait(&racing.ended) != 0); // its pauses are about a second
    sem_wait(&racing.ended);
    CHECK(racing.reply.status == 409);
    racing_close(&fixture);
}

TEST(what_can_not_be_told_is_not_committed) {
    Fixture fixture;
    fixture_open(&fixture);
    fixture.note_len = CALL_ARENA_MAX * 3 / 4; // each of its bytes is encoded as two
    HttpReply reply = fixture_run(&fixture, &creation);
    CHECK(reply.status == 503);
    CHECK_STR(problem_of(&fixture, &reply).code, S("unavailable"));
    CHECK(fixture.handled == 1 && fixture.committed == 0);
    fixture_close(&fixture);
}

TEST(a_handler_may_have_its_changes_kept_and_refuse_all_the_same) {
    Fixture fixture;
    fixture_open(&fixture);
    fixture.refuses_after = FAIL(ERR_UNAUTHENTICATED, "not you");
    HttpReply reply = fixture_run(&fixture, &creation);
    CHECK(reply.status == 401);
    CHECK_STR(problem_of(&fixture, &reply).detail, S("not you"));
    CHECK(fixture.committed == 1);
    fixture_close(&fixture);
}

TEST(a_route_names_its_pool) {
    Fixture fixture;
    fixture_open(&fixture);
    CHECK(router_pool(fixture.router, S("POST"), S("/v1/boxes/sync")) == 1);
    CHECK(router_pool(fixture.router, S("POST"), S("/v1/boxes")) == 0);
    CHECK(router_pool(fixture.router, S("POST"), S("/v1/nothing")) == 0);
    fixture_close(&fixture);
}

TEST(each_code_has_its_status_and_a_system_error_keeps_its_words_inside) {
    static const struct {
        ErrCode code;
        uint32_t status;
    } rows[] = {
        {ERR_INVALID,         422},
        {ERR_UNAUTHENTICATED, 401},
        {ERR_FORBIDDEN,       403},
        {ERR_NOT_FOUND,       404},
        {ERR_EXISTS,          409},
        {ERR_CONFLICT,        409},
        {ERR_STATE,           409},
        {ERR_LIMIT,           413},
        {ERR_BUSY,            429},
        {ERR_TIMEOUT,         504},
        {ERR_UNAVAILABLE,     503},
        {ERR_MEMORY,          503},
        {ERR_SYSTEM,          500},
    };
    Fixture fixture;
    racing_open(&fixture);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fixture.handler_fails = FAIL(rows[i].code, "inner words");
        HttpReply reply = ask(&fixture, S("POST"), S("/v1/boxes"), S("{\"name\":\"n\"}"));
        CHECK(reply.status == rows[i].status);
        Problem problem = problem_of(&fixture, &reply);
        CHECK_STR(problem.code, str_from(err_code_name(rows[i].code)));
        CHECK(str_eq(problem.detail, S("inner words")) == (rows[i].code != ERR_SYSTEM));
        CHECK_STR(problem.instance, S("/v1/boxes"));
    }
    racing_close(&fixture);
}

TEST(an_exhausted_arena_still_tells_its_reason) {
    Fixture fixture;
    fixture_open(&fixture);
    Arena small;
    arena_init(&small, 64);
    HttpReply reply = router_wait(fixture.router,
                                  NULL,
                                  &(HttpRequest){.method = S("POST"),
                                                 .path = S("/v1/boxes"),
                                                 .bearer = S("writer"),
                                                 .content_type = S("application/json"),
                                                 .body = S("{\"name\":\"n\"}")},
                                  &small);
    CHECK(reply.status == 413);
    CHECK_STR(problem_of(&fixture, &reply).code, S("limit"));
    CHECK(fixture.begun == 0);
    arena_done(&small);
    fixture_close(&fixture);
}

TEST(the_limit_of_a_body_is_its_routes) {
    Fixture fixture;
    fixture_open(&fixture);
    CHECK(router_body_max(fixture.router, S("POST"), S("/v1/boxes")) == ENDPOINT_BODY_MAX);
    CHECK(router_body_max(fixture.router, S("POST"), S("/v1/nothing")) == 0);
    CHECK(router_body_max(fixture.router, S("PUT"), S("/v1/boxes")) == 0);
    fixture_close(&fixture);
}

TEST_MAIN(CASE(one_record_a_list_and_nothing_are_answered),
          CASE(a_creation_is_committed_once),
          CASE(a_query_has_its_default_its_bounds_and_no_unknown_names),
          CASE(a_literal_beats_a_parameter_and_then_has_its_methods_only),
          CASE(an_unknown_path_is_404_and_an_unknown_method_405_with_allow),
          CASE(a_path_parameter_has_at_most_128_bytes),
          CASE(who_may_not_call_learns_nothing_about_the_body),
          CASE(a_content_type_may_have_parameters_and_any_case),
          CASE(every_bad_field_is_told_with_its_pointer),
          CASE(the_envelope_of_another_program_may_have_unknown_fields_but_no_wrong_ones),
          CASE(a_body_that_is_no_json_is_400_and_one_of_another_type_422),
          CASE(a_handler_refuses_a_field_as_decoding_does),
          CASE(a_patch_keeps_what_it_does_not_name_and_takes_no_immutable_field),
          CASE(a_lost_race_is_run_again_until_it_is_won),
          CASE(a_race_that_is_always_lost_ends_as_409),
          CASE(who_pauses_after_a_lost_race_keeps_no_worker),
          CASE(what_can_not_be_told_is_not_committed),
          CASE(a_handler_may_have_its_changes_kept_and_refuse_all_the_same),
          CASE(a_route_names_its_pool),
          CASE(each_code_has_its_status_and_a_system_error_keeps_its_words_inside),
          CASE(an_exhausted_arena_still_tells_its_reason),
          CASE(the_limit_of_a_body_is_its_routes))
