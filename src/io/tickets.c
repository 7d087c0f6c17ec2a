// SPDX-License-Identifier: Apache-2.0
#include "io/tickets.h"

#include <stdlib.h>
#include <string.h>

enum { TICKETS_MAX = 8, HOST_SIZE = 254 };

struct Ticket {
    char host[HOST_SIZE]; ///< "": a free place
    gnutls_datum_t data;
};

bool tickets_open(Tickets *tickets) {
    *tickets = (Tickets){.items = calloc(TICKETS_MAX, sizeof(Ticket))};
    pthread_mutex_init(&tickets->lock, NULL);
    return tickets->items;
}

void tickets_close(Tickets *tickets) {
    if (!tickets->items) return;
    for (size_t i = 0; i < TICKETS_MAX; i++)
        gnutls_free(tickets->items[i].data.data);
    free(tickets->items);
    pthread_mutex_destroy(&tickets->lock);
}

static Ticket *tickets_find(Tickets *tickets, const char *host) {
    for (size_t i = 0; i < TICKETS_MAX; i++)
        if (strcmp(tickets->items[i].host, host) == 0) return &tickets->items[i];
    return NULL;
}

void tickets_offer(Tickets *tickets, const char *host, gnutls_session_t session) {
    pthread_mutex_lock(&tickets->lock);
    Ticket *ticket = tickets_find(tickets, host);
    if (ticket) (void)gnutls_session_set_data(session, ticket->data.data, ticket->data.size);
    pthread_mutex_unlock(&tickets->lock);
}

bool tickets_keep(Tickets *tickets, const char *host, gnutls_session_t session) {
    gnutls_datum_t data = {};
    if (strlen(host) >= HOST_SIZE || gnutls_session_get_data2(session, &data) < 0) return false;
    pthread_mutex_lock(&tickets->lock);
    Ticket *ticket = tickets_find(tickets, host);
    if (!ticket) ticket = tickets_find(tickets, "");
    if (!ticket) ticket = &tickets->items[tickets->next++ % TICKETS_MAX];
    memcpy(ticket->host, host, strlen(host) + 1);
    gnutls_free(ticket->data.data);
    ticket->data = data;
    pthread_mutex_unlock(&tickets->lock);
    return true;
}
