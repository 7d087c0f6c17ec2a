// SPDX-License-Identifier: Apache-2.0
/// What a TLS client needs to resume its last session with a host: a few hosts, each with its last
/// ticket. Thread-safe. For tls_gnutls.c only.
#pragma once

#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct Ticket Ticket;

typedef struct Tickets {
    pthread_mutex_t lock;
    Ticket *items; ///< NULL: none are kept
    size_t next;   ///< the place that is reused when all are taken
} Tickets;

/// No tickets. False: no memory.
bool tickets_open(Tickets *tickets);
/// Free them. Does nothing to what is zero.
void tickets_close(Tickets *tickets);
/// Offer the ticket of the last session with this host, if there is one. Where it cannot be used,
/// the handshake is a full one.
void tickets_offer(Tickets *tickets, const char *host, gnutls_session_t session);
/// Keep what the session has for the next one with this host. False: it has nothing.
bool tickets_keep(Tickets *tickets, const char *host, gnutls_session_t session);
