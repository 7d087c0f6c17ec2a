// SPDX-License-Identifier: Apache-2.0
/// Signing in, staying in, signing out.
#include "control/operator/session_api.h"

#include "base/jws.h"
#include "base/log.h"
#include "control/access.h"
#include "control/access_cache.h"
#include "control/call.h"
#include "control/operator/login_gate.h"
#include "control/operator/operator.h"
#include "control/org/org.h"
#include "db/tx.h"

enum {
    REFRESH_BYTES = 32,
    DAY_MS = 86'400'000,
    MS_PER_S = 1000,
    EXPIRED_MAX = 500,
    KNOWN_MAX = 100, ///< sessions that are looked at
};

static Err session_find_operator(Call *call, const LoginInput *input, Operator *ret_operator) {
    Org org;
    TRY(call_see_all(call));
    Err err = org_find(call->tx, input->org, &org);
    if (err.code == ERR_INVALID)
        return call_refuse(call, S("/org"), "must be given: there are several");
    TRY(err);
    TRY(call_see(call, &org.id));
    const Query query = {.where = {WHERE(Operator, name, IS, input->name)}};
    return tx_find(call->tx, &query, ret_operator);
}

/// Verify even for a name that is not there, so that time tells nothing.
static bool session_verify_login(const Operator *operator, bool found, Str password) {
    static const char nobody[] = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
                                 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    Str hash = found ? operator->password_hash : str_from(nobody);
    return password_matches(hash, password) && found;
}

/// An access token for the session's operator.
static Err session_sign(Call *call, const Session *session, Str *ret_token) {
    uint64_t now_s = call->now_ms / MS_PER_S;
    const AccessClaims claims = {
        .sub = session->operator_id,
        .sid = session->id,
        .org = session->org_id,
        .aud = S(AUDIENCE_OPERATOR),
        .iat = now_s,
        .exp = now_s + OPERATOR_TOKEN_LIFE_S,
    };
    return access_token_make(app_of(call), &claims, call->arena, ret_token);
}

/// A new refresh token goes into `session`; both tokens into the reply.
static Err
session_renew(Call *call, const Operator *operator, Session * session, LoginReply *ret_reply) {
    LoginReply reply = {
        .token_type = S("Bearer"),
        .expires_in_s = OPERATOR_TOKEN_LIFE_S,
        .refresh_token = secret_make(call->arena, REFRESH_BYTES),
        .operator_id = operator->id,
        .org_id = operator->org_id,
        .role = operator->role,
    };
    TRY(session_sign(call, session, &reply.access_token));
    session->used_sha256 = session->refresh_sha256;
    session->refresh_sha256 = sha256_hex(call->arena, reply.refresh_token);
    session->expires_at.ms = call->now_ms + (uint64_t)SESSION_LIFE_DAYS * DAY_MS;
    TRY(arena_check(call->arena));
    *ret_reply = reply;
    return SUCCESS;
}

/// Who the audit names: only the call's end knows them.
static Principal session_actor(Call *call, const Operator *operator) {
    return (Principal){
        .subject = operator->id,
        .scope = operator->org_id,
        .name = str_print(call->arena, "operator/%.*s", STR_FMT(operator->name)),
    };
}

Err session_tidy(App *, Tx *tx, uint64_t now_ms, bool *ret_more) {
    const Query query = {.where = {WHERE(Session, expires_at, BELOW, ((Time){now_ms}))},
                         .limit = EXPIRED_MAX};
    uint64_t count;
    TRY(tx_count(tx, &Session_schema, &query, &count));
    *ret_more = count > EXPIRED_MAX;
    return count ? tx_delete_where(tx, &query) : SUCCESS;
}

/// Where the call comes from, in the call's arena.
static Str session_address(Call *call) {
    char text[LOGIN_ADDRESS_MAX];
    login_address(call->remote_address, text);
    return str_dup(call->arena, str_from(text));
}

/// The operator has a session that was used from this address, or shows the token of one.
static Err
session_is_known(Call *call, const Operator *operator, const LoginTry * login, bool *ret_is_known) {
    const LoginInput *input = call->in;
    Str hash = input->refresh_token.ptr ? sha256_hex(call->arena, input->refresh_token) : (Str){};
    const Query query = {.where = {WHERE(Session, operator_id, IS, &operator->id)},
                         .limit = KNOWN_MAX};
    Page page;
    *ret_is_known = false;
    TRY(tx_list(call->tx, &Session_schema, &query, &page));
    const Session *sessions = page.items;
    for (size_t i = 0; i < page.count; i++) {
        bool is_here = str_eq(sessions[i].address, login->address) && login->address.len > 0;
        bool is_shown = hash.ptr && str_eq(sessions[i].refresh_sha256, hash);
        *ret_is_known |= is_here || is_shown;
    }
    return SUCCESS;
}

/// One line for each, for people and for programs that shut out whoever tries too often.
static void session_log(const char *event, const LoginTry *login) {
    log_event(LOG_WARN,
              event,
              F("address", login->address),
              F("org", login->org),
              F("name", login->name));
}

/// The organisation whose operator was guessed at has it in its journal.
static Err session_note_failure(Call *call, const Operator *operator, const LoginTry * login) {
    Str detail = str_print(call->arena, "{\"address\":\"%.*s\"}", STR_FMT(login->address));
    const Note note = {
        .org_id = operator->org_id,
        .class = ENTRY_EVENT,
        .at = {call->now_ms},
        .actor = S("anonymous"),
        .action = S("session.failed"),
        .subject = id_str(&operator->id),
        .subject_name = operator->name,
        .detail = {detail},
    };
    TRY(arena_check(call->arena));
    return tx_note(call->tx, &note);
}

/// Who is known passes whatever others did: with the right password.
static Err session_pass_gate(Call *call, const Operator *operator, const LoginTry * login) {
    LoginGate *gate = app_of(call)->login_gate;
    uint64_t retry_after_s = 0;
    bool is_known = false;
    if (login_gate_allows(gate, login, clock_monotonic_ms(), &retry_after_s)) return SUCCESS;
    if (operator) TRY(session_is_known(call, operator, login, &is_known));
    if (is_known) return SUCCESS;
    session_log("login.blocked", login);
    call->retry_after_s = retry_after_s;
    return FAIL(ERR_BUSY, "too many failed sign-ins from this address or for this account");
}

static Err session_fail(Call *call, const Operator *operator, const LoginTry * login) {
    const Err wrong = FAIL(ERR_UNAUTHENTICATED, "wrong name or password");
    login_gate_failed(app_of(call)->login_gate, login, clock_monotonic_ms());
    session_log("login.failed", login);
    if (!operator) return wrong;
    TRY(session_note_failure(call, operator, login));
    return call_refuse_after(call, wrong);
}

static Err session_begin(Call *call, const Operator *operator, const LoginTry * login) {
    Principal actor = session_actor(call, operator);
    Session session = {.id = id_new(S("session"), call->now_ms),
                       .org_id = operator->org_id,
                       .operator_id = operator->id,
                       .address = login->address};
    LoginReply reply;
    TRY(session_renew(call, operator, & session, &reply));
    // Who changes the password meanwhile ends every session; this one would be left.
    TRY(tx_expect(call->tx, &Operator_schema, operator));
    TRY(session_add(call->tx, &session));
    TRY(call_note_as(call, &actor, call->route->endpoint, id_str(&operator->id), NULL, NULL, NULL));
    return call_reply(call, &reply);
}

Err session_login(Call *call) {
    const LoginInput *input = call->in;
    const LoginTry login = {session_address(call), input->org, input->name};
    Operator operator;
    Err err = session_find_operator(call, input, &operator);
    if (err.code != OK && err.code != ERR_NOT_FOUND) return err;
    const Operator *found = err.code == OK ? &operator: NULL;
    TRY(session_pass_gate(call, found, &login));
    if (!session_verify_login(&operator, found, input->password))
        return session_fail(call, found, &login);
    return session_begin(call, found, &login);
}

/// What the audit says of a session that we ended.
typedef struct SessionEnd {
    Str ended;
} SessionEnd;
static const Field SessionEnd_fields[] = {FIELD(SessionEnd, ended, 0, "why")};
static const Schema SessionEnd_schema =
    SCHEMA(SessionEnd, "session_end", "a session that we ended");

/// End a session whose used refresh token came back.
static Err session_end_stolen(Call *call, const Session *session) {
    const Principal system = {.scope = session->org_id, .name = S("system")};
    const SessionEnd end = {S("a used refresh token came back")};
    TRY(call_see(call, &session->org_id));
    TRY(tx_delete(call->tx, &Session_schema, session));
    return call_note_as(call,
                        &system,
                        &Session_logout,
                        id_str(&session->operator_id),
                        &SessionEnd_schema,
                        NULL,
                        &end);
}

/// A refresh token that is none: a used one ends the session that it belonged to.
static Err session_refuse(Call *call, Str hash) {
    const Query query = {.where = {WHERE(Session, used_sha256, IS, hash)}};
    Session session;
    Err err = tx_find(call->tx, &query, &session);
    if (err.code == OK) TRY(session_end_stolen(call, &session));
    return call_refuse_after(call,
                             FAIL(ERR_UNAUTHENTICATED, "the refresh token is not good (any more)"));
}

Err session_refresh(Call *call) {
    const RefreshInput *input = call->in;
    Str hash = sha256_hex(call->arena, input->refresh_token);
    TRY(arena_check(call->arena));
    TRY(call_see_all(call));
    Query query = {.where = {WHERE(Session, refresh_sha256, IS, hash)}};
    Session session;
    Err err = tx_find(call->tx, &query, &session);
    if (err.code == ERR_NOT_FOUND) return session_refuse(call, hash);
    TRY(err);
    TRY(call_see(call, &session.org_id));
    if (call->now_ms >= session.expires_at.ms)
        return FAIL(ERR_UNAUTHENTICATED, "the session has ended");
    Operator operator;
    err = tx_get(call->tx, &Operator_schema, id_str(&session.operator_id), &operator);
    if (err.code == ERR_NOT_FOUND) return FAIL(ERR_UNAUTHENTICATED, "the operator is gone");
    TRY(err);
    LoginReply reply;
    session.address = session_address(call);
    TRY(session_renew(call, &operator, & session, &reply));
    TRY(tx_update(call->tx, &Session_schema, &session));
    return call_reply(call, &reply);
}

Err session_get(Tx *tx, const Id *id, Session *ret_session) {
    return tx_get(tx, &Session_schema, id_str(id), ret_session);
}

Err session_add(Tx *tx, const Session *session) {
    return tx_create(tx, &Session_schema, session);
}

Err session_end_all(Call *call, const Id *operator_id) {
    const Query query = {.where = {WHERE(Session, operator_id, IS, operator_id)}};
    return tx_delete_where(call->tx, &query);
}

/// Collect the end of the caller's own session, however often it is renewed meanwhile.
static Err session_end_own(Call *call) {
    const Id *id = &call->principal.session;
    const Query query = {.where = {WHERE(Session, id, IS, id)}};
    return tx_delete_where(call->tx, &query);
}

Err session_logout(Call *call) {
    const LogoutQuery *query = call->query;
    const Id *subject = &call->principal.subject;
    TRY(query->all ? session_end_all(call, subject) : session_end_own(call));
    return call_note(call, id_str(subject), NULL, NULL, NULL);
}
