// SPDX-License-Identifier: Apache-2.0
#include "agent/name.h"

#include "agent/facts.h"
#include "io/file.h"
#include "wire/device.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { INTERFACES_MAX = 64, ADDRESS_MAX = 64 };

/// A physical interface has a device behind it; bridges, tunnels and the loopback have none.
static Str name_mac_of(const char *folder, const char *interface, Arena *arena) {
    Str device = str_print(arena, "%s/%s/device", folder, interface);
    Str file = str_print(arena, "%s/%s/address", folder, interface);
    Str address;
    if (!device.ptr || !file.ptr || access(device.ptr, F_OK) != 0
        || file_load(file.ptr, ADDRESS_MAX, arena, &address, NULL).code != OK)
        return (Str){};
    char digits[ADDRESS_MAX];
    size_t len = 0;
    bool is_zero = true;
    address = str_trim(address);
    for (size_t i = 0; i < address.len; i++) {
        if (address.ptr[i] == ':') continue;
        is_zero = is_zero && address.ptr[i] == '0';
        digits[len++] = address.ptr[i];
    }
    return is_zero ? (Str){} : device_name_fit((Str){digits, len}, arena);
}

Str name_mac(const char *root, Arena *arena) {
    char folder[PATH_MAX];
    snprintf(folder, sizeof(folder), "%s/sys/class/net", root);
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0) return (Str){};
    Str mac = {};
    for (int i = 0; i < count; i++) {
        if (!mac.ptr && entries[i]->d_name[0] != '.' && i < INTERFACES_MAX)
            mac = name_mac_of(folder, entries[i]->d_name, arena);
        free(entries[i]);
    }
    free(entries);
    return mac;
}

Str name_wished(Str wish, const char *root, Arena *arena) {
    Str name = {};
    if (str_eq(wish, S("serial"))) {
        name = device_name_fit(serial_read(root, arena), arena);
    } else if (str_eq(wish, S("mac"))) {
        name = name_mac(root, arena);
    } else if (!str_eq(wish, S("hostname"))) {
        name = device_name_fit(wish, arena);
    }
    if (name.ptr) return name;
    struct utsname names = {};
    uname(&names);
    return device_name_fit(str_from(names.nodename), arena);
}
