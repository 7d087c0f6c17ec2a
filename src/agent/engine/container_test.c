// SPDX-License-Identifier: Apache-2.0
#include "agent/engine/container.h"

#include "io/file.h"
#include "test.h"

static Arena arena;

#define IMAGE "r/web@sha256:0000000000000000000000000000000000000000000000000000000000000001"

/// Of what a real engine (20.10) said of a container that the agent had made.
static EngineContainer recorded(void) {
    Str json;
    CHECK_OK(file_load(CORPUS "/engine/inspect.json", 65536, &arena, &json, NULL));
    EngineContainer container;
    CHECK_OK(schema_read(&EngineContainer_schema, json, DECODE_REPLY, &arena, &container, NULL));
    return container;
}

TEST(a_container_of_a_real_engine_is_understood) {
    EngineContainer container = recorded();
    EnginePort ports[2] = {};
    ports[1].PublicPort = 8080;
    ports[1].Type = S("tcp");
    container.Ports = (EnginePortList){ports, 2};
    Str device = str_map_find(container.Config.Labels, S(LABEL_DEVICE));
    SeenList seen;
    StrList newer;
    EngineContainerList list = {&container, 1};
    CHECK_OK(container_seen(&list, device, &arena, &seen, &newer));
    CHECK(seen.count == 1);
    const Seen *web = &seen.items[0];
    CHECK_STR(web->name, str_print(&arena, "shop.web.%.6s", web->config.ptr));
    CHECK_STR(web->application, S("shop"));
    CHECK_STR(web->service, S("web"));
    CHECK(web->config.len == 64 && web->id.len == 64);
    CHECK(web->state == CONTAINER_RUNNING && web->health == HEALTH_HEALTHY && !web->is_dead);
    CHECK(web->started_at.len > 20);
    CHECK(web->port_count == 1 && web->ports[0].host == 8080);
    CHECK(web->stores.count == 1);
    CHECK_STR(web->stores.items[0], S("data"));
}

TEST(containers_of_other_devices_and_of_nobody_are_not_seen) {
    EngineContainer container = recorded();
    EngineContainer foreign = {.Id = S("f"), .State = {.Status = S("running")}};
    EngineContainer both[] = {container, foreign};
    SeenList seen;
    StrList newer;
    EngineContainerList list = {both, 2};
    CHECK_OK(container_seen(&list, S("device_01jdfq3t5hefbv1nq5a3x4k2zz"), &arena, &seen, &newer));
    CHECK(seen.count == 0 && newer.count == 0);
}

TEST(what_a_newer_agent_made_is_named_and_not_seen) {
    EngineContainer container = recorded();
    for (size_t i = 0; i < container.Config.Labels.count; i++)
        if (str_eq(container.Config.Labels.items[i].key, S(LABEL_FORMAT)))
            container.Config.Labels.items[i].value = S("2");
    EngineContainerList list = {&container, 1};
    SeenList seen;
    StrList newer;
    CHECK_OK(container_seen(
        &list, str_map_find(container.Config.Labels, S(LABEL_DEVICE)), &arena, &seen, &newer));
    CHECK(seen.count == 0 && newer.count == 1);
    CHECK_STR(newer.items[0], str_slice(container.Name, 1, container.Name.len));
}

TEST(containers_come_by_application) {
    EngineContainer all[] = {recorded(), recorded(), recorded()};
    const Str names[] = {S("till"), S("bar"), S("till")};
    Str device = str_map_find(all[0].Config.Labels, S(LABEL_DEVICE));
    for (size_t i = 0; i < 3; i++) {
        all[i].Config.Labels = labels_make(&(LabelsOwner){device, names[i]}, NULL, 0, &arena);
        all[i].Id = str_print(&arena, "%zu", 9 - i);
    }
    EngineContainerList list = {all, 3};
    SeenList seen;
    StrList newer;
    CHECK_OK(container_seen(&list, device, &arena, &seen, &newer));
    CHECK(seen.count == 3);
    CHECK_STR(seen.items[0].id, S("8"));
    CHECK_STR(seen.items[1].id, S("7"));
    CHECK_STR(seen.items[2].id, S("9"));
}

TEST(every_state_of_the_engine_has_ours) {
    static const struct {
        Str status;
        ContainerState state;
        bool is_dead;
    } cases[] = {
        {S("created"),     CONTAINER_CREATED,    false},
        {S("running"),     CONTAINER_RUNNING,    false},
        {S("paused"),      CONTAINER_RUNNING,    false},
        {S("restarting"),  CONTAINER_RESTARTING, false},
        {S("exited"),      CONTAINER_EXITED,     false},
        {S("dead"),        CONTAINER_EXITED,     true },
        {S("removing"),    CONTAINER_EXITED,     true },
        {S("of tomorrow"), CONTAINER_EXITED,     false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        EngineContainer container = recorded();
        container.State.Status = cases[i].status;
        Str device = str_map_find(container.Config.Labels, S(LABEL_DEVICE));
        SeenList seen;
        StrList newer;
        EngineContainerList list = {&container, 1};
        CHECK_OK(container_seen(&list, device, &arena, &seen, &newer));
        CHECK(seen.items[0].state == cases[i].state);
        CHECK(seen.items[0].is_dead == cases[i].is_dead);
    }
}

static ContainerPlan plan_of(const Service *service) {
    return (ContainerPlan){
        .owner = {S("device_01jdfq3t5hefbv1nq5a3x4k2zr"), S("shop")},
        .release_id = S("release_01jdfq3t5hefbv1nq5a3x4k2zr"),
        .service = service,
        .config = S("c0ffee0123"),
    };
}

static Str body_with(const Service *service, StrList entrypoint) {
    ContainerPlan plan = plan_of(service);
    plan.entrypoint = entrypoint;
    Text text;
    text_init(&text, CONTAINER_BODY_MAX);
    CHECK_OK(container_body(&plan, &arena, &text));
    Str json;
    CHECK_OK(json_canonical(&arena, text_str(&text), &json)); // it is JSON
    text_done(&text);
    return json;
}

static Str body_of(const Service *service) {
    return body_with(service, (StrList){});
}

static bool has(Str text, Str part) {
    for (size_t i = 0; i + part.len <= text.len; i++)
        if (str_starts(str_slice(text, i, text.len), part)) return true;
    return false;
}

TEST(a_service_becomes_what_the_engine_expects) {
    Str words[] = {S("serve"), S("--loud \"now\"")};
    StrPair variables[] = {
        {S("A"), S("1=2")},
        {S("B"), S("")   }
    };
    Port ports[] = {
        {.host = 80, .container = 8080, .protocol = PORT_TCP},
        {.host = 81, .container = 8080, .protocol = PORT_TCP},
        {.host = 53, .container = 53,   .protocol = PORT_UDP},
    };
    ports[0].address = S("127.0.0.1");
    Volume volumes[] = {
        {S("data"),    S("/data"), false},
        {S("/etc/tz"), S("/tz"),   true }
    };
    Str test[] = {S("wget"), S("-q")};
    Service service = {
        .name = S("web"),
        .image = S(IMAGE),
        .command = {words,     2},
        .environment = {variables, 2},
        .ports = {ports,     3},
        .volumes = {volumes,   2},
        .restart = RESTART_UNLESS_STOPPED,
    };
    service.healthcheck.test = (StrList){test, 2};
    service.healthcheck.interval.ms = 1000;
    Str body = body_of(&service);
    CHECK(has(body, S("\"Cmd\":[\"serve\",\"--loud \\\"now\\\"\"]")));
    CHECK(has(body, S("\"Env\":[\"A=1=2\",\"B=\"]")));
    CHECK(has(body, S("\"ExposedPorts\":{\"53/udp\":{},\"8080/tcp\":{}}")));
    CHECK(has(body,
              S("\"8080/tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"80\"},"
                "{\"HostPort\":\"81\"}]")));
    CHECK(has(body, S("\"Source\":\"shop_data\"")) && has(body, S("\"Source\":\"/etc/tz\"")));
    CHECK(has(body, S("\"Test\":[\"CMD\",\"wget\",\"-q\"]")));
    CHECK(has(body, S("\"Interval\":1000000000")));
    CHECK(has(body, S("\"RestartPolicy\":{\"Name\":\"unless-stopped\"}")));
    CHECK(has(body, S("\"shop_default\":{\"Aliases\":[\"web\"]}")));
    CHECK(has(body, S("\"io.muster.config\":\"c0ffee0123\"")));
    CHECK(has(body, S("\"io.muster.managed\":\"true\"")));
    CHECK(has(body, S("\"NetworkMode\":\"shop_default\"")));
}

TEST(names_say_which_application_which_service_and_which_version_of_it) {
    Service service = {.name = S("web"), .image = S(IMAGE)};
    ContainerPlan plan = plan_of(&service);
    CHECK_STR(container_name(&plan, &arena), S("shop.web.c0ffee"));
    CHECK_STR(container_network(S("shop"), &arena), S("shop_default"));
    CHECK_STR(container_volume(S("shop"), S("data"), &arena), S("shop_data"));
}

TEST(the_least_service_inherits_everything_from_its_image) {
    Service service = {.name = S("web"), .image = S(IMAGE)};
    Str body = body_of(&service);
    CHECK(!has(body, S("\"Cmd\"")) && !has(body, S("\"Entrypoint\"")));
    CHECK(!has(body, S("\"Healthcheck\"")) && !has(body, S("\"Env\"")));
    CHECK(has(body, S("\"max-size\":\"10m\"")));
}

TEST(a_command_that_is_empty_is_not_the_one_of_the_image) {
    Str none[1] = {};
    Service service = {.name = S("web"), .image = S(IMAGE)};
    service.command = (StrList){none, 0};
    Str body = body_of(&service);
    CHECK(has(body, S("\"Cmd\":[]")) && !has(body, S("\"Entrypoint\"")));
    // Beside the entrypoint of its image, without which the engine would not clear it.
    CHECK(container_clears_command(&service));
    Str entrypoint[] = {S("/init")};
    body = body_with(&service, (StrList){entrypoint, 1});
    CHECK(has(body, S("\"Cmd\":[]")) && has(body, S("\"Entrypoint\":[\"/init\"]")));
    service.entrypoint = (StrList){none, 0};
    body = body_of(&service);
    CHECK(has(body, S("\"Cmd\":[]")) && has(body, S("\"Entrypoint\":[]")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_container_of_a_real_engine_is_understood),
        CASE(containers_of_other_devices_and_of_nobody_are_not_seen),
        CASE(what_a_newer_agent_made_is_named_and_not_seen),
        CASE(containers_come_by_application),
        CASE(every_state_of_the_engine_has_ours),
        CASE(names_say_which_application_which_service_and_which_version_of_it),
        CASE(a_service_becomes_what_the_engine_expects),
        CASE(the_least_service_inherits_everything_from_its_image),
        CASE(a_command_that_is_empty_is_not_the_one_of_the_image),
    };
    arena_init(&arena, 16 * 1024 * 1024);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed == 0 ? 0 : 1;
}
