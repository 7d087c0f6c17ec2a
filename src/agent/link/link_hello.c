// SPDX-License-Identifier: Apache-2.0
#include "agent/link/link_parts.h"

#include <string.h>

void link_failed(Link *link, Str digest) {
    Str kept = str_slice(digest, 0, DIGEST_LEN);
    memcpy(link->failed, kept.ptr, kept.len);
    link->failed[kept.len] = '\0';
    link->failed_ms = clock_monotonic_ms();
}

Err link_hello(Link *link,
               Tie *tie,
               const Challenge *challenge,
               Bytes binding,
               Arena *arena,
               Hello *ret_hello) {
    Hello hello;
    TRY(session_hello(&link->options.member, &link->ring, challenge, binding, arena, &hello));
    tie->keys = keyring_say(&link->ring);
    hello.instance = str_from(link->instance);
    hello.servers = server_set_digest(tie->set);
    if (hello.servers.len == 0) hello.servers = (Str){};
    if (link->failed[0]) hello.servers_failed = str_from(link->failed);
    *ret_hello = hello;
    return SUCCESS;
}
