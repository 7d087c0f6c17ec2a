// SPDX-License-Identifier: Apache-2.0
#include "control/servers.h"

#include "base/scope.h"
#include "io/certificate.h"
#include "test.h"
#include "wire/token_text.h"

enum { NOW_MS = 1'000'000 };

#define FINGERPRINT S("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")

#define ARENA(name)                     \
    SCOPED(arena_done) Arena name = {}; \
    arena_init(&name, 1 << 18)

static Str pem_for(const char *host, Arena *arena) {
    Certificate ca, server;
    Str name = str_from(host);
    CHECK_OK(certificate_make_ca(S("CA"), NOW_MS, 1, arena, &ca));
    CHECK_OK(certificate_make_server(&ca, (StrList){&name, 1}, NOW_MS, 1, arena, &server, NULL));
    return server.cert_pem;
}

/// The settings of a file with these lines.
static Err config_of(const char *servers, const char *authority, Arena *arena, Config *config) {
    StrPair pairs[] = {
        {S("authority"), str_from(authority)},
        {S("servers"),   str_from(servers)  }
    };
    Faults faults;
    faults_init(&faults, arena);
    return schema_decode_pairs(&Config_schema, pairs, servers ? 2 : 1, arena, &faults, config);
}

static Servers made(const Config *config, const char *host, Arena *arena) {
    Servers servers;
    CHECK_OK(servers_make(config, pem_for(host, arena), S("PEM"), arena, &servers, NULL));
    return servers;
}

TEST(without_a_setting_this_server_is_told_by_the_name_in_its_certificate) {
    static const char *const hosts[][2] = {
        {"muster.example.org", "https://muster.example.org:7443"},
        {"192.0.2.1",          "https://192.0.2.1:7443"         },
        {"2001:db8::1",        "https://[2001:db8::1]:7443"     },
    };
    ARENA(arena);
    Config config;
    CHECK_OK(config_of(NULL, "own", &arena, &config));
    for (size_t i = 0; i < 3; i++) {
        Servers servers = made(&config, hosts[i][0], &arena);
        CHECK(servers.servers.count == 1);
        CHECK_STR(servers.servers.items[0].url, str_from(hosts[i][1]));
        CHECK(servers.authorities.count == 1);
        CHECK_STR(servers.authorities.items[0], S("PEM"));
        CHECK_STR(servers_authority(&servers, FINGERPRINT), FINGERPRINT);
    }
}

TEST(a_setting_names_them_all_and_who_signs_for_them) {
    ARENA(arena);
    Config config;
    CHECK_OK(
        config_of("https://a.example.org,https://b.example.org:8443", "public", &arena, &config));
    Servers servers = made(&config, "x", &arena);
    CHECK(servers.servers.count == 2 && servers.authorities.count == 0);
    CHECK_STR(servers.servers.items[1].url, S("https://b.example.org:8443"));
    CHECK_STR(servers_authority(&servers, FINGERPRINT), S(AUTHORITY_PUBLIC));
    CHECK_OK(config_of("http://127.0.0.1:7443", "own", &arena, &config));
    servers = made(&config, "x", &arena);
    CHECK(!servers_authority(&servers, FINGERPRINT).ptr);
}

TEST(the_digest_names_the_list_and_nothing_else) {
    static const char *const lists[] = {
        "https://a", "https://b", "https://a,https://b", "https://b,https://a"};
    ARENA(arena);
    Str seen[5] = {};
    for (size_t i = 0; i < 5; i++) {
        Config config;
        CHECK_OK(config_of(lists[i % 4], i < 4 ? "own" : "public", &arena, &config));
        seen[i] = made(&config, "x", &arena).digest;
        CHECK(Pattern_digest.matches(seen[i]));
        CHECK_STR(made(&config, "another", &arena).digest, seen[i]);
        for (size_t before = 0; before < i; before++)
            CHECK(!str_eq(seen[before], seen[i]));
    }
}

TEST(a_setting_that_is_no_url_is_refused) {
    static const char *const wrong[] = {
        "ftp://a", "https://", "https://a/path", "a.example.org", "https://a b"};
    ARENA(arena);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        Config config;
        CHECK_ERR(config_of(wrong[i], "own", &arena, &config), ERR_INVALID);
    }
}

TEST_MAIN(CASE(without_a_setting_this_server_is_told_by_the_name_in_its_certificate),
          CASE(a_setting_names_them_all_and_who_signs_for_them),
          CASE(the_digest_names_the_list_and_nothing_else),
          CASE(a_setting_that_is_no_url_is_refused))
