// SPDX-License-Identifier: Apache-2.0
#include "channel/site_fixture.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { ANSWER_HEAD_MAX = 16 * 1024 };

static void must(Err err) {
    assert(err.code == OK);
}

static const char fields[] = "Content-Type: text/plain\r\n";

static void say(WebRequest *request, uint16_t status, Str body) {
    web_answer(request, &(WebReply){.status = status, .fields = str_from(fields), .body = body});
}

static bool is_for(const WebRequest *request, const char *path) {
    return str_eq(request->head->path, str_from(path));
}

static uint64_t on_begin(void *app, WebRequest *request) {
    Site *site = app;
    site->begun++;
    assert(str_eq(str_from(request->remote), S("127.0.0.1")));
    if (is_for(request, "/now")) say(request, 200, S("now"));
    return SITE_BODY_MAX;
}

static void job_later(void *arg) {
    say(arg, 200, S("later"));
}

static void job_held(void *arg) {
    WebRequest *request = arg;
    Site *site = request->own;
    while (atomic_load(&site->is_held))
        sched_yield();
    say(request, 200, S("held"));
}

static void on_run(void *app, WebRequest *request) {
    Site *site = app;
    site->run++;
    request->own = site;
    if (is_for(request, "/later"))
        must(worker_submit_after(site->owner.workers, 1, job_later, request));
    else if (is_for(request, "/held"))
        must(worker_submit(site->owner.workers, job_held, request));
    else if (is_for(request, "/large"))
        say(request, 200, (Str){site->large, SITE_LARGE});
    else if (is_for(request, "/last"))
        web_answer(request, &(WebReply){.status = 204, .ends = true});
    else
        say(request, 201, request->body);
}

static void on_refuse(void *app, WebRequest *request, HeadVerdict verdict) {
    Site *site = app;
    site->refused++;
    say(request, verdict.status, str_from(verdict.detail));
}

static void on_end(void *app, WebRequest *request) {
    (void)request;
    ((Site *)app)->ended++;
}

static const WebHandlers handlers = {
    .begin = on_begin, .run = on_run, .refuse = on_refuse, .end = on_end};

void site_open_with(Site *site, GatewayOptions options) {
    options.web = &handlers;
    options.web_app = site;
    owner_open_with(&site->owner, &options, 64);
    site->large = malloc(SITE_LARGE);
    assert(site->large);
    for (size_t i = 0; i < SITE_LARGE; i++)
        site->large[i] = (char)('a' + i % 23);
}

void site_open(Site *site) {
    *site = (Site){};
    site_open_with(site, owner_options(&site->owner));
}

void site_close(Site *site) {
    owner_close(&site->owner);
    assert(site->begun + site->refused >= site->ended && site->ended >= site->begun);
    free(site->large);
}

Raw asked(const Site *site, const char *bytes) {
    Raw raw = raw_connect(&site->owner);
    bool is_sent = raw_send(&raw, str_from(bytes));
    assert(is_sent);
    return raw;
}

void hear_to(const Raw *raw, bool is_to_head, Answer *answer) {
    text_init(&answer->text, ANSWER_HEAD_MAX);
    raw_head(raw, &answer->text);
    assert(head_read_reply(text_str(&answer->text), is_to_head, &answer->head).status == 0);
    size_t len = answer->head.head.body == BODY_LENGTH ? answer->head.head.length : 0;
    answer->body = calloc(1, len + 1);
    for (size_t at = 0; at < len;) {
        ssize_t got = recv(raw->fd, answer->body + at, len - at, 0);
        assert(got > 0);
        at += (size_t)got;
    }
}

void answer_done(Answer *answer) {
    text_done(&answer->text);
    free(answer->body);
}

void hear(const Raw *raw, uint16_t status, const char *body) {
    Answer answer;
    hear_to(raw, false, &answer);
    if (answer.head.status != status) fprintf(stderr, "%u: %s\n", answer.head.status, answer.body);
    assert(answer.head.status == status);
    assert(!body || strcmp(answer.body, body) == 0);
    answer_done(&answer);
}
