// SPDX-License-Identifier: Apache-2.0
// Shipping a release to a fleet, and watching it arrive.
#include "api/device.h"
#include "api/fleet.h"
#include "base/scope.h"
#include "cli/api.h"
#include "cli/watch.h"

#include <time.h>

enum {
    WAIT_DEFAULT_MS = 600'000,
    LOOK_ARENA_MAX = 256 * 1024 * 1024,
    LOOK_TEXT_MAX = 16 * 1024 * 1024,
    BODY_MAX = 1024,
};

/// One wait for one deployment.
typedef struct Wait {
    Cli *cli;
    Watch watch;
    Str devices;          ///< target of the fleet's devices
    uint64_t deadline_ms; ///< monotonic
    bool allow_away;
} Wait;

static Err deploy_wait_set(Cli *cli, uint64_t *ret_within_ms) {
    Duration within = {WAIT_DEFAULT_MS};
    Str text = cli_option(cli, "timeout");
    if (text.ptr && duration_parse(text, &within).code != OK)
        return cli_usage(cli, "--timeout must be a duration, like 90s or 10m");
    *ret_within_ms = within.ms;
    return SUCCESS;
}

static void deploy_pause(uint64_t ms) {
    const struct timespec span = {(time_t)(ms / 1000), (long)(ms % 1000) * 1'000'000};
    nanosleep(&span, NULL);
}

/// One look at every device. `*ret_over`: the wait ends, by success or by time.
static Err deploy_wait_look(Wait *wait, bool *ret_over) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, LOOK_ARENA_MAX);
    SCOPED(text_done) Text text;
    text_init(&text, LOOK_TEXT_MAX);
    void *items;
    size_t count;
    TRY(api_list(
        wait->cli, wait->devices, &Device_schema, WATCH_DEVICES_MAX, &arena, &items, &count));
    const Device *devices = items;
    WatchCounts counts;
    watch_step(&wait->watch, devices, count, &text, &counts);
    bool arrived = watch_is_over(&counts, wait->allow_away);
    bool over = arrived || clock_monotonic_ms() >= wait->deadline_ms;
    if (over) watch_end(&wait->watch, devices, count, &text);
    if (over && !arrived) wait->cli->exit_code = EXIT_PARTIAL;
    TRY(text_check(&text));
    fwrite(text.ptr ? text.ptr : "", 1, text.len, wait->cli->err);
    fflush(wait->cli->err);
    *ret_over = over;
    return SUCCESS;
}

/// Look until it is over. A server that is away for a while does not end the wait, its time does.
static Err deploy_wait_run(Wait *wait) {
    for (bool over = false; !over;) {
        Err err = deploy_wait_look(wait, &over);
        bool passing =
            err.code == ERR_UNAVAILABLE || err.code == ERR_TIMEOUT || err.code == ERR_BUSY;
        if (err.code != OK && (!passing || clock_monotonic_ms() >= wait->deadline_ms)) return err;
        if (!over) deploy_pause(wait->cli->poll_ms);
    }
    wait->cli->message = (Str){};
    return SUCCESS;
}

static Err deploy(Cli *cli, Str fleet_id, Str release_id, Fleet *ret_fleet, Id *ret_release_id) {
    DeployInput input = {};
    TRY(id_parse(release_id, S("release"), &input.release_id));
    SCOPED(text_done) Text body;
    text_init(&body, BODY_MAX);
    schema_encode(&DeployInput_schema, &input, ENCODE_REQUEST, &body);
    TRY(text_check(&body));
    Str target = api_target(&Fleet_deploy, fleet_id, &cli->arena);
    TRY(arena_check(&cli->arena));
    const ApiCall call = {
        .method = method_name(Fleet_deploy.method), .target = target, .body = text_str(&body)};
    Str reply;
    TRY(api_send(cli, &call, &cli->arena, &reply));
    *ret_release_id = input.release_id;
    return api_decode(cli, &Fleet_schema, reply, &cli->arena, ret_fleet);
}

Err deploy_run(Cli *cli, const Verb *) {
    Str fleet, release;
    uint64_t within_ms;
    TRY(cli_need(cli, "fleet", &fleet));
    TRY(cli_need(cli, "release", &release));
    TRY(deploy_wait_set(cli, &within_ms));
    TRY(api_resolve(cli, "fleet", fleet, &fleet));
    TRY(api_resolve(cli, "release", release, &release));
    Fleet deployed;
    Id release_id;
    TRY(deploy(cli, fleet, release, &deployed, &release_id));
    TRY(cli_show(cli, &Fleet_schema, &deployed));
    if (!cli_option(cli, "wait").ptr) return SUCCESS;
    Wait wait = {.cli = cli, .allow_away = cli_option(cli, "allow-offline").ptr != NULL};
    wait.devices = str_print(&cli->arena, "%s?fleet_id=%.*s", Device_list.path, STR_FMT(fleet));
    wait.deadline_ms = clock_monotonic_ms() + within_ms;
    TRY(watch_init(&wait.watch, &release_id, &cli->arena));
    TRY(arena_check(&cli->arena));
    return deploy_wait_run(&wait);
}
