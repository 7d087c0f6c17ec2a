// SPDX-License-Identifier: Apache-2.0
#include "agent/facts.h"

#include "base/arena.h"
#include "base/scope.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { PROC_TEXT_MAX = 8192, SERIAL_MAX = 255, NEWS_EVERY_S = 300, CPU_NEWS = 10 };

/// The next blank-separated word of `*rest`; absent at the end.
static Str facts_word(Str *rest) {
    Str word = {};
    while (word.len == 0 && str_cut(rest, ' ', &word))
        word = str_trim(word);
    return word;
}

static uint64_t facts_number(Str text) {
    uint64_t value = 0;
    return str_u64(text, &value).code == OK ? value : 0;
}

Memory memory_parse(Str meminfo) {
    Memory memory = {};
    for (Str line; str_cut(&meminfo, '\n', &line);) {
        Str name = facts_word(&line);
        uint64_t bytes = facts_number(facts_word(&line)) * 1024;
        if (str_eq(name, S("MemTotal:"))) memory.total_bytes = bytes;
        if (str_eq(name, S("MemAvailable:"))) memory.available_bytes = bytes;
    }
    return memory;
}

CpuTicks cpu_ticks_parse(Str stat) {
    enum { IDLE = 3, IOWAIT = 4, COLUMNS = 8 }; // guest times behind them are in user time already
    CpuTicks ticks = {};
    Str line = {};
    if (!str_cut(&stat, '\n', &line) || !str_eq(facts_word(&line), S("cpu"))) return ticks;
    for (int column = 0; column < COLUMNS; column++) {
        uint64_t value = facts_number(facts_word(&line));
        ticks.all += value;
        if (column != IDLE && column != IOWAIT) ticks.busy += value;
    }
    return ticks;
}

double cpu_percent(CpuTicks before, CpuTicks after) {
    // The kernel's counters may step back when a CPU is unplugged.
    if (after.all <= before.all || after.busy < before.busy) return 0;
    double percent = 100.0 * (double)(after.busy - before.busy) / (double)(after.all - before.all);
    return percent < 100 ? percent : 100;
}

Str os_name_parse(Str os_release) {
    for (Str line; str_cut(&os_release, '\n', &line);) {
        if (!str_starts(line, S("PRETTY_NAME="))) continue;
        Str value = str_trim(str_slice(line, sizeof("PRETTY_NAME=") - 1, line.len));
        bool quoted = value.len >= 2 && (value.ptr[0] == '"' || value.ptr[0] == '\'')
                      && value.ptr[value.len - 1] == value.ptr[0];
        return quoted ? str_slice(value, 1, value.len - 1) : value;
    }
    return (Str){};
}

double first_number_parse(Str text) {
    Str number = facts_word(&text);
    size_t dot = str_index(number, '.', 0);
    double value = (double)facts_number(str_slice(number, 0, dot));
    double digit = 0.1;
    for (size_t i = dot + 1; i < number.len; i++, digit /= 10) {
        char c = number.ptr[i];
        if (c < '0' || c > '9') break;
        value += digit * (c - '0');
    }
    return value;
}

/// The beginning of a file of the kernel; absent if it cannot be read.
static Str facts_proc_read(const char *path, char buffer[PROC_TEXT_MAX]) {
    SCOPED(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, buffer, PROC_TEXT_MAX);
    return len < 0 ? (Str){} : (Str){buffer, (size_t)len};
}

/// Makers who have nothing to say say this.
static bool facts_serial_is_none(Str serial) {
    static const char *const words[] = {"none",
                                        "not specified",
                                        "not applicable",
                                        "default string",
                                        "system serial number",
                                        "to be filled by o.e.m.",
                                        "unknown",
                                        "0123456789"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i]) == serial.len && strncasecmp(words[i], serial.ptr, serial.len) == 0)
            return true;
    return serial.len == 0 || str_eq(serial, str_slice(S("0000000000000000"), 0, serial.len));
}

Str serial_read(const char *root, Arena *arena) {
    static const char *const files[] = {"/sys/class/dmi/id/product_serial",
                                        "/proc/device-tree/serial-number"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char path[PATH_MAX];
        char buffer[PROC_TEXT_MAX];
        snprintf(path, sizeof(path), "%s%s", root, files[i]);
        Str serial = facts_proc_read(path, buffer);
        serial = str_trim(str_slice(serial, 0, str_index(serial, '\0', 0)));
        if (serial.len <= SERIAL_MAX && str_is_text(serial) && Pattern_line.matches(serial)
            && !facts_serial_is_none(serial))
            return str_dup(arena, serial);
    }
    return (Str){};
}

void facts_read(Str engine_version, Arena *arena, Facts *ret_facts) {
    char buffer[PROC_TEXT_MAX];
    struct utsname names = {};
    uname(&names);
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    *ret_facts = (Facts){
        .hostname = str_dup(arena, str_from(names.nodename)),
        .kernel = str_dup(arena, str_from(names.release)),
        .architecture = str_dup(arena, str_from(names.machine)),
        .cpus = cpus > 0 ? (uint64_t)cpus : 0,
        .memory_bytes = memory_parse(facts_proc_read("/proc/meminfo", buffer)).total_bytes,
        .serial_number = serial_read("", arena),
        .engine_version = str_dup(arena, engine_version),
    };
    Str os = os_name_parse(facts_proc_read("/etc/os-release", buffer));
    if (Pattern_line.matches(os)) ret_facts->os = str_dup(arena, os);
}

void stamp_read(Arena *arena, Stamp *ret_stamp) {
    char buffer[PROC_TEXT_MAX];
    Str boot_id = str_trim(facts_proc_read("/proc/sys/kernel/random/boot_id", buffer));
    struct timespec up = {};
    clock_gettime(CLOCK_BOOTTIME, &up);
    Clock clock = clock_system();
    *ret_stamp = (Stamp){
        .time = {clock_now_ms(&clock)},
        .boot_id = boot_id.len > 0 ? str_dup(arena, boot_id) : (Str){},
        .uptime_ms = (uint64_t)up.tv_sec * 1000 + (uint64_t)up.tv_nsec / 1'000'000,
    };
}

static bool facts_moved(uint64_t a, uint64_t b, uint64_t by) {
    uint64_t difference = a > b ? a - b : b - a;
    return difference > 0 && difference >= by;
}

bool telemetry_is_news(const Telemetry *sent, const Telemetry *now) {
    const uint64_t memory = now->memory_total_bytes, disk = now->disk_total_bytes;
    const double cpu = now->cpu_percent - sent->cpu_percent;
    return now->uptime_s < sent->uptime_s || now->uptime_s >= sent->uptime_s + NEWS_EVERY_S
           || now->containers != sent->containers || memory != sent->memory_total_bytes
           || disk != sent->disk_total_bytes || cpu >= CPU_NEWS || cpu <= -CPU_NEWS
           || facts_moved(now->memory_used_bytes, sent->memory_used_bytes, memory / 20)
           || facts_moved(now->disk_used_bytes, sent->disk_used_bytes, disk / 100);
}

void telemetry_read(const char *disk_path, CpuTicks *last, Telemetry *ret_telemetry) {
    char buffer[PROC_TEXT_MAX];
    Telemetry telemetry = {};
    Memory memory = memory_parse(facts_proc_read("/proc/meminfo", buffer));
    telemetry.memory_total_bytes = memory.total_bytes;
    if (memory.available_bytes <= memory.total_bytes)
        telemetry.memory_used_bytes = memory.total_bytes - memory.available_bytes;
    CpuTicks now = cpu_ticks_parse(facts_proc_read("/proc/stat", buffer));
    telemetry.cpu_percent = cpu_percent(*last, now);
    *last = now;
    telemetry.load1 = first_number_parse(facts_proc_read("/proc/loadavg", buffer));
    telemetry.uptime_s = (uint64_t)first_number_parse(facts_proc_read("/proc/uptime", buffer));
    struct statvfs disk;
    if (statvfs(disk_path, &disk) == 0) {
        telemetry.disk_total_bytes = (uint64_t)disk.f_blocks * disk.f_frsize;
        telemetry.disk_used_bytes = (uint64_t)(disk.f_blocks - disk.f_bfree) * disk.f_frsize;
    }
    *ret_telemetry = telemetry;
}
