// SPDX-License-Identifier: Apache-2.0
#include "cli/compose.h"

#include "base/scope.h"
#include "test.h"

#include <string.h>

enum { TEST_ARENA_MAX = 16 * 1024 * 1024 };
#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define WEB "services:\n  web:\n    image: shop/web@" DIGEST "\n"

static Service service_of(const char *text, Arena *arena) {
    Faults faults;
    faults_init(&faults, arena);
    Compose compose = {};
    Err err = compose_decode(str_from(text), arena, &faults, &compose);
    if (err.code != OK)
        fail_msg("%s: %.*s: %.*s",
                 err.what,
                 STR_FMT(faults.items[0].pointer),
                 STR_FMT(faults.items[0].allowed));
    CHECK_OK(compose_check(&compose.manifest, arena, &faults));
    return compose.manifest.services.items[0];
}

/// "POINTER: ALLOWED" of each fault, one a line.
static Str faults_of(const char *text, Arena *arena) {
    Faults faults;
    faults_init(&faults, arena);
    Compose compose = {};
    CHECK_ERR(compose_decode(str_from(text), arena, &faults, &compose), ERR_INVALID);
    Str all = S("");
    for (size_t i = 0; i < faults.count; i++)
        all = str_print(arena,
                        "%.*s%.*s: %.*s\n",
                        STR_FMT(all),
                        STR_FMT(faults.items[i].pointer),
                        STR_FMT(faults.items[i].allowed));
    return all;
}

static void check_refused(const char *text, const char *expected) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TEST_ARENA_MAX);
    Str got = faults_of(text, &arena);
    if (!strstr(got.ptr, expected)) fail_msg("%s\ngives: %s\nnot: %s", text, got.ptr, expected);
}

TEST(a_whole_file_becomes_a_manifest) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TEST_ARENA_MAX);
    Faults faults;
    faults_init(&faults, &arena);
    Compose compose;
    CHECK_OK(compose_decode(S("name: shop\nversion: '3'\nvolumes:\n  data:\n  more: {}\n" WEB
                              "    depends_on: [db]\n"
                              "  db:\n    image: db:1\n    volumes: ['data:/data']\n"),
                            &arena,
                            &faults,
                            &compose));
    CHECK_STR(compose.name, S("shop"));
    CHECK(compose.manifest.services.count == 2);
    CHECK_STR(compose.manifest.services.items[0].name, S("web"));
    CHECK_STR(compose.manifest.services.items[1].image, S("db:1"));
    CHECK(compose.manifest.services.items[0].restart == RESTART_ALWAYS);
}

TEST(commands_are_lists_or_split_like_a_shell_does) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TEST_ARENA_MAX);
    Service service = service_of(WEB "    command: serve 'a b' \"c \\\"d\" e\\ f ''\n"
                                     "    entrypoint: [/bin/sh, -c, \"echo $$HOME\"]\n",
                                 &arena);
    const Str expected[] = {S("serve"), S("a b"), S("c \"d"), S("e f"), S("")};
    CHECK(service.command.count == 5);
    for (size_t i = 0; i < 5; i++)
        CHECK_STR(service.command.items[i], expected[i]);
    CHECK(service.entrypoint.count == 3);
    CHECK_STR(service.entrypoint.items[2], S("echo $HOME"));
}

/// The manifest's canonical JSON of a Compose file with one service.
static Str manifest_of(const char *compose_text, Arena *arena) {
    Service service = service_of(compose_text, arena);
    Manifest manifest = {
        .services = {&service, 1}
    };
    Document document;
    CHECK_OK(manifest_publish(&manifest, arena, &document));
    return document.text;
}

TEST(an_empty_command_clears_the_one_of_the_image) {
    static const struct {
        const char *lines;
        const char *command; ///< in the manifest; NULL: the image's own
        const char *entrypoint;
    } cases[] = {
        {"",                                           NULL,               NULL                },
        {"    command:\n    entrypoint: null\n",       NULL,               NULL                },
        {"    command: []\n",                          "\"command\":[]",   NULL                },
        {"    command: ''\n",                          "\"command\":[]",   NULL                },
        {"    entrypoint: []\n    command: [serve]\n", "\"command\":[\"s", "\"entrypoint\":[],"},
        {"    entrypoint: ''\n",                       NULL,               "\"entrypoint\":[],"},
    };
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TEST_ARENA_MAX);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        Str text = str_print(&arena, WEB "%s", cases[i].lines);
        const char *json = manifest_of(text.ptr, &arena).ptr;
        CHECK(cases[i].command ? strstr(json, cases[i].command) != NULL
                               : strstr(json, "\"command\"") == NULL);
        CHECK(cases[i].entrypoint ? strstr(json, cases[i].entrypoint) != NULL
                                  : strstr(json, "\"entrypoint\"") == NULL);
    }
}

TEST(environment_is_a_map_or_a_list) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TEST_ARENA_MAX);
    Service map = service_of(WEB "    environment: {A: 1, B: \"x=y\", C: ''}\n", &arena);
    Service list = service_of(WEB "    environment: [A=1, B=x=y, C=]\n", &arena);
    CHECK(map.environment.count == 3 && list.environment.count == 3);
    for (size_t i = 0; i < 3; i++) {
        CHECK_STR(map.environment.items[i].key, list.environment.items[i].key);
        CHECK_STR(map.environment.items[i].value, list.environment.items[i].value);
    }
    CHECK_STR(str_map_find(map.environment, S("B")), S("x=y"));
}

TEST(ports_have_short_and_long_forms) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TEST_ARENA_MAX);
    Service service = service_of(WEB "    ports: ['8080:80', '127.0.0.1:8081:80/udp',\n"
                                     "            '[::1]:8082:80/tcp',\n"
                                     "            {target: 80, published: '8083', host_ip: "
                                     "10.0.0.1, protocol: udp}]\n",
                                 &arena);
    CHECK(service.ports.count == 4);
    const Port *ports = service.ports.items;
    CHECK(ports[0].host == 8080 && ports[0].container == 80 && ports[0].protocol == PORT_TCP);
    CHECK(!ports[0].address.ptr);
    CHECK(ports[1].host == 8081 && ports[1].protocol == PORT_UDP);
    CHECK_STR(ports[1].address, S("127.0.0.1"));
    CHECK(ports[2].host == 8082);
    CHECK_STR(ports[2].address, S("::1"));
    CHECK(ports[3].host == 8083 && ports[3].container == 80 && ports[3].protocol == PORT_UDP);
    CHECK_STR(ports[3].address, S("10.0.0.1"));
}

TEST(volumes_have_short_and_long_forms) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TEST_ARENA_MAX);
    Service service = service_of("volumes: {data: }\n" WEB
                                 "    volumes: ['data:/data', '/etc/x:/x:ro', '/y:/y:rw',\n"
                                 "              {type: bind, source: /z, target: /z, read_only: "
                                 "true}]\n",
                                 &arena);
    CHECK(service.volumes.count == 4);
    const Volume *volumes = service.volumes.items;
    CHECK_STR(volumes[0].source, S("data"));
    CHECK_STR(volumes[0].target, S("/data"));
    CHECK(!volumes[0].read_only && volumes[1].read_only && !volumes[2].read_only);
    CHECK(volumes[3].read_only);
}

TEST(dependencies_and_health_checks_keep_their_terms) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TEST_ARENA_MAX);
    Service service =
        service_of(WEB "    depends_on: {db: {condition: service_healthy}, mq: {condition: "
                       "service_started}}\n"
                       "    healthcheck: {test: 'wget -q x', interval: 1m30s, retries: 5}\n"
                       "    restart: 'no'\n"
                       "  db: {image: 'd@" DIGEST "', healthcheck: {test: [CMD, a], timeout: 5s,"
                       " start_period: 2s}}\n"
                       "  mq: {image: 'm@" DIGEST "'}\n",
                   &arena);
    CHECK(service.depends_on.count == 2);
    CHECK(service.depends_on.items[0].condition == DEPENDS_HEALTHY);
    CHECK(service.depends_on.items[1].condition == DEPENDS_STARTED);
    CHECK_STR(service.healthcheck.test.items[0], S("CMD-SHELL"));
    CHECK_STR(service.healthcheck.test.items[1], S("wget -q x"));
    CHECK(service.healthcheck.interval.ms == 90'000 && service.healthcheck.timeout.ms == 30'000);
    CHECK(service.healthcheck.retries == 5);
    CHECK(service.restart == RESTART_NO);
}

TEST(what_is_not_supported_is_refused_by_name_and_line) {
    static const struct {
        const char *text;
        const char *fault;
    } cases[] = {
        {WEB "    build: .\n",                                                      "services.web.build (line 4): not supported; supported: image, "},
        {WEB "networks: {}\n",                                                      "networks (line 4): not supported; supported: name, services"   },
        {WEB "    healthcheck: {disable: true}\n",                                  "healthcheck.disable (line 4): not supported"                   },
        {WEB "    healthcheck: {test: [NONE]}\n",                                   "must begin with CMD or CMD-SHELL"                              },
        {WEB "    command: echo ${X}\n",                                            "variables are not supported"                                   },
        {WEB "    command: echo $\n",                                               "variables are not supported"                                   },
        {WEB "    command: echo 'x\n",                                              "must close its quotes"                                         },
        {WEB "    command: echo x\\\n",                                             "must not end in a backslash"                                   },
        {WEB "    environment: {A: }\n",                                            "nothing is taken from your shell"                              },
        {WEB "    environment: [A]\n",                                              "must be KEY=VALUE"                                             },
        {WEB "    environment: [A=1, A=2]\n",                                       "environment[1] (line 4): A is given again"                     },
        {WEB "    ports: ['80']\n",                                                 "services.web.ports[0] (line 4): must be [ADDRESS:]HOST"        },
        {WEB "    ports: ['80-90:80']\n",                                           "must have a number for \"80-90\""                              },
        {WEB "    ports: ['80:80/sctp']\n",                                         "protocol tcp or udp"                                           },
        {WEB "    ports: [{target: 80}]\n",                                         "must have a target and a published port"                       },
        {WEB "    volumes: ['./x:/x']\n",                                           "absolute path of the device"                                   },
        {WEB "    volumes: ['data:/x']\n",                                          "names the volume \"data\", which is not declared"              },
        {WEB "    volumes: ['/x']\n",                                               "must be SOURCE:/TARGET"                                        },
        {WEB "    volumes: ['/x:/x:z']\n",                                          "must be SOURCE:/TARGET"                                        },
        {WEB "    volumes: [{type: tmpfs, source: /a, target: /b}]\n",              "must be volume or bind"                                        },
        {"volumes: {a: {driver: nfs}}\n" WEB,                                       "volumes.a (line 1): options of a volume"                       },
        {WEB "    depends_on: {db: {condition: service_completed_successfully}}\n",
         "must be service_started or service_healthy"                                                                                               },
        {WEB "    restart: sometimes\n",                                            "must be always, unless-stopped"                                },
        {WEB "    image: again\n",                                                  "services.web.image (line 3): is given again in line 4"         },
        {"services: {web: {command: x}}\n",                                         "services.web (line 1): must have an image"                     },
        {"services: {}\n",                                                          "must be a map with a service"                                  },
        {"name: x\n",                                                               "must have services"                                            },
        {"a: &x 1\n",                                                               "anchors and tags are not supported"                            },
        {"a: *x\n",                                                                 "aliases are not supported"                                     },
        {"a: !!int 1\n",                                                            "anchors and tags are not supported"                            },
        {"[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]\n",                                     "this is nested too deeply"                                     },
        {"{[a]: 1}\n",                                                              "a key must be a text"                                          },
        {"a: 1\n---\nb: 1\n",                                                       "only one document is allowed"                                  },
        {"",                                                                        "the file is empty"                                             },
        {"a: 'x\n",                                                                 "(line 2)"                                                      },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_refused(cases[i].text, cases[i].fault);
}

TEST(every_problem_is_reported_at_once) {
    const char *text = WEB "    build: .\n    ports: ['80']\n    privileged: true\n";
    check_refused(text, "build (line 4)");
    check_refused(text, "ports[0] (line 5)");
    check_refused(text, "privileged (line 6)");
}

TEST(a_file_over_its_size_is_a_limit) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TEST_ARENA_MAX);
    Faults faults;
    faults_init(&faults, &arena);
    char *text = arena_alloc(&arena, 256 * 1024 + 2, 1);
    memset(text, ' ', 256 * 1024 + 1);
    Compose compose;
    CHECK_ERR(compose_decode(str_from(text), &arena, &faults, &compose), ERR_LIMIT);
}

TEST(what_the_server_would_refuse_is_refused_before) {
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, TEST_ARENA_MAX);
    Faults faults;
    faults_init(&faults, &arena);
    Compose compose;
    CHECK_OK(compose_decode(S("services: {web: {image: 'a:1', ports: ['99999:80'], depends_on: "
                              "[x]}}"),
                            &arena,
                            &faults,
                            &compose));
    CHECK_ERR(compose_check(&compose.manifest, &arena, &faults), ERR_INVALID);
    CHECK_STR(faults.items[0].pointer, S("/services/0/image"));
    CHECK_STR(faults.items[1].pointer, S("/services/0/ports/0/host"));
}

TEST_MAIN(CASE(a_whole_file_becomes_a_manifest),
          CASE(commands_are_lists_or_split_like_a_shell_does),
          CASE(an_empty_command_clears_the_one_of_the_image),
          CASE(environment_is_a_map_or_a_list),
          CASE(ports_have_short_and_long_forms),
          CASE(volumes_have_short_and_long_forms),
          CASE(dependencies_and_health_checks_keep_their_terms),
          CASE(what_is_not_supported_is_refused_by_name_and_line),
          CASE(every_problem_is_reported_at_once),
          CASE(a_file_over_its_size_is_a_limit),
          CASE(what_the_server_would_refuse_is_refused_before))
