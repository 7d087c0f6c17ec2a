// SPDX-License-Identifier: Apache-2.0
/// Asking an image registry (OCI distribution) which digest a tag stands for now.
#pragma once

#include "base/arena.h"
#include "base/str.h"

/// The parts of an image's name.
typedef struct ImageName {
    Str registry;   ///< host[:port] to ask
    Str repository; ///< there: "library/nginx"
    Str full;       ///< as a release names it, without tag: "docker.io/library/nginx"
    Str tag;        ///< "latest" when there is none
} ImageName;

/// Split `image`, without a digest. What has no registry is Docker Hub's, as engines have it.
/// ERR_INVALID: not an image's name. ERR_LIMIT: arena exhausted.
Err image_parse(Str image, Arena *arena, ImageName *ret_name);
/// "repository:tag@digest" without its tag; anything else as it is.
Str image_without_tag(Str image, Arena *arena);
/// "repository@sha256:..." of `image` in `arena`: HTTPS, but HTTP for loopback registries or if
/// `insecure`; Docker Hub is asked for an anonymous token first. ERR_NOT_FOUND: it has no
/// such image. ERR_INVALID: not a name. ERR_UNAUTHENTICATED: it wants more than an anonymous
/// token. ERR_UNAVAILABLE, ERR_TIMEOUT: no answer.
/// The Reason as of http_client_call.
Err image_resolve(Str image, bool insecure, Arena *arena, Str *ret_pinned, Reason *reason);
