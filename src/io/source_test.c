// SPDX-License-Identifier: Apache-2.0
#include "io/source.h"
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static Err bound(int family, const char *source, struct sockaddr_storage *ret_address) {
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return FAIL(ERR_UNAVAILABLE, "no socket of the family");
    Err err = source_bind(fd, source);
    socklen_t len = sizeof(*ret_address);
    CHECK(getsockname(fd, (struct sockaddr *)ret_address, &len) == 0);
    close(fd);
    return err;
}

TEST(a_socket_goes_out_from_the_address_that_was_asked_for) {
    struct sockaddr_storage address = {};
    CHECK_OK(bound(AF_INET, "127.1.2.3", &address));
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address;
    CHECK(ntohl(v4->sin_addr.s_addr) == 0x7f01'0203);
    CHECK(v4->sin_port == 0);
}

TEST(without_a_source_the_system_chooses) {
    struct sockaddr_storage address = {};
    CHECK_OK(bound(AF_INET, NULL, &address));
    CHECK(((const struct sockaddr_in *)&address)->sin_addr.s_addr == INADDR_ANY);
}

TEST(a_source_that_cannot_be_is_refused) {
    struct sockaddr_storage address = {};
    CHECK_ERR(bound(AF_INET, "loopback", &address), ERR_INVALID);
    CHECK_ERR(bound(AF_INET, "192.0.2.1", &address), ERR_UNAVAILABLE); // TEST-NET-1, of nobody
    CHECK_ERR(bound(AF_INET, "::1", &address), ERR_UNAVAILABLE);
}

TEST_MAIN(CASE(a_socket_goes_out_from_the_address_that_was_asked_for),
          CASE(without_a_source_the_system_chooses),
          CASE(a_source_that_cannot_be_is_refused))
