// SPDX-License-Identifier: Apache-2.0
// Signing in and out.
#include "api/session.h"
#include "base/scope.h"
#include "cli/api.h"
#include "cli/ca.h"
#include "cli/password.h"
#include "http/client.h"
#include "io/certificate.h"
#include "io/file.h"

#include <ctype.h>

enum { FETCH_WITHIN_MS = 15'000, BODY_MAX = 4096 };

/// 64 hex digits, as they are compared: lower case, colons dropped.
static Err login_fingerprint_clean(Cli *cli, Str text, Str *ret_hex) {
    char hex[CERTIFICATE_FINGERPRINT_LEN];
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == ':') continue;
        if (!isxdigit(c) || len == sizeof(hex))
            return cli_usage(cli, "--ca-fingerprint must be 64 hex digits");
        hex[len++] = (char)tolower(c);
    }
    if (len != sizeof(hex)) return cli_usage(cli, "--ca-fingerprint must be 64 hex digits");
    *ret_hex = str_dup(&cli->arena, (Str){hex, len});
    return arena_check(&cli->arena);
}

/// The authority to trust, as PEM; absent: the system's.
static Err login_ca_get(Cli *cli, Str server, Str *ret_pem) {
    Str file = cli_option(cli, "ca");
    Str fingerprint = cli_option(cli, "ca-fingerprint");
    if (file.ptr && fingerprint.ptr)
        return cli_usage(cli, "give --ca or --ca-fingerprint, not both");
    if (file.ptr) {
        Str path = str_dup(&cli->arena, file);
        TRY(arena_check(&cli->arena));
        Err err = file_load(path.ptr, CERTIFICATE_PEM_MAX, &cli->arena, ret_pem, &cli->said);
        if (err.code == ERR_NOT_FOUND)
            return cli_usage(cli, "there is no file \"%.*s\"", STR_FMT(file));
        return err;
    }
    if (!fingerprint.ptr) return SUCCESS;
    Str hex;
    TRY(login_fingerprint_clean(cli, fingerprint, &hex));
    return ca_fetch(server, hex, FETCH_WITHIN_MS, &cli->arena, ret_pem, &cli->said);
}

/// The session that is there already, if it is the same operator's at the same server: it shows
/// that this is no stranger.
static Session login_before(Cli *cli, Str server, Str name) {
    Session before = {};
    Err err = session_load(cli->config_path, &cli->arena, &before, NULL);
    bool is_same =
        err.code == OK && str_eq(before.server, server) && str_eq(before.operator_name, name);
    return is_same ? before : (Session){};
}

static Err login_sign_in(Cli *cli, Str name, const Session *before) {
    LoginInput input = {
        .org = cli_option(cli, "org"), .name = name, .refresh_token = before->refresh_token};
    TRY(password_get(cli, "password-file", "password", &input.password));
    SCOPED(text_done) Text body;
    text_init(&body, BODY_MAX);
    schema_encode(&LoginInput_schema, &input, ENCODE_REQUEST, &body);
    TRY(text_check(&body));
    const ApiCall call = {.method = method_name(Session_login.method),
                          .target = str_from(Session_login.path),
                          .body = text_str(&body)};
    Str reply;
    TRY(api_send_open(cli, &call, &cli->arena, &reply));
    return api_keep(cli, reply);
}

Err login_run(Cli *cli, const Verb *) {
    Str server;
    TRY(cli_need(cli, "server", &server));
    while (str_ends(server, S("/")))
        server.len--;
    if (!str_starts(server, S("https://")) && !str_starts(server, S("http://")))
        return cli_usage(cli, "--server must be https://host:port");
    Str name = cli_option(cli, "name");
    if (!name.ptr) name = S("owner");
    TRY(api_place(cli));
    const Session before = login_before(cli, server, name);
    cli->session = (Session){.server = server, .operator_name = name};
    Str pem = {};
    TRY(login_ca_get(cli, server, &pem));
    if (pem.ptr)
        TRY(session_save_ca(cli->config_path, pem, &cli->arena, &cli->session.ca, &cli->said));
    TRY(api_connect(cli));
    TRY(login_sign_in(cli, name, &before));
    fprintf(cli->err, "signed in to %.*s as %.*s\n", STR_FMT(server), STR_FMT(name));
    return SUCCESS;
}

Err logout_run(Cli *cli, const Verb *verb) {
    bool all = cli_option(cli, "all").ptr != NULL;
    const ApiCall call = {
        .method = method_name(verb->endpoint->method),
        .target = str_print(&cli->arena, "%s%s", verb->endpoint->path, all ? "?all=true" : "")};
    TRY(arena_check(&cli->arena));
    Str reply;
    Err err = api_send(cli, &call, &cli->arena, &reply);
    // A session that the server no longer knows has ended, which is what was asked for; of the
    // operator's others it is not known.
    if (err.code != OK && (all || err.code != ERR_UNAUTHENTICATED)) return err;
    cli->message = (Str){};
    return file_remove(cli->config_path.ptr, &cli->said);
}
