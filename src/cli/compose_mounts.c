// SPDX-License-Identifier: Apache-2.0
// Ports and volumes of a service of a Compose file, in their short and long forms.
#include "cli/compose_parts.h"

/// The part of `*text` behind its last `separator`, which is cut off; absent if it has none.
static Str mounts_cut_last(Str *text, char separator) {
    for (size_t i = text->len; i-- > 0;) {
        if (text->ptr[i] != separator) continue;
        Str tail = str_slice(*text, i + 1, text->len);
        *text = str_slice(*text, 0, i);
        return tail;
    }
    return (Str){};
}

static void mounts_protocol_set(ComposeReader *reader, const YamlNode *node, Str text, Port *port) {
    port->protocol = str_eq(text, S("udp")) ? PORT_UDP : PORT_TCP;
    if (!str_eq(text, S("udp")) && !str_eq(text, S("tcp")))
        yaml_fault(reader->faults, node, "must have the protocol tcp or udp");
}

/// "[ADDRESS:]HOST:CONTAINER[/PROTOCOL]"; an IPv6 address stands in brackets.
static void mounts_port_parse(ComposeReader *reader, const YamlNode *node, Port *port) {
    Str rest;
    if (!compose_text(reader, node, &rest)) return;
    Str protocol = mounts_cut_last(&rest, '/');
    if (protocol.ptr) mounts_protocol_set(reader, node, protocol, port);
    Str container = mounts_cut_last(&rest, ':');
    if (!container.ptr) {
        yaml_fault(reader->faults, node, "must be [ADDRESS:]HOST:CONTAINER[/PROTOCOL]");
        return;
    }
    Str address = rest;
    Str host = mounts_cut_last(&address, ':');
    if (host.ptr) {
        if (str_starts(address, S("[")) && str_ends(address, S("]")))
            address = str_slice(address, 1, address.len - 1);
        port->address = address;
    }
    (void)(compose_number(reader, node, host.ptr ? host : rest, &port->host)
           && compose_number(reader, node, container, &port->container));
}

static void mounts_number_read(ComposeReader *reader, const YamlNode *node, uint64_t *number) {
    Str text;
    if (compose_text(reader, node, &text)) (void)compose_number(reader, node, text, number);
}

static void mounts_read_published(ComposeReader *reader, const YamlNode *node, void *record) {
    mounts_number_read(reader, node, &((Port *)record)->host);
}

static void mounts_read_port_target(ComposeReader *reader, const YamlNode *node, void *record) {
    mounts_number_read(reader, node, &((Port *)record)->container);
}

static void mounts_read_host_ip(ComposeReader *reader, const YamlNode *node, void *record) {
    (void)compose_text(reader, node, &((Port *)record)->address);
}

static void mounts_read_protocol(ComposeReader *reader, const YamlNode *node, void *record) {
    Str text;
    if (compose_text(reader, node, &text)) mounts_protocol_set(reader, node, text, record);
}

void compose_ports(ComposeReader *reader, const YamlNode *node, void *record) {
    static const ComposeKey keys[] = {
        {"target",    mounts_read_port_target},
        {"published", mounts_read_published  },
        {"host_ip",   mounts_read_host_ip    },
        {"protocol",  mounts_read_protocol   },
    };
    Service *service = record;
    if (node->kind != YAML_LIST) {
        yaml_fault(reader->faults, node, "must be a list of ports");
        return;
    }
    Port *ports = ARENA_ARRAY(reader->arena, Port, node->count);
    if (!ports) return;
    size_t count = 0;
    for (const YamlNode *child = node->child; child; child = child->next) {
        Port *port = &ports[count++];
        if (child->kind == YAML_TEXT) {
            mounts_port_parse(reader, child, port);
            continue;
        }
        COMPOSE_MAP(reader, child, keys, port);
        if (child->kind == YAML_MAP
            && (!yaml_child(child, S("target")) || !yaml_child(child, S("published"))))
            yaml_fault(reader->faults, child, "must have a target and a published port");
    }
    service->ports = (PortList){ports, count};
}

/// A path of the device or a declared name; nothing is relative to the file, which stays here.
static void mounts_source_check(ComposeReader *reader, const YamlNode *node, Str source) {
    if (str_starts(source, S("/"))) return;
    if (str_starts(source, S(".")) || str_starts(source, S("~"))) {
        yaml_fault(reader->faults, node, "must have an absolute path of the device as its source");
    } else if (!reader->volumes || !yaml_child(reader->volumes, source)) {
        yaml_fault(reader->faults,
                   node,
                   "names the volume \"%.*s\", which is not declared under volumes",
                   STR_FMT(source));
    }
}

/// "SOURCE:TARGET[:ro|rw]"
static void mounts_volume_parse(ComposeReader *reader, const YamlNode *node, Volume *volume) {
    Str rest;
    if (!compose_text(reader, node, &rest)) return;
    Str mode = {};
    (void)str_cut(&rest, ':', &volume->source);
    if (rest.ptr) (void)str_cut(&rest, ':', &volume->target);
    if (rest.ptr) (void)str_cut(&rest, ':', &mode);
    bool known_mode = !mode.ptr || str_eq(mode, S("ro")) || str_eq(mode, S("rw"));
    if (volume->source.len == 0 || volume->target.len == 0 || rest.ptr || !known_mode) {
        yaml_fault(reader->faults, node, "must be SOURCE:/TARGET or SOURCE:/TARGET:ro");
        return;
    }
    volume->read_only = str_eq(mode, S("ro"));
    mounts_source_check(reader, node, volume->source);
}

static void mounts_read_source(ComposeReader *reader, const YamlNode *node, void *record) {
    Volume *volume = record;
    if (compose_text(reader, node, &volume->source))
        mounts_source_check(reader, node, volume->source);
}

static void mounts_read_target(ComposeReader *reader, const YamlNode *node, void *record) {
    (void)compose_text(reader, node, &((Volume *)record)->target);
}

static void mounts_read_type(ComposeReader *reader, const YamlNode *node, void *) {
    Str text;
    if (compose_text(reader, node, &text) && !str_eq(text, S("volume")) && !str_eq(text, S("bind")))
        yaml_fault(reader->faults, node, "must be volume or bind");
}

static void mounts_read_read_only(ComposeReader *reader, const YamlNode *node, void *record) {
    Str text;
    if (!compose_text(reader, node, &text)) return;
    ((Volume *)record)->read_only = str_eq(text, S("true"));
    if (!str_eq(text, S("true")) && !str_eq(text, S("false")))
        yaml_fault(reader->faults, node, "must be true or false");
}

void compose_volumes(ComposeReader *reader, const YamlNode *node, void *record) {
    static const ComposeKey keys[] = {
        {"type",      mounts_read_type     },
        {"source",    mounts_read_source   },
        {"target",    mounts_read_target   },
        {"read_only", mounts_read_read_only},
    };
    Service *service = record;
    if (node->kind != YAML_LIST) {
        yaml_fault(reader->faults, node, "must be a list of volumes");
        return;
    }
    Volume *volumes = ARENA_ARRAY(reader->arena, Volume, node->count);
    if (!volumes) return;
    size_t count = 0;
    for (const YamlNode *child = node->child; child; child = child->next) {
        Volume *volume = &volumes[count++];
        if (child->kind == YAML_TEXT) {
            mounts_volume_parse(reader, child, volume);
            continue;
        }
        COMPOSE_MAP(reader, child, keys, volume);
        if (child->kind == YAML_MAP
            && (!yaml_child(child, S("source")) || !yaml_child(child, S("target"))))
            yaml_fault(reader->faults, child, "must have a source and a target");
    }
    service->volumes = (VolumeList){volumes, count};
}
