// SPDX-License-Identifier: Apache-2.0
#include "agent/engine/engine_parts.h"
#include "base/scope.h"

#include <stdio.h>

enum { OBJECT_ARENA_MAX = 1024 * 1024 };

/// What is there under a name that we want is ours, or nothing is done with it.
static Err engine_object_judge(
    const char *kind, Str name, StrMap labels, const LabelsOwner *owner, Reason *reason) {
    if (labels_are_of(labels, owner)) return SUCCESS;
    bool is_newer = labels_judge(labels, owner->device_id) == LABELS_NEWER;
    return reason_fail(reason,
                       FAIL(ERR_CONFLICT, "the engine has something else there"),
                       "the %s %.*s is there already and %s: it is left alone",
                       kind,
                       STR_FMT(name),
                       is_newer ? "of a newer muster-agent" : "not of this device's application");
}

Err engine_image_entrypoint(
    Engine *engine, Str image, Arena *arena, StrList *ret_entrypoint, Reason *reason) {
    typedef struct ImageConfig {
        StrList Entrypoint;
    } ImageConfig;
    typedef struct Image {
        ImageConfig Config;
    } Image;
    static const Field ImageConfig_fields[] = {
        FIELD(ImageConfig, Entrypoint, 0, "what its command is given to")};
    static const Schema ImageConfig_schema =
        SCHEMA(ImageConfig, "image_config", "what an image does by itself");
    static const Field Image_fields[] = {
        FIELD_RECORD(Image, Config, ImageConfig, 0, "what it does by itself")};
    static const Schema Image_schema = SCHEMA(Image, "image", "an image");
    TRY(engine_agree(engine, reason));
    SCOPED(text_done) Text body = {};
    TRY(engine_call(engine, "GET", (Str){}, &body, reason, "/images/%.*s/json", STR_FMT(image)));
    Image found;
    TRY(engine_decode(&Image_schema, text_str(&body), arena, &found, reason));
    *ret_entrypoint = found.Config.Entrypoint;
    return SUCCESS;
}

static Err engine_network_make(
    Engine *engine, Str name, const LabelsOwner *owner, Arena *arena, Reason *reason) {
    typedef struct Network {
        Str Name;
        Str Driver;
        StrMap Labels;
        bool CheckDuplicate;
    } Network;
    static const Field Network_fields[] = {
        FIELD(Network, Name, REQUIRED, "of the network"),
        FIELD(Network, Driver, REQUIRED, "kind of network"),
        FIELD(Network, Labels, 0, "labels"),
        FIELD(Network, CheckDuplicate, 0, "names are unique"),
    };
    static const Schema Network_schema = SCHEMA(Network, "network", "a network to make");
    Network network = {
        .Name = name,
        .Driver = S("bridge"),
        .Labels = labels_make(owner, NULL, 0, arena),
        .CheckDuplicate = true,
    };
    SCOPED(text_done) Text body;
    text_init(&body, ENGINE_TARGET_MAX);
    schema_encode(&Network_schema, &network, ENCODE_REQUEST, &body);
    TRY(text_check(&body));
    return engine_call(engine, "POST", text_str(&body), NULL, reason, "/networks/create");
}

Err engine_network_ensure(Engine *engine, Str name, const LabelsOwner *owner, Reason *reason) {
    TRY(engine_agree(engine, reason));
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, OBJECT_ARENA_MAX);
    SCOPED(text_done) Text body = {};
    Err err = engine_call(engine, "GET", (Str){}, &body, reason, "/networks/%.*s", STR_FMT(name));
    if (err.code == ERR_NOT_FOUND) {
        reason_clear(reason);
        return engine_network_make(engine, name, owner, &arena, reason);
    }
    TRY(err);
    EngineNetwork network;
    TRY(engine_decode(&EngineNetwork_schema, text_str(&body), &arena, &network, reason));
    return engine_object_judge("network", name, network.Labels, owner, reason);
}

Err engine_networks(
    Engine *engine, Str device_id, Arena *arena, EngineNetworkList *ret_list, Reason *reason) {
    TRY(engine_agree(engine, reason));
    SCOPED(text_done) Text body = {};
    TRY(engine_call(engine,
                    "GET",
                    (Str){},
                    &body,
                    reason,
                    "/networks?filters=%%7B" ENGINE_LABEL_FILTER "%%7D",
                    STR_FMT(device_id)));
    Faults faults;
    faults_init(&faults, arena);
    void *items;
    EngineNetworkList list;
    TRY(schema_decode_list(&EngineNetwork_schema,
                           text_str(&body),
                           DECODE_REPLY,
                           ENGINE_NETWORKS_MAX,
                           arena,
                           &faults,
                           &items,
                           &list.count));
    list.items = items;
    *ret_list = list;
    return SUCCESS;
}

Err engine_network_remove(Engine *engine, Str id, Reason *reason) {
    TRY(engine_agree(engine, reason));
    Err err = engine_call(engine, "DELETE", (Str){}, NULL, reason, "/networks/%.*s", STR_FMT(id));
    if (err.code != ERR_NOT_FOUND) return err;
    reason_clear(reason);
    return SUCCESS;
}

Err engine_volume_check(Engine *engine, Str name, const LabelsOwner *owner, Reason *reason) {
    TRY(engine_agree(engine, reason));
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, OBJECT_ARENA_MAX);
    SCOPED(text_done) Text body = {};
    Err err = engine_call(engine, "GET", (Str){}, &body, reason, "/volumes/%.*s", STR_FMT(name));
    if (err.code == ERR_NOT_FOUND) { // made with the container that mounts it
        reason_clear(reason);
        return SUCCESS;
    }
    TRY(err);
    EngineNetwork volume; // has a name and labels, too
    TRY(engine_decode(&EngineNetwork_schema, text_str(&body), &arena, &volume, reason));
    return engine_object_judge("volume", name, volume.Labels, owner, reason);
}
