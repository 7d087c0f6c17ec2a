// SPDX-License-Identifier: Apache-2.0
#include "agent/facts.h"

#include "base/arena.h"
#include "test.h"

TEST(meminfo_gives_total_and_available_in_bytes) {
    Memory memory = memory_parse(S("MemTotal:        4034244 kB\nMemFree:  205380 kB\n"
                                   "MemAvailable:    2819216 kB\nBuffers: 1 kB\n"));
    CHECK(memory.total_bytes == 4034244ULL * 1024);
    CHECK(memory.available_bytes == 2819216ULL * 1024);
}

TEST(damaged_meminfo_gives_zeros) {
    CHECK(memory_parse(S("")).total_bytes == 0);
    CHECK(memory_parse((Str){}).total_bytes == 0);
    CHECK(memory_parse(S("MemTotal:\nMemAvailable: x kB")).available_bytes == 0);
}

TEST(idle_and_iowait_are_not_busy) {
    CpuTicks ticks = cpu_ticks_parse(S("cpu  10 1 5 100 20 2 3 4 50 0\ncpu0 1 1 1 1\n"));
    CHECK(ticks.busy == 10 + 1 + 5 + 2 + 3 + 4);
    CHECK(ticks.all == ticks.busy + 100 + 20);
    CHECK(cpu_ticks_parse(S("intr 5 6 7")).all == 0);
}

TEST(cpu_percent_is_the_busy_share_between_two_readings) {
    CHECK(cpu_percent((CpuTicks){10, 100}, (CpuTicks){35, 200}) == 25);
    CHECK(cpu_percent((CpuTicks){10, 100}, (CpuTicks){10, 100}) == 0);
    CHECK(cpu_percent((CpuTicks){10, 100}, (CpuTicks){5, 90}) == 0);
}

TEST(os_release_gives_the_pretty_name) {
    CHECK_STR(os_name_parse(S("NAME=\"x\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=y")),
              S("Debian GNU/Linux 12 (bookworm)"));
    CHECK_STR(os_name_parse(S("PRETTY_NAME=Alpine\n")), S("Alpine"));
    CHECK_STR(os_name_parse(S("PRETTY_NAME=\"")), S("\""));
    CHECK(os_name_parse(S("NAME=x")).ptr == NULL);
}

TEST(the_first_number_of_a_line_is_read) {
    CHECK(first_number_parse(S("0.25 0.11 0.05 1/100 4242\n")) == 0.25);
    CHECK(first_number_parse(S("12345.5 4242.11\n")) == 12345.5);
    CHECK(first_number_parse(S("7")) == 7);
    CHECK(first_number_parse(S("")) == 0);
    CHECK(first_number_parse(S("x.y")) == 0);
}

TEST(this_machine_has_facts_and_measurements) {
    Arena arena;
    arena_init(&arena, 65536);
    Facts facts;
    facts_read(S("20.10.24"), &arena, &facts);
    CHECK(facts.hostname.len > 0 && facts.kernel.len > 0 && facts.architecture.len > 0);
    CHECK(facts.cpus > 0 && facts.memory_bytes > 0);
    CHECK_STR(facts.engine_version, S("20.10.24"));
    CpuTicks last = {};
    Telemetry telemetry;
    telemetry_read("/", &last, &telemetry);
    CHECK(telemetry.memory_used_bytes > 0 && telemetry.disk_total_bytes > 0);
    CHECK(last.all > 0 && telemetry.uptime_s > 0);
    arena_done(&arena);
}

TEST(measurements_are_sent_when_they_tell_something) {
    const Telemetry sent = {.cpu_percent = 40,
                            .memory_used_bytes = 500,
                            .memory_total_bytes = 1000,
                            .disk_used_bytes = 500,
                            .disk_total_bytes = 1000,
                            .uptime_s = 1000,
                            .containers = 2};
    Telemetry now = sent;
    CHECK(!telemetry_is_news(&sent, &now));
    CHECK(telemetry_is_news(&(Telemetry){}, &now));
    now = sent, now.uptime_s = 1299, now.load1 = 9, now.cpu_percent = 49.9;
    now.memory_used_bytes = 549, now.disk_used_bytes = 509;
    CHECK(!telemetry_is_news(&sent, &now));
    now = sent, now.uptime_s = 1300;
    CHECK(telemetry_is_news(&sent, &now));
    now = sent, now.uptime_s = 5; // it has booted
    CHECK(telemetry_is_news(&sent, &now));
    now = sent, now.containers = 1;
    CHECK(telemetry_is_news(&sent, &now));
    now = sent, now.cpu_percent = 50;
    CHECK(telemetry_is_news(&sent, &now));
    now = sent, now.cpu_percent = 30;
    CHECK(telemetry_is_news(&sent, &now));
    now = sent, now.memory_used_bytes = 450;
    CHECK(telemetry_is_news(&sent, &now));
    now = sent, now.disk_used_bytes = 510;
    CHECK(telemetry_is_news(&sent, &now));
    now = sent, now.disk_total_bytes = 1001;
    CHECK(telemetry_is_news(&sent, &now));
    const Telemetry nothing = {}, little = {.disk_used_bytes = 1};
    CHECK(!telemetry_is_news(&nothing, &nothing) && telemetry_is_news(&nothing, &little));
}

TEST(a_stamp_orders_events_of_one_boot_without_the_clock) {
    Arena arena;
    arena_init(&arena, 65536);
    Stamp first, second;
    stamp_read(&arena, &first);
    stamp_read(&arena, &second);
    CHECK(first.time.ms > 0 && first.uptime_ms > 0 && second.uptime_ms >= first.uptime_ms);
    CHECK(first.boot_id.len == 36);
    CHECK_STR(second.boot_id, first.boot_id);
    arena_done(&arena);
}

TEST_MAIN(CASE(meminfo_gives_total_and_available_in_bytes),
          CASE(damaged_meminfo_gives_zeros),
          CASE(idle_and_iowait_are_not_busy),
          CASE(cpu_percent_is_the_busy_share_between_two_readings),
          CASE(os_release_gives_the_pretty_name),
          CASE(the_first_number_of_a_line_is_read),
          CASE(this_machine_has_facts_and_measurements),
          CASE(measurements_are_sent_when_they_tell_something),
          CASE(a_stamp_orders_events_of_one_boot_without_the_clock))
