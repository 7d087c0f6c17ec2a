// SPDX-License-Identifier: Apache-2.0
/// A server's CPU time for a full TLS 1.3 handshake, by GnuTLS alone, one connection each.
///
/// usage: tls_handshakes CERTIFICATE_FILE KEY_FILE COUNT
///
/// One process serves; as many as a machine has cores connect. Prints microseconds each.
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CLIENTS = 2, WARM = 20 };

static const char *const handshake_priorities = "SECURE128:-VERS-ALL:+VERS-TLS1.3";

typedef struct Bench {
    gnutls_certificate_credentials_t credentials;
    gnutls_priority_t priority;
    struct sockaddr_in address;
} Bench;

static void bench_fail(const char *what) {
    fprintf(stderr, "tls_handshakes: %s\n", what);
    exit(1);
}

/// One end of one connection, which sends no byte of its own: a server waits for the other's end.
static void bench_shake(const Bench *bench, int fd, unsigned end) {
    gnutls_session_t session;
    char byte;
    if (gnutls_init(&session, end | GNUTLS_NO_SIGNAL) < 0
        || gnutls_priority_set(session, bench->priority) < 0
        || gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, bench->credentials) < 0)
        bench_fail("no session");
    gnutls_transport_set_int(session, fd);
    int status;
    do {
        status = gnutls_handshake(session);
    } while (status < 0 && !gnutls_error_is_fatal(status));
    if (status < 0) bench_fail(gnutls_strerror(status));
    if (end == GNUTLS_SERVER)
        (void)gnutls_record_recv(session, &byte, 1);
    else
        (void)gnutls_bye(session, GNUTLS_SHUT_WR);
    gnutls_deinit(session);
    close(fd);
}

_Noreturn static void bench_connect(const Bench *bench) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *)&bench->address, sizeof(bench->address)))
            _exit(0); // the server has had enough
        bench_shake(bench, fd, GNUTLS_CLIENT);
    }
}

static double bench_cpu_us(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6
           + (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

/// The mean of `count` handshakes, after some that are not counted.
static double bench_serve(const Bench *bench, int listener, long count) {
    double before_us = 0;
    for (long i = -WARM; i < count; i++) {
        if (i == 0) before_us = bench_cpu_us();
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) bench_fail("nobody comes");
        bench_shake(bench, fd, GNUTLS_SERVER);
    }
    return (bench_cpu_us() - before_us) / (double)count;
}

int main(int argc, char **argv) {
    Bench bench = {.address = {.sin_family = AF_INET}};
    bench.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    long count = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
    if (count < 1) {
        fputs("usage: tls_handshakes CERTIFICATE_FILE KEY_FILE COUNT\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    socklen_t len = sizeof(bench.address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (gnutls_certificate_allocate_credentials(&bench.credentials) < 0
        || gnutls_certificate_set_x509_key_file(
               bench.credentials, argv[1], argv[2], GNUTLS_X509_FMT_PEM)
               < 0
        || gnutls_priority_init(&bench.priority, handshake_priorities, NULL) < 0)
        bench_fail("the certificate or the key cannot be used");
    if (listener < 0 || bind(listener, (struct sockaddr *)&bench.address, len) != 0
        || listen(listener, 64) != 0
        || getsockname(listener, (struct sockaddr *)&bench.address, &len) != 0)
        bench_fail("no port");
    pid_t clients[CLIENTS];
    for (size_t i = 0; i < CLIENTS; i++)
        if ((clients[i] = fork()) == 0) bench_connect(&bench);
    printf("%.1f\n", bench_serve(&bench, listener, count));
    for (size_t i = 0; i < CLIENTS; i++)
        kill(clients[i], SIGKILL);
    while (wait(NULL) > 0) {
    }
    return 0;
}
