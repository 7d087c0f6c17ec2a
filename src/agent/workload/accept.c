// SPDX-License-Identifier: Apache-2.0
#include "agent/workload/accept.h"

#include "base/scope.h"
#include "wire/manifest.h"

enum { JUDGE_ARENA_MAX = 16 * 1024 * 1024 };

static const Field Refused_fields[] = {
    FIELD(Refused, name, REQUIRED, "application"),
    FIELD(Refused, serial, REQUIRED, "of the deployment"),
    FIELD(Refused, release_id, REQUIRED, "its release", .prefix = "release"),
    FIELD_RECORD(Refused, refusal, Refusal, REQUIRED, "why"),
};
static const Schema Refused_schema =
    SCHEMA(Refused, "refused", "an application that is not acted on");
static const Field Aim_fields[] = {
    FIELD(Aim, generation, REQUIRED, "that this is about"),
    FIELD_RECORD(Aim, desired, Desired, REQUIRED, "what is acted on"),
    FIELD_LIST(Aim, refused, Refused, 0, "what is not", .max = APPLICATIONS_MAX),
    FIELD(Aim, policy_refused, 0, "why the policy is not", .max = DETAIL_MAX),
};
const Schema Aim_schema = SCHEMA(Aim, "aim", "what the workload aims at");

static Refusal accept_refusal_copy(const Refusal *refusal, Arena *arena) {
    Refusal copy = *refusal;
    copy.detail = str_dup(arena, refusal->detail);
    return copy;
}

/// Why the application may not be acted on; `ret_refusal->code` is absent if it may.
static Err accept_application(const Application *application, Arena *arena, Refusal *ret_refusal) {
    Refusal refusal;
    application_check(application, &refusal);
    if (!refusal.code.ptr) {
        SCOPED(arena_done) Arena scratch;
        arena_init(&scratch, JUDGE_ARENA_MAX);
        Manifest manifest;
        TRY(manifest_read(&application->manifest, &scratch, &manifest, &refusal));
        refusal = accept_refusal_copy(&refusal, arena);
    }
    *ret_refusal = refusal;
    return arena_check(arena);
}

static Err accept_policy(const Document *policy, Arena *arena, Refusal *ret_refusal) {
    Policy read;
    *ret_refusal = (Refusal){};
    if (!policy->text.ptr) return SUCCESS;
    return document_read(policy, &Policy_schema, POLICY_TEXT_MAX, arena, &read, ret_refusal);
}

/// What the application was before, if that may be acted on; NULL: nothing.
static Err
accept_former(const Desired *former, Str name, Arena *arena, const Application **ret_application) {
    *ret_application = NULL;
    for (size_t i = 0; former && i < former->applications.count; i++) {
        const Application *one = &former->applications.items[i];
        if (!str_eq(one->name, name)) continue;
        Refusal refusal;
        TRY(accept_application(one, arena, &refusal));
        if (!refusal.code.ptr) *ret_application = one;
    }
    return SUCCESS;
}

static Err accept_applications(
    Aim *aim, const Desired *wanted, const Desired *former, Arena *arena, bool *ret_is_mixed) {
    for (size_t i = 0; i < wanted->applications.count; i++) {
        const Application *one = &wanted->applications.items[i];
        Refusal refusal;
        TRY(accept_application(one, arena, &refusal));
        aim->desired.applications.items[i] = *one;
        if (!refusal.code.ptr) continue;
        aim->refused.items[aim->refused.count++] =
            (Refused){one->name, one->serial, one->release_id, refusal};
        const Application *before;
        TRY(accept_former(former, one->name, arena, &before));
        if (!before) continue;
        aim->desired.applications.items[i] = *before;
        *ret_is_mixed = true;
    }
    return SUCCESS;
}

static Err accept_policies(
    Aim *aim, const Desired *wanted, const Desired *former, Arena *arena, bool *ret_is_mixed) {
    Refusal refusal;
    TRY(accept_policy(&wanted->policy, arena, &refusal));
    if (!refusal.code.ptr) return SUCCESS;
    aim->policy_refused = str_print(arena,
                                    "the policy is refused: %.*s",
                                    STR_FMT(str_slice(refusal.detail, 0, DETAIL_MAX / 2)));
    if (!former) return SUCCESS;
    TRY(accept_policy(&former->policy, arena, &refusal));
    if (refusal.code.ptr) return SUCCESS;
    aim->desired.policy = former->policy;
    *ret_is_mixed = true;
    return SUCCESS;
}

Err aim_make(const Desired *wanted, const Desired *former, Arena *arena, Aim *ret_aim) {
    size_t count = wanted->applications.count;
    Aim aim = {.generation = wanted->generation, .desired = *wanted};
    if (former && former->generation == 0) former = NULL;
    aim.desired.applications.items = ARENA_ARRAY(arena, Application, count);
    aim.refused.items = ARENA_ARRAY(arena, Refused, count);
    TRY(arena_check(arena));
    bool is_mixed = false;
    TRY(accept_applications(&aim, wanted, former, arena, &is_mixed));
    TRY(accept_policies(&aim, wanted, former, arena, &is_mixed));
    if (is_mixed) aim.desired.generation = former->generation;
    TRY(arena_check(arena));
    *ret_aim = aim;
    return SUCCESS;
}

bool aim_is_whole(const Aim *aim) {
    return aim->refused.count == 0 && !aim->policy_refused.ptr;
}

const Refused *aim_refused(const Aim *aim, Str name) {
    for (size_t i = 0; i < aim->refused.count; i++)
        if (str_eq(aim->refused.items[i].name, name)) return &aim->refused.items[i];
    return NULL;
}
