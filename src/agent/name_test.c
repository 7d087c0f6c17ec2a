// SPDX-License-Identifier: Apache-2.0
#include "agent/name.h"

#include "agent/facts.h"
#include "folder.h"
#include "io/file.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

static Arena arena;
static char root[64];

/// A file of the machine in the test's own root, with its folders.
static void machine_has(const char *path, const char *content, size_t len) {
    char full[256];
    snprintf(full, sizeof(full), "%s%s", root, path);
    for (char *at = strchr(full + strlen(root) + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        mkdir(full, 0700);
        *at = '/';
    }
    CHECK_OK(file_save(full, (Str){content, len}, 0600, NULL));
}

static Str host_name(void) {
    struct utsname names;
    uname(&names);
    return device_name_fit(str_dup(&arena, str_from(names.nodename)), &arena);
}

static int setup(void **test_state) {
    (void)test_state;
    snprintf(root, sizeof(root), "/tmp/muster-name-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **test_state) {
    (void)test_state;
    return folder_remove(root);
}

TEST(the_serial_number_is_the_makers_and_no_placeholder) {
    CHECK(!serial_read(root, &arena).ptr);
    machine_has("/proc/device-tree/serial-number", "10000000ABCDEF01\0", 17);
    CHECK_STR(serial_read(root, &arena), S("10000000ABCDEF01"));
    CHECK_STR(name_wished(S("serial"), root, &arena), S("10000000abcdef01"));
    machine_has("/sys/class/dmi/id/product_serial", "PF2ABC9\n", 8);
    CHECK_STR(serial_read(root, &arena), S("PF2ABC9"));
    machine_has("/sys/class/dmi/id/product_serial", "To Be Filled By O.E.M.\n", 23);
    CHECK_STR(serial_read(root, &arena), S("10000000ABCDEF01"));
    machine_has("/proc/device-tree/serial-number", "0000\0", 5);
    CHECK(!serial_read(root, &arena).ptr);
}

TEST(the_address_is_of_the_first_physical_interface) {
    CHECK(!name_mac(root, &arena).ptr);
    machine_has("/sys/class/net/docker0/address", "02:42:ac:11:00:02\n", 18);
    machine_has("/sys/class/net/lo/address", "00:00:00:00:00:00\n", 18);
    CHECK(!name_mac(root, &arena).ptr);
    machine_has("/sys/class/net/eth1/address", "dc:a6:32:01:02:04\n", 18);
    machine_has("/sys/class/net/eth1/device", "", 0);
    machine_has("/sys/class/net/eth0/address", "DC:A6:32:01:02:03\n", 18);
    machine_has("/sys/class/net/eth0/device", "", 0);
    CHECK_STR(name_mac(root, &arena), S("dca632010203"));
    CHECK_STR(name_wished(S("mac"), root, &arena), S("dca632010203"));
}

TEST(what_is_not_possible_falls_back_to_the_host_name) {
    CHECK_STR(name_wished(S("serial"), root, &arena), host_name());
    CHECK_STR(name_wished(S("mac"), root, &arena), host_name());
    CHECK_STR(name_wished(S("hostname"), root, &arena), host_name());
    CHECK_STR(name_wished((Str){}, root, &arena), host_name());
    CHECK_STR(name_wished(S("Till 1"), root, &arena), S("till-1"));
}

#define NAME_CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void) {
    const struct CMUnitTest tests[] = {
        NAME_CASE(the_serial_number_is_the_makers_and_no_placeholder),
        NAME_CASE(the_address_is_of_the_first_physical_interface),
        NAME_CASE(what_is_not_possible_falls_back_to_the_host_name),
    };
    arena_init(&arena, 1024 * 1024);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed == 0 ? 0 : 1;
}
