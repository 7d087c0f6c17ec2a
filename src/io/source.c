// SPDX-License-Identifier: Apache-2.0
#include "io/source.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

Err source_bind(int fd, const char *source) {
    if (!source) return SUCCESS;
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    const struct sockaddr *address = (const struct sockaddr *)&v4;
    socklen_t len = sizeof(v4);
    if (inet_pton(AF_INET, source, &v4.sin_addr) != 1) {
        if (inet_pton(AF_INET6, source, &v6.sin6_addr) != 1)
            return FAIL(ERR_INVALID, "the source is not an address");
        address = (const struct sockaddr *)&v6;
        len = sizeof(v6);
    }
    // Without it the port is taken for all peers at once, and 28,000 connections are the most.
    const int on = 1;
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if (bind(fd, address, len) != 0)
        return FAIL(ERR_UNAVAILABLE, "this machine cannot connect from that address");
    return SUCCESS;
}
