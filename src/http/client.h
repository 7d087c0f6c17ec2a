// SPDX-License-Identifier: Apache-2.0
/// Calling somebody else's HTTP API: libcurl, one easy handle kept alive. For the command line and
/// the control plane; the device has channel/http1.h.
#pragma once

#include "base/text.h"

typedef struct HttpClient HttpClient;

typedef struct HttpClientOptions {
    const char *base_url; ///< "https://host:port", no trailing slash
    const char *ca_path;  ///< PEM file to trust; NULL: the system's
    const char *user_agent;
} HttpClientOptions;

typedef struct HttpCall {
    const char *method; ///< "GET"
    Str target;         ///< path and query, already encoded
    Str bearer;         ///< absent: none
    Str accept;         ///< absent: application/json
    Str body;           ///< absent: none; sent as application/json
    Str last_event_id;  ///< absent: none
    uint64_t within_ms; ///< the exchange; with `take`, each wait for more of it
    size_t reply_max;   ///< bytes that are collected
    /// Takes the body of a good answer as it comes, however long that goes on; its failure is the
    /// call's, without a reason. NULL: the body is collected, as that of any other answer is.
    Err (*take)(void *ctx, Str part);
    void *ctx;
} HttpCall;

typedef struct HttpAnswer {
    uint32_t status;
    Text body;              ///< free with text_done
    char digest[80];        ///< Docker-Content-Digest of a registry's answer; "" if none
    uint64_t retry_after_s; ///< 0: none
} HttpAnswer;

/// A client that has not connected yet. ERR_MEMORY: no memory.
Err http_client_open(const HttpClientOptions *options, HttpClient **ret_client);
/// NULL-safe; returns NULL.
HttpClient *http_client_close(HttpClient *client);
/// One exchange; any status is OK. ERR_UNAVAILABLE: no connection; ERR_UNAUTHENTICATED: the
/// server's certificate is not good; ERR_TIMEOUT; ERR_LIMIT: over reply_max. The Reason is the base
/// URL and what libcurl says.
Err http_client_call(HttpClient *client,
                     const HttpCall *call,
                     HttpAnswer *ret_answer,
                     Reason *reason);
/// Append `text` percent-encoded for a path segment or query value (RFC 3986 unreserved stay).
void http_encode(Text *out, Str text);
