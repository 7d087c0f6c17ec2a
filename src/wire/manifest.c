// SPDX-License-Identifier: Apache-2.0
#include "wire/manifest.h"

#include "base/json_slice.h"
#include "base/jws.h"
#include "base/scope.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *const protocol_names[] = {"tcp", "udp"};
static const EnumNames PortProtocol_names = ENUM_NAMES(protocol_names);
static const char *const depends_names[] = {"started", "healthy"};
static const EnumNames DependsOn_names = ENUM_NAMES(depends_names);
static const char *const restart_names[] = {"always", "unless-stopped", "on-failure", "no"};
static const EnumNames Restart_names = ENUM_NAMES(restart_names);

static bool manifest_is_image(Str text) {
    Str rest = text;
    Str repository;
    if (!str_cut(&rest, '@', &repository) || repository.len == 0 || !rest.ptr) return false;
    for (size_t i = 0; i < repository.len; i++) {
        char c = repository.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && (c == '\0' || !strchr("-._/:", c))) return false;
    }
    return Pattern_digest.matches(rest);
}

const Pattern Pattern_image = {
    .name = "image",
    .regex = "^[A-Za-z0-9._:/-]+@sha256:[0-9a-f]{64}$",
    .allowed = "an image by digest: repository@sha256:<64 hex digits>",
    .matches = manifest_is_image,
};

static bool manifest_is_path(Str text) {
    return str_starts(text, S("/")) && Pattern_line.matches(text);
}

static const Pattern Pattern_path = {
    .name = "path",
    .regex = "^/[^\\u0000-\\u001f\\u007f]*$",
    .allowed = "an absolute path",
    .matches = manifest_is_path,
};

static const Field Port_fields[] = {
    FIELD(Port, host, REQUIRED, "port of the device", .min = 1, .max = 65535),
    FIELD(Port, container, REQUIRED, "port in the container", .min = 1, .max = 65535),
    FIELD_ENUM(Port, protocol, PortProtocol, 0, "transport", .fallback = "tcp"),
    FIELD(Port, address, 0, "address of the device to listen on; all if absent", .max = 45),
};
const Schema Port_schema = SCHEMA(Port, "port", "a port of the device that leads into a container");

static const Field Volume_fields[] = {
    FIELD(Volume,
          source,
          REQUIRED,
          "volume name, or absolute path of the device",
          .pattern = &Pattern_line),
    FIELD(Volume, target, REQUIRED, "path in the container", .pattern = &Pattern_path),
    FIELD(Volume, read_only, 0, "the container may not write", .fallback = "false"),
};
const Schema Volume_schema = SCHEMA(Volume, "volume", "storage of the device in a container");

static const Field Dependency_fields[] = {
    FIELD(Dependency,
          service,
          REQUIRED,
          "the service that comes first",
          .pattern = &Pattern_dns_label,
          .max = SERVICE_NAME_MAX),
    FIELD_ENUM(
        Dependency, condition, DependsOn, 0, "what it must have reached", .fallback = "started"),
};
const Schema Dependency_schema = SCHEMA(Dependency, "dependency", "an order between two services");

static const Field Healthcheck_fields[] = {
    FIELD(Healthcheck,
          test,
          0,
          "command: exec form, or CMD-SHELL and a text",
          .max = 32,
          .item_max = 4096),
    FIELD(Healthcheck,
          interval,
          0,
          "between two runs",
          .fallback = "30s",
          .min = 1000,
          .max = 86'400'000),
    FIELD(Healthcheck, timeout, 0, "of one run", .fallback = "30s", .min = 1000, .max = 3'600'000),
    FIELD(Healthcheck,
          start_period,
          0,
          "at first, failures do not count",
          .fallback = "0s",
          .max = 3'600'000),
    FIELD(Healthcheck,
          retries,
          0,
          "failures in a row that mean unhealthy",
          .fallback = "3",
          .min = 1,
          .max = 100),
};
const Schema Healthcheck_schema =
    SCHEMA(Healthcheck, "healthcheck", "how the engine finds out whether a container is well");

static const Field Service_fields[] = {
    FIELD(Service,
          name,
          REQUIRED,
          "unique in the release",
          .pattern = &Pattern_dns_label,
          .max = SERVICE_NAME_MAX),
    FIELD(Service, image, REQUIRED, "what to run", .pattern = &Pattern_image, .max = IMAGE_MAX),
    FIELD(
        Service, entrypoint, 0, "instead of the image's; empty: none", .max = 64, .item_max = 4096),
    FIELD(Service, command, 0, "instead of the image's; empty: none", .max = 64, .item_max = 4096),
    FIELD(Service,
          environment,
          0,
          "variables",
          .max = 128,
          .item_max = 4096,
          .pattern = &Pattern_name),
    FIELD_LIST(Service, ports, Port, 0, "ports of the device", .max = 64),
    FIELD_LIST(Service, volumes, Volume, 0, "storage", .max = 32),
    FIELD_LIST(Service,
               depends_on,
               Dependency,
               0,
               "services that come first",
               .max = MANIFEST_SERVICES_MAX),
    FIELD_RECORD(Service, healthcheck, Healthcheck, 0, "how to find out whether it is well"),
    FIELD_ENUM(Service, restart, Restart, 0, "when it ends", .fallback = "always"),
    EXTRA_ROWS(Service)};
const Schema Service_schema = SCHEMA(Service, "service", "one container of a release");

static const Field Manifest_fields[] = {FIELD(Manifest,
                                              format,
                                              0,
                                              "number of the manifest's format",
                                              .fallback = "1",
                                              .min = DOCUMENT_FORMAT,
                                              .max = DOCUMENT_FORMAT),
                                        FIELD_LIST(Manifest,
                                                   needs,
                                                   Need,
                                                   0,
                                                   "abilities that a device must have to run it",
                                                   .max = DOCUMENT_NEEDS_MAX),
                                        FIELD_LIST(Manifest,
                                                   services,
                                                   Service,
                                                   REQUIRED,
                                                   "the containers",
                                                   .min = 1,
                                                   .max = MANIFEST_SERVICES_MAX),
                                        EXTRA_ROWS(Manifest)};
const Schema Manifest_schema = SCHEMA(Manifest, "manifest", "what a release runs");

static size_t manifest_service_index(const Manifest *manifest, Str name) {
    size_t at = 0;
    while (at < manifest->services.count && !str_eq(manifest->services.items[at].name, name))
        at++;
    return at;
}

static void manifest_fault_at(
    Faults *faults, Str pointer, size_t service, const char *member, size_t at, const char *what) {
    char tail[64];
    snprintf(tail, sizeof(tail), "/services/%zu/%s/%zu", service, member, at);
    faults_add(faults, str_print(faults->arena, "%.*s%s", STR_FMT(pointer), tail), "%s", what);
}

/// A port before this one in the release is the same.
static bool manifest_port_is_taken(const Manifest *manifest, size_t service, size_t at) {
    const Port *port = &manifest->services.items[service].ports.items[at];
    for (size_t other = 0; other <= service; other++) {
        const PortList *before = &manifest->services.items[other].ports;
        size_t until = other == service ? at : before->count;
        for (size_t i = 0; i < until; i++)
            if (before->items[i].host == port->host && before->items[i].protocol == port->protocol
                && str_eq(before->items[i].address, port->address))
                return true;
    }
    return false;
}

static void
manifest_ports_check(const Manifest *manifest, size_t service, Str pointer, Faults *faults) {
    const PortList *ports = &manifest->services.items[service].ports;
    for (size_t at = 0; at < ports->count; at++)
        if (manifest_port_is_taken(manifest, service, at))
            manifest_fault_at(faults,
                              pointer,
                              service,
                              "ports",
                              at,
                              "must be a host port that nothing else in the release uses");
}

/// Kahn's algorithm: place whatever depends only on what is placed.
static size_t manifest_order_fill(const Manifest *manifest, size_t *ret_order) {
    bool placed[MANIFEST_SERVICES_MAX] = {};
    size_t count = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < manifest->services.count; i++) {
            const DependencyList *first = &manifest->services.items[i].depends_on;
            bool ready = !placed[i];
            for (size_t d = 0; d < first->count && ready; d++) {
                size_t at = manifest_service_index(manifest, first->items[d].service);
                ready = at == manifest->services.count || placed[at];
            }
            if (!ready) continue;
            placed[i] = true;
            ret_order[count++] = i;
            moved = true;
        }
    }
    return count;
}

void manifest_check(const Manifest *manifest, Str pointer, Faults *faults) {
    const ServiceList *services = &manifest->services;
    for (size_t i = 0; i < services->count; i++) {
        if (manifest_service_index(manifest, services->items[i].name) < i)
            faults_add(faults,
                       str_print(faults->arena, "%.*s/services/%zu/name", STR_FMT(pointer), i),
                       "must be unique in the release");
        for (size_t d = 0; d < services->items[i].depends_on.count; d++)
            if (manifest_service_index(manifest, services->items[i].depends_on.items[d].service)
                == services->count)
                manifest_fault_at(
                    faults, pointer, i, "depends_on", d, "must name a service of the release");
        manifest_ports_check(manifest, i, pointer, faults);
    }
    size_t order[MANIFEST_SERVICES_MAX];
    if (manifest_order_fill(manifest, order) < services->count)
        faults_add(faults,
                   str_print(faults->arena, "%.*s/services", STR_FMT(pointer)),
                   "must not depend on each other in a circle");
}

void manifest_order(const Manifest *manifest, size_t ret_order[MANIFEST_SERVICES_MAX]) {
    size_t count = manifest_order_fill(manifest, ret_order);
    assert(count == manifest->services.count);
}

static bool manifest_clears(const Manifest *manifest) {
    for (size_t i = 0; i < manifest->services.count; i++) {
        const Service *service = &manifest->services.items[i];
        if ((service->command.items && service->command.count == 0)
            || (service->entrypoint.items && service->entrypoint.count == 0))
            return true;
    }
    return false;
}

static void manifest_needs_add(NeedList *needs, Ability ability) {
    Need need = ability_need(ability);
    for (size_t i = 0; i < needs->count; i++)
        if (str_eq(needs->items[i].ability, need.ability)) return;
    needs->items[needs->count++] = need;
}

/// Every ability that the manifest uses, behind those that whoever made it has named.
static Err manifest_needs(const Manifest *manifest, Arena *arena, NeedList *ret_needs) {
    size_t given = manifest->needs.count;
    NeedList needs = {.items = ARENA_ARRAY(arena, Need, given + ABILITY_COUNT)};
    TRY(arena_check(arena));
    if (given) memcpy(needs.items, manifest->needs.items, given * sizeof(Need));
    needs.count = given;
    manifest_needs_add(&needs, ABILITY_SERVICES);
    if (manifest_clears(manifest)) manifest_needs_add(&needs, ABILITY_CLEAR_COMMAND);
    *ret_needs = needs;
    return SUCCESS;
}

Err manifest_publish(Manifest *manifest, Arena *arena, Document *ret_document) {
    manifest->format = DOCUMENT_FORMAT;
    TRY(manifest_needs(manifest, arena, &manifest->needs));
    Str json;
    TRY(schema_encode_canonical(
        &Manifest_schema, manifest, ENCODE_REPLY, MANIFEST_TEXT_MAX, arena, &json));
    return document_make(json, arena, ret_document);
}

/// What neither the table nor manifest_check can say of a published text: its services are found
/// where manifest_identities looks for them.
static void manifest_check_text(const Manifest *manifest, Str text, Faults *faults) {
    Str items = json_slice_member(text, S("services"));
    Str item;
    size_t count = 0;
    while (json_slice_next(&items, &item))
        count++;
    if (count != manifest->services.count)
        faults_add(faults, S("/services"), "must be named without escapes");
}

Err manifest_read(const Document *document,
                  Arena *arena,
                  Manifest *ret_manifest,
                  Refusal *ret_refusal) {
    Manifest manifest;
    TRY(document_read(
        document, &Manifest_schema, MANIFEST_TEXT_MAX, arena, &manifest, ret_refusal));
    if (ret_refusal->code.ptr) return SUCCESS;
    Faults faults;
    faults_init(&faults, arena);
    manifest_check(&manifest, S(""), &faults);
    manifest_check_text(&manifest, document->text, &faults);
    if (faults.count > 0) {
        *ret_refusal = refusal_make(REFUSED_DOCUMENT_INVALID,
                                    str_print(arena,
                                              "%.*s: %.*s",
                                              STR_FMT(faults.items[0].pointer),
                                              STR_FMT(faults.items[0].allowed)));
        return arena_check(arena);
    }
    *ret_manifest = manifest;
    return SUCCESS;
}

Err manifest_show(Str text, Arena *arena, Manifest *ret_manifest) {
    return schema_read(&Manifest_schema, text, DECODE_REPLY, arena, ret_manifest, NULL);
}

Err manifest_identities(Str text, Arena *arena, Str ret_identities[MANIFEST_SERVICES_MAX]) {
    Str items = json_slice_member(text, S("services"));
    Str item;
    for (size_t i = 0; i < MANIFEST_SERVICES_MAX && json_slice_next(&items, &item); i++)
        ret_identities[i] = sha256_hex(arena, item);
    return arena_check(arena);
}
