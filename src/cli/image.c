// SPDX-License-Identifier: Apache-2.0
// Names of images.
#include "cli/registry.h"

#include <string.h>

#define HUB "registry-1.docker.io"

/// The part before the first slash is a registry: it has a dot or a port, or is localhost.
static bool image_is_registry(Str part) {
    return str_index(part, '.', 0) < part.len || str_index(part, ':', 0) < part.len
           || str_eq(part, S("localhost"));
}

static bool image_is_clean(Str text, const char *others) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && (c == '\0' || !strchr(others, c))) return false;
    }
    return text.len > 0;
}

/// Where the tag's colon is: behind the last slash; `image.len` if there is none.
static size_t image_tag_at(Str image) {
    size_t from = 0;
    for (size_t i = 0; i < image.len; i++)
        if (image.ptr[i] == '/') from = i;
    return str_index(image, ':', from);
}

Err image_parse(Str image, Arena *arena, ImageName *ret_name) {
    size_t colon = image_tag_at(image);
    ImageName name = {.tag = S("latest")};
    if (colon < image.len) name.tag = str_slice(image, colon + 1, image.len);
    Str path = str_slice(image, 0, colon);
    Str rest = path;
    Str first = {};
    (void)str_cut(&rest, '/', &first);
    if (rest.ptr && image_is_registry(first)) {
        name.registry = first;
        name.repository = rest;
        name.full = path;
    } else {
        name.registry = S("docker.io");
        name.repository = rest.ptr ? path : str_print(arena, "library/%.*s", STR_FMT(path));
        name.full = str_print(arena, "docker.io/%.*s", STR_FMT(name.repository));
    }
    if (str_eq(name.registry, S("docker.io"))) name.registry = S(HUB);
    if (!image_is_clean(name.registry, ".-:") || !image_is_clean(name.repository, "._-/")
        || !image_is_clean(name.tag, "._-ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        return FAIL(ERR_INVALID, "this is not the name of an image");
    TRY(arena_check(arena));
    *ret_name = name;
    return SUCCESS;
}

Str image_without_tag(Str image, Arena *arena) {
    size_t at = str_index(image, '@', 0);
    Str path = str_slice(image, 0, at);
    return str_print(arena,
                     "%.*s%.*s",
                     STR_FMT(str_slice(path, 0, image_tag_at(path))),
                     STR_FMT(str_slice(image, at, image.len)));
}
