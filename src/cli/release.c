// SPDX-License-Identifier: Apache-2.0
// Making a release from a Compose file.
#include "api/release.h"
#include "base/scope.h"
#include "cli/api.h"
#include "cli/compose.h"
#include "cli/registry.h"
#include "cli/yaml_tree.h"
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { BODY_MAX = 512 * 1024 };

/// The file may be a link or a pipe: it is the operator's own.
static Err release_file_read(Cli *cli, Str name, Str *ret_text) {
    if (str_eq(name, S("-")))
        return reason_about(&cli->said,
                            fd_load(STDIN_FILENO, YAML_BYTES_MAX, &cli->arena, ret_text),
                            "standard input");
    Str path = str_dup(&cli->arena, name);
    TRY(arena_check(&cli->arena));
    SCOPED(fd_closep) int fd = open(path.ptr, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return cli_fail(cli, ERR_NOT_FOUND, "there is no file \"%.*s\"", STR_FMT(name));
    Err err = fd < 0 ? FAIL_SYS("cannot open") : fd_load(fd, YAML_BYTES_MAX, &cli->arena, ret_text);
    return reason_about(&cli->said, err, "%s", path.ptr);
}

/// Ask the registries for the digest of every image that is named by its tag only.
static Err release_images_pin(Cli *cli, Manifest *manifest) {
    bool resolves = !cli_option(cli, "no-resolve").ptr;
    bool insecure = cli_option(cli, "insecure-registry").ptr != NULL;
    for (size_t i = 0; i < manifest->services.count; i++) {
        Service *service = &manifest->services.items[i];
        if (str_index(service->image, '@', 0) < service->image.len) {
            service->image = image_without_tag(service->image, &cli->arena);
            continue;
        }
        Str place = str_print(&cli->arena, "services.%.*s.image", STR_FMT(service->name));
        if (!resolves) {
            faults_add(&cli->faults, place, "must have a digest, since --no-resolve was given");
            continue;
        }
        Str pinned = {};
        Reason said = {};
        Err err = image_resolve(service->image, insecure, &cli->arena, &pinned, &said);
        if (err.code != OK && err.code != ERR_INVALID && err.code != ERR_NOT_FOUND)
            return cli_fail(cli,
                            err.code,
                            "%.*s: %s%s%s",
                            STR_FMT(service->image),
                            err.what,
                            said.text[0] ? ": " : "",
                            said.text);
        if (err.code != OK) {
            faults_add(&cli->faults, place, "%.*s: %s", STR_FMT(service->image), err.what);
        } else {
            fprintf(cli->err, "%.*s is %.*s\n", STR_FMT(service->image), STR_FMT(pinned));
            service->image = pinned;
        }
    }
    TRY(arena_check(&cli->arena));
    return faults_check(&cli->faults);
}

static Err release_send(Cli *cli, const Verb *verb, const Release *release) {
    SCOPED(text_done) Text body;
    text_init(&body, BODY_MAX);
    schema_encode(&Release_schema, release, ENCODE_REQUEST, &body);
    TRY(text_check(&body));
    const ApiCall call = {.method = method_name(verb->endpoint->method),
                          .target = str_from(verb->endpoint->path),
                          .body = text_str(&body)};
    Str reply;
    TRY(api_send(cli, &call, &cli->arena, &reply));
    Release made;
    TRY(api_decode(cli, &Release_schema, reply, &cli->arena, &made));
    return cli_show(cli, &Release_schema, &made);
}

Err release_run(Cli *cli, const Verb *verb) {
    Str file, version, text;
    TRY(cli_need(cli, "file", &file));
    TRY(cli_need(cli, "version", &version));
    TRY(release_file_read(cli, file, &text));
    Compose compose;
    Err err = compose_decode(text, &cli->arena, &cli->faults, &compose);
    if (err.code == ERR_INVALID)
        return cli_fail(cli, ERR_INVALID, "%.*s cannot be a release", STR_FMT(file));
    TRY(err);
    Str application = cli_option(cli, "application");
    if (!application.ptr) application = compose.name;
    if (!application.ptr) return cli_usage(cli, "the file has no name: give --application");
    TRY(release_images_pin(cli, &compose.manifest));
    TRY(compose_check(&compose.manifest, &cli->arena, &cli->faults));
    const Release release = {
        .application = application, .version = version, .manifest = compose.manifest};
    return release_send(cli, verb, &release);
}
