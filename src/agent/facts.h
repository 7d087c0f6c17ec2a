// SPDX-License-Identifier: Apache-2.0
/// What the device is and how it is doing, out of /proc and its like.
///
/// The parsers are pure and forgiving: what the kernel does not say is 0 or absent.
#pragma once

#include "wire/device.h"

/// Memory in bytes, out of /proc/meminfo.
typedef struct Memory {
    uint64_t total_bytes;
    uint64_t available_bytes;
} Memory;

/// Ticks since boot of all CPUs together, out of /proc/stat.
typedef struct CpuTicks {
    uint64_t busy;
    uint64_t all;
} CpuTicks;

/// Parse /proc/meminfo.
Memory memory_parse(Str meminfo);
/// Parse the first line of /proc/stat.
CpuTicks cpu_ticks_parse(Str stat);
/// How busy the CPUs were between the two, 0..100; 0 if no time went by.
double cpu_percent(CpuTicks before, CpuTicks after);
/// PRETTY_NAME of an os-release file, without quotes, borrowed; absent if there is none.
Str os_name_parse(Str os_release);
/// The first number of /proc/loadavg or /proc/uptime, >= 0.
double first_number_parse(Str text);

/// The serial number that the machine's maker gave it, as the kernel tells it below `root` ("" for
/// this machine), in `arena`; absent: none, or a placeholder.
Str serial_read(const char *root, Arena *arena);
/// Read the facts. `engine_version` may be absent; texts live in `arena`.
void facts_read(Str engine_version, Arena *arena, Facts *ret_facts);
/// This moment, by the machine's clock and since its boot; texts live in `arena`.
void stamp_read(Arena *arena, Stamp *ret_stamp);
/// Take the measurements. `disk_path`: a path on the filesystem to measure. `last`: of the call
/// before, all zero at first; updated.
void telemetry_read(const char *disk_path, CpuTicks *last, Telemetry *ret_telemetry);
/// `now` is worth sending after `sent`, all zero: nothing was. Five minutes have gone by, the
/// machine has booted, a container came or went, or a tenth of the CPU, a twentieth of the memory
/// or a hundredth of the disk came or went.
bool telemetry_is_news(const Telemetry *sent, const Telemetry *now);
