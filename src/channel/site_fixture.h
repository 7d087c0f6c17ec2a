// SPDX-License-Identifier: Apache-2.0
/// A site on a gateway, and what comes of requests to it. What goes wrong in here is an assertion
/// that fails.
#pragma once

#include "channel/gateway_fixture.h"
#include "http1/head.h"

enum { SITE_BODY_MAX = 1000, SITE_LARGE = 5 << 20 };

/// What is served. "/now" is answered before its body; "/later" by another thread; "/held" when
/// `is_held` is over; "/large" is SITE_LARGE bytes; "/last" ends the connection. All others are
/// echoed.
typedef struct Site {
    Owner owner;
    atomic_uint begun, run, refused, ended;
    atomic_bool is_held;
    char *large;
} Site;

/// The next answer: its head, and its body, which is borrowed until the next one.
typedef struct Answer {
    ReplyHead head;
    Text text;
    char *body;
} Answer;

/// Open it, plain; with options that come from owner_options(&site->owner).
void site_open(Site *site);
void site_open_with(Site *site, GatewayOptions options);
/// Close it: every request that was shown was ended.
void site_close(Site *site);
/// A connection over which these bytes were sent.
Raw asked(const Site *site, const char *bytes);
/// The next answer. `is_to_head`: it has no body.
void hear_to(const Raw *raw, bool is_to_head, Answer *ret_answer);
/// Free it.
void answer_done(Answer *answer);
/// The next answer has this status, and this body; NULL: any.
void hear(const Raw *raw, uint16_t status, const char *body);

#define HOST "Host: x\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"
#define POST(path, len, body) \
    "POST " path " HTTP/1.1\r\n" HOST "Content-Length: " #len "\r\n\r\n" body
