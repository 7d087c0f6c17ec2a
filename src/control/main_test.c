// SPDX-License-Identifier: Apache-2.0
/// The words of musterd's command line, by the program itself.
#include "folder.h"
#include "io/file.h"
#include "program.h"
#include "test.h"

#include <stdlib.h>

#define KEY_HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define CHECK_MUSTERD(words, code, part) CHECK_ENDS(getenv("MUSTERD"), words, code, part)

typedef struct Fixture {
    char folder[64], data[96], words[512];
} Fixture;

static int setup(void **test_state) {
    Fixture *f = calloc(1, sizeof(*f));
    *test_state = f;
    snprintf(f->folder, sizeof(f->folder), "/tmp/musterd-main-XXXXXX");
    if (!mkdtemp(f->folder)) return -1;
    snprintf(f->data, sizeof(f->data), "%s/data", f->folder);
    return 0;
}

static int teardown(void **test_state) {
    Fixture *f = *test_state;
    int rc = folder_remove(f->folder);
    free(f);
    return rc;
}

/// "VERB --data DIR REST"
static const char *with_data(Fixture *f, const char *verb, const char *rest) {
    snprintf(f->words, sizeof(f->words), "%s --data %s %s", verb, f->data, rest);
    return f->words;
}

static void settings(Fixture *f, const char *lines) {
    char path[128];
    snprintf(path, sizeof(path), "%s/musterd.conf", f->data);
    CHECK_OK(file_save(path, str_from(lines), 0600, NULL));
}

TEST(it_says_what_it_is_and_how_it_is_used) {
    CHECK_MUSTERD("version", EXIT_OK, "musterd " MUSTER_VERSION "\n");
    CHECK_MUSTERD("--version", EXIT_OK, "musterd " MUSTER_VERSION "\n");
    CHECK_MUSTERD("help", EXIT_OK, "musterd check-config --data DIR");
    CHECK_MUSTERD("--help", EXIT_OK, "musterd init --data DIR");
}

TEST(a_wrong_command_line_is_told_and_is_exit_code_2) {
    static const char *const rows[][2] = {
        {"",                         "musterd: the control plane of Muster"  },
        {"fly",                      "no verb fly; see musterd help"         },
        {"run",                      "--data DIR is needed; see musterd help"},
        {"init --data",              "requires an argument"                  },
        {"init --data /tmp/x words", "too many words; see musterd help"      },
        {"run --data /tmp/x --loud", "unrecognized option '--loud'"          },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_MUSTERD(rows[i][0], EXIT_USAGE, rows[i][1]);
    CHECK_MUSTERD(
        "init --data /tmp/x $(printf ' --host %d' $(seq 17))", EXIT_USAGE, "at most 16 --host");
}

TEST(a_folder_is_set_up_once_and_more_organisations_are_added_to_it) {
    Fixture *f = *test_state;
    Said said = program_run(getenv("MUSTERD"),
                            with_data(f, "init", "--org acme --owner ada --host h.test"));
    CHECK(said.code == EXIT_OK);
    CHECK(strstr(said.text, "organisation    acme\n")
          && strstr(said.text, "owner           ada\n"));
    CHECK(strstr(said.text, "password        ") && strstr(said.text, "ca-fingerprint  "));
    CHECK(strstr(said.text, "muster login --server https://HOST:PORT --ca-fingerprint "));
    CHECK_MUSTERD(with_data(f, "init", "--org other"),
                  EXIT_CONFLICT,
                  "this folder is set up already; see musterd add-org");
    CHECK_MUSTERD(with_data(f, "add-org", "--org other"), EXIT_OK, "owner           owner\n");
    CHECK_MUSTERD(with_data(f, "add-org", "--org other"),
                  EXIT_CONFLICT,
                  "an organisation of that name is there already");
    CHECK_MUSTERD(with_data(f, "add-org", "--org 'No Slug'"), EXIT_INVALID, "--org must be a slug");
    CHECK_MUSTERD(
        with_data(f, "add-org", "--org x --owner ''"), EXIT_INVALID, "--owner must be a slug");
}

TEST(what_was_never_set_up_is_named) {
    Fixture *f = *test_state;
    CHECK_MUSTERD(with_data(f, "add-org", "--org acme"), EXIT_NOT_FOUND, "/data/token.key");
    CHECK_MUSTERD(with_data(f, "run", ""), EXIT_NOT_FOUND, "/data/token.key");
    CHECK_MUSTERD(with_data(f, "init", "--host 'not a host'"), EXIT_INVALID, "not a host");
    snprintf(f->data, sizeof(f->data), "%s/no/such", f->folder);
    CHECK_MUSTERD(with_data(f, "init", ""), EXIT_LOCAL, "/no/such");
}

TEST(a_key_that_is_given_takes_the_place_of_the_one_in_the_folder) {
    Fixture *f = *test_state;
    char path[96], words[160];
    snprintf(path, sizeof(path), "%s/new.key", f->folder);
    snprintf(words, sizeof(words), "--new-master-key %s", path);
    CHECK_MUSTERD(with_data(f, "init", ""), EXIT_OK, "password");
    CHECK_MUSTERD(with_data(f, "rotate-key", words), EXIT_NOT_FOUND, "/new.key");
    CHECK_OK(file_save(path, S(KEY_HEX "\n"), 0600, NULL));
    CHECK_MUSTERD(with_data(f, "rotate-key", words), EXIT_OK, "sealed under key ");
    CHECK_MUSTERD(with_data(f, "add-org", "--org acme"), EXIT_CONFLICT, "sealed under another key");
    snprintf(words, sizeof(words), "--org acme --master-key %s", path);
    CHECK_MUSTERD(with_data(f, "add-org", words), EXIT_OK, "organisation    acme");
    snprintf(words, sizeof(words), "--master-key %s", path);
    CHECK_MUSTERD(with_data(f, "rotate-key", words), EXIT_OK, "sealed under key ");
    snprintf(words, sizeof(words), "--org more --master-key %s", path);
    CHECK_MUSTERD(with_data(f, "add-org", words), EXIT_OK, "organisation    more");
}

TEST(settings_are_judged_one_by_one) {
    Fixture *f = *test_state;
    CHECK_MUSTERD(with_data(f, "init", ""), EXIT_OK, "password");
    CHECK_MUSTERD(with_data(f, "check-config", ""), EXIT_OK, "");
    settings(f, "port = 70000\nheartbeat = often\n");
    Said said = program_run(getenv("MUSTERD"), with_data(f, "check-config", ""));
    CHECK(said.code == EXIT_INVALID);
    CHECK(strstr(said.text, "musterd: setting port: ") && strstr(said.text, "setting heartbeat: "));
    CHECK_MUSTERD(with_data(f, "run", ""), EXIT_INVALID, "setting port: ");
    CHECK_MUSTERD(with_data(f, "check-config", "--config /nonexistent.conf"),
                  EXIT_NOT_FOUND,
                  "/nonexistent.conf");
}

TEST(an_address_that_is_not_this_machines_is_named) {
    Fixture *f = *test_state;
    CHECK_MUSTERD(with_data(f, "init", ""), EXIT_OK, "password");
    settings(f, "address = 192.0.2.1\n");
    Said said = program_run(getenv("MUSTERD"), with_data(f, "run", ""));
    CHECK(said.code != EXIT_OK && strstr(said.text, "musterd run: "));
    CHECK(strstr(said.text, "192.0.2.1"));
}

#define CASE_HERE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
TEST_MAIN(CASE(it_says_what_it_is_and_how_it_is_used),
          CASE(a_wrong_command_line_is_told_and_is_exit_code_2),
          CASE_HERE(a_folder_is_set_up_once_and_more_organisations_are_added_to_it),
          CASE_HERE(what_was_never_set_up_is_named),
          CASE_HERE(a_key_that_is_given_takes_the_place_of_the_one_in_the_folder),
          CASE_HERE(settings_are_judged_one_by_one),
          CASE_HERE(an_address_that_is_not_this_machines_is_named))
