// SPDX-License-Identifier: Apache-2.0
#include "simulate.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/schema.h"
#include "base/scope.h"
#include "share.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_MS = 20, PROGRESS_MS = 1000, MS_PER_S = 1000 };

/// The one that counts.
typedef struct Simulation {
    const SimulateOptions *options;
    ShareStage *stage;                  ///< shared with the processes
    pid_t pids[SIMULATE_PROCESSES_MAX]; ///< 0: it has ended
    uint64_t processes;
    uint64_t progress_ms; ///< when it was told last
    uint64_t opened_ms;   ///< when all were open; 0: not yet
} Simulation;

/// The result; printed as JSON.
typedef struct SimulationResult {
    uint64_t devices;
    uint64_t enrolled;
    uint64_t open;
    uint64_t acked;
    double seconds_enrol;
    double seconds_open;
    uint64_t errors;
    uint64_t faults;
    uint64_t messages;
    uint64_t accounts;
    uint64_t accounts_at_ms;
    uint64_t processes;
} SimulationResult;
static const Field SimulationResult_fields[] = {
    FIELD(SimulationResult, devices, 0, "asked for"),
    FIELD(SimulationResult, enrolled, 0, "that the server accepted"),
    FIELD(SimulationResult, open, 0, "in touch at the end"),
    FIELD(SimulationResult, acked, 0, "whose account the server has"),
    FIELD(SimulationResult, seconds_enrol, 0, "to enrol all"),
    FIELD(SimulationResult, seconds_open, 0, "until all were in touch"),
    FIELD(SimulationResult, errors, 0, "failed calls and lost ties"),
    FIELD(SimulationResult, faults, 0, "that were made as asked for"),
    FIELD(SimulationResult, messages, 0, "that were sent and acknowledged"),
    FIELD(SimulationResult, accounts, 0, "that the server has, one a generation of a device"),
    FIELD(SimulationResult, accounts_at_ms, 0, "when the last of them was seen, Unix time"),
    FIELD(SimulationResult, processes, 0, "that shared the devices"),
};
static const Schema SimulationResult_schema =
    SCHEMA(SimulationResult, "simulation_result", "what a simulation saw");

/// --- the processes ---

_Noreturn static void simulate_be_share(const Simulation *simulation, uint64_t index) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); // nobody would tell it to end
    ShareStage *stage = simulation->stage;
    Err err = share_run(simulation->options, index, simulation->processes, stage);
    stage->counts[index].err = err;
    exit(err.code == OK ? 0 : 1);
}

/// The signals that end it stay blocked, here and in the processes: they are taken by
/// simulate_look, and the processes are told through the stage.
static Err simulate_start(Simulation *simulation, const sigset_t *signals) {
    const SimulateOptions *options = simulation->options;
    uint64_t wanted = options->processes
                          ? options->processes
                          : (options->count + SIMULATE_SHARE_AIM - 1) / SIMULATE_SHARE_AIM;
    if (wanted > options->count) wanted = options->count;
    simulation->processes = wanted < SIMULATE_PROCESSES_MAX ? wanted : SIMULATE_PROCESSES_MAX;
    sigprocmask(SIG_BLOCK, signals, NULL);
    ShareStage *stage =
        mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (stage == MAP_FAILED) return FAIL_SYS("no memory to share");
    simulation->stage = stage;
    stage->begun_ms = clock_monotonic_ms();
    for (uint64_t i = 0; i < simulation->processes; i++) {
        pid_t pid = fork();
        if (pid < 0) return FAIL_SYS("cannot start a process");
        if (pid == 0) simulate_be_share(simulation, i);
        simulation->pids[i] = pid;
    }
    return SUCCESS;
}

/// Those that have ended. ERR_UNAVAILABLE: one was killed; else its own error.
static Err
simulate_reap(Simulation *simulation, bool waits, uint64_t *ret_running, Reason *reason) {
    Err err = SUCCESS;
    *ret_running = 0;
    for (uint64_t i = 0; i < simulation->processes; i++) {
        int status = 0;
        if (simulation->pids[i] == 0) continue;
        if (waitpid(simulation->pids[i], &status, waits ? 0 : WNOHANG) == 0) {
            ++*ret_running;
            continue;
        }
        simulation->pids[i] = 0;
        if (!WIFEXITED(status)) err = FAIL(ERR_UNAVAILABLE, "a process of devices was killed");
        if (!WIFEXITED(status) || WEXITSTATUS(status) == 0) continue;
        const ShareCount *count = &simulation->stage->counts[i];
        err = reason_fail(reason, count->err, "%s", count->reason.text);
    }
    return err;
}

/// --- counting ---

static bool simulate_has_enrolled(const Simulation *simulation) {
    for (uint64_t i = 0; i < simulation->processes; i++)
        if (!simulation->stage->counts[i].has_enrolled) return false;
    return true;
}

static SimulationResult simulate_count(const Simulation *simulation) {
    const ShareStage *stage = simulation->stage;
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t started_ms = stage->started_ms ? stage->started_ms : now_ms;
    uint64_t opened_ms = simulation->opened_ms ? simulation->opened_ms : now_ms;
    SimulationResult result = {
        .devices = simulation->options->count,
        .seconds_enrol = (double)(started_ms - stage->begun_ms) / MS_PER_S,
        .seconds_open = (double)(opened_ms - started_ms) / MS_PER_S,
        .processes = simulation->processes,
    };
    for (uint64_t i = 0; i < simulation->processes; i++) {
        result.enrolled += stage->counts[i].enrolled;
        result.open += stage->counts[i].open;
        result.acked += stage->counts[i].acked;
        result.errors += stage->counts[i].errors;
        result.faults += stage->counts[i].faults;
        result.messages += stage->counts[i].messages;
        result.accounts += stage->counts[i].accounts;
        if (result.accounts_at_ms < stage->counts[i].accounts_at_ms)
            result.accounts_at_ms = stage->counts[i].accounts_at_ms;
    }
    return result;
}

static void simulate_progress(const SimulationResult *result) {
    log_event(LOG_INFO,
              "simulation.progress",
              F("enrolled", result->enrolled),
              F("open", result->open),
              F("acked", result->acked),
              F("errors", result->errors),
              F("faults", result->faults),
              F("messages", result->messages),
              F("accounts", result->accounts),
              F("accounts_at_ms", result->accounts_at_ms));
}

/// See how far they are, and say what comes next.
static void simulate_look(Simulation *simulation) {
    ShareStage *stage = simulation->stage;
    uint64_t now_ms = clock_monotonic_ms();
    bool has_enrolled = simulate_has_enrolled(simulation);
    if (has_enrolled && simulation->options->only_enrols) stage->is_ending = true;
    if (has_enrolled && stage->started_ms == 0) stage->started_ms = now_ms;
    SimulationResult result = simulate_count(simulation);
    if (stage->started_ms > 0 && simulation->opened_ms == 0 && result.open == result.enrolled)
        simulation->opened_ms = now_ms;
    if (now_ms - simulation->progress_ms >= PROGRESS_MS) {
        simulation->progress_ms = now_ms;
        simulate_progress(&result);
    }
    uint64_t stay_ms = simulation->options->seconds * MS_PER_S;
    if (stay_ms > 0 && stage->started_ms > 0 && now_ms - stage->started_ms >= stay_ms)
        stage->is_ending = true;
}

static Err simulate_watch(Simulation *simulation, const sigset_t *signals, Reason *reason) {
    const struct timespec look = {.tv_nsec = LOOK_MS * 1'000'000L};
    while (!simulation->stage->is_ending) {
        if (sigtimedwait(signals, NULL, &look) > 0) simulation->stage->is_ending = true;
        simulate_look(simulation);
        uint64_t running;
        TRY(simulate_reap(simulation, false, &running, reason));
    }
    return SUCCESS;
}

static void simulate_print(const Simulation *simulation) {
    SimulationResult result = simulate_count(simulation);
    SCOPED(text_done) Text json;
    text_init(&json, 1024);
    schema_encode(&SimulationResult_schema, &result, ENCODE_REPLY, &json);
    puts(json.ptr);
}

Err simulate(const SimulateOptions *options, Reason *reason) {
    Simulation simulation = {.options = options};
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    Err err = simulate_start(&simulation, &signals);
    if (err.code == OK) err = simulate_watch(&simulation, &signals, reason);
    if (!simulation.stage) return err;
    simulation.stage->is_ending = true;
    uint64_t running;
    Err end = simulate_reap(&simulation, true, &running, reason);
    if (err.code == OK) err = end;
    if (err.code == OK) simulate_print(&simulation);
    munmap(simulation.stage, sizeof(*simulation.stage));
    return err;
}
