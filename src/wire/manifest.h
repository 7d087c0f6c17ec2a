// SPDX-License-Identifier: Apache-2.0
/// What a release runs: services, in the terms of a Compose file.
///
/// A manifest is exact: images are named by digest, nothing is left to the device. It is published
/// once, as a Document (wire/document.h); what a service is, is said by its published bytes.
#pragma once

#include "wire/document.h"
#include "wire/extra.h"

enum {
    MANIFEST_SERVICES_MAX = 100,
    MANIFEST_TEXT_MAX = DOCUMENT_TEXT_MAX,
    SERVICE_NAME_MAX = 63,
    IMAGE_MAX = 512,
};

typedef enum PortProtocol { PORT_TCP, PORT_UDP } PortProtocol;

/// A port of the device that leads into the container.
typedef struct Port {
    uint64_t host;
    uint64_t container;
    PortProtocol protocol;
    Str address; ///< of the device to listen on; absent: all
} Port;
extern const Schema Port_schema;
typedef struct PortList {
    Port *items;
    size_t count;
} PortList;

/// Storage of the device in the container: a named volume, or a path of the host.
typedef struct Volume {
    Str source; ///< volume name, or absolute path
    Str target; ///< absolute path in the container
    bool read_only;
} Volume;
extern const Schema Volume_schema;
typedef struct VolumeList {
    Volume *items;
    size_t count;
} VolumeList;

typedef enum DependsOn { DEPENDS_STARTED, DEPENDS_HEALTHY } DependsOn;

/// This service starts after that one.
typedef struct Dependency {
    Str service;
    DependsOn condition;
} Dependency;
extern const Schema Dependency_schema;
typedef struct DependencyList {
    Dependency *items;
    size_t count;
} DependencyList;

/// How the engine finds out whether a container is well. `test` empty: the image's own.
typedef struct Healthcheck {
    StrList test; ///< exec form, or ["CMD-SHELL", text]
    Duration interval;
    Duration timeout;
    Duration start_period;
    uint64_t retries;
} Healthcheck;
extern const Schema Healthcheck_schema;

typedef enum Restart {
    RESTART_ALWAYS,
    RESTART_UNLESS_STOPPED,
    RESTART_ON_FAILURE,
    RESTART_NO
} Restart;

typedef struct Service {
    Str name;
    Str image;          ///< repository@sha256:digest
    StrList entrypoint; ///< absent: the image's; empty: none
    StrList command;    ///< likewise; the engine clears the image's only if there is an entrypoint
    StrMap environment;
    PortList ports;
    VolumeList volumes;
    DependencyList depends_on;
    Healthcheck healthcheck;
    Restart restart;
    EXTRA_MEMBERS
} Service;
extern const Schema Service_schema;
typedef struct ServiceList {
    Service *items;
    size_t count;
} ServiceList;

typedef struct Manifest {
    uint64_t format;
    NeedList needs;
    ServiceList services;
    EXTRA_MEMBERS
} Manifest;
extern const Schema Manifest_schema;

/// "repository@sha256:<64 hex>", the only way an image is named.
extern const Pattern Pattern_image;

/// What a table cannot say: unique service names, dependencies that exist and have no cycle, no
/// host port twice. Adds faults with pointers below `pointer` ("/manifest").
void manifest_check(const Manifest *manifest, Str pointer, Faults *faults);
/// The services in an order in which each stands behind what it depends on: indexes into
/// manifest->services. The manifest has passed manifest_check.
void manifest_order(const Manifest *manifest, size_t ret_order[MANIFEST_SERVICES_MAX]);
/// Publish the manifest: sets its format and the abilities that it needs, and makes its document in
/// canonical form, in `arena`. ERR_LIMIT: too large. ERR_MEMORY: arena exhausted.
Err manifest_publish(Manifest *manifest, Arena *arena, Document *ret_document);
/// Read a published manifest to act on it: document_read, then manifest_check. `*ret_refusal` is
/// absent if it may be acted on (texts in `arena`). ERR_MEMORY: arena exhausted.
Err manifest_read(const Document *document,
                  Arena *arena,
                  Manifest *ret_manifest,
                  Refusal *ret_refusal);
/// Read a published manifest to show it: as a peer's, which may be newer. ERR_INVALID: not one.
Err manifest_show(Str text, Arena *arena, Manifest *ret_manifest);
/// The identity of each service: the hash of its bytes as published, as hex digits in `arena`; in
/// the order of manifest->services. `text`: of a document that manifest_read has read.
/// ERR_MEMORY: arena exhausted.
Err manifest_identities(Str text, Arena *arena, Str ret_identities[MANIFEST_SERVICES_MAX]);
