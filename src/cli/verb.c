// SPDX-License-Identifier: Apache-2.0
// All verbs: each endpoint of the API is one, as a row says or as it is; and the rows without.
#include "cli/cli.h"

#include "api/endpoints.h"

#include <string.h>

/// The row of this endpoint; NULL: it has none.
static const Verb *verb_row(const Verbs *verbs, const Endpoint *endpoint) {
    for (size_t i = 0; i < verbs->count; i++)
        if (verbs->rows[i].endpoint == endpoint) return &verbs->rows[i];
    return NULL;
}

/// The verb of an endpoint, as a row says or as it is.
static Verb verb_of(const Verbs *verbs, const Endpoint *endpoint) {
    const Verb *row = verb_row(verbs, endpoint);
    Verb verb = row ? *row : (Verb){endpoint->noun, endpoint->verb, endpoint};
    if (!verb.doc) verb.doc = endpoint->doc;
    return verb;
}

/// Behind the last endpoint of a noun: its verbs that are none.
static bool verb_rest_at(const Verbs *verbs, size_t endpoint, size_t *at, Verb *ret_verb) {
    const char *noun = endpoints[endpoint]->noun;
    if (endpoint + 1 < endpoint_count && strcmp(endpoints[endpoint + 1]->noun, noun) == 0)
        return false;
    for (size_t i = 0; i < verbs->count; i++) {
        const Verb *row = &verbs->rows[i];
        if (row->endpoint || strcmp(row->noun, noun) != 0 || (*at)-- > 0) continue;
        *ret_verb = *row;
        return true;
    }
    return false;
}

bool verb_at(const Verbs *verbs, size_t at, Verb *ret_verb) {
    for (size_t i = 0; i < verbs->count; i++) {
        if (*verbs->rows[i].noun || at-- > 0) continue;
        *ret_verb =
            verbs->rows[i].endpoint ? verb_of(verbs, verbs->rows[i].endpoint) : verbs->rows[i];
        return true;
    }
    for (size_t i = 0; i < endpoint_count; i++) {
        Verb verb = verb_of(verbs, endpoints[i]);
        if (*verb.noun && at-- == 0) {
            *ret_verb = verb;
            return true;
        }
        if (verb_rest_at(verbs, i, &at, ret_verb)) return true;
    }
    return false;
}

bool verb_find(const Verbs *verbs, Str noun, Str name, Verb *ret_verb) {
    Verb verb;
    for (size_t at = 0; verb_at(verbs, at, &verb); at++) {
        if (!str_eq(noun, str_from(verb.noun)) || !str_eq(name, str_from(verb.name))) continue;
        *ret_verb = verb;
        return true;
    }
    return false;
}

bool verb_noun_is_known(const Verbs *verbs, Str noun) {
    Verb verb;
    for (size_t at = 0; verb_at(verbs, at, &verb); at++)
        if (str_eq(noun, str_from(verb.noun))) return true;
    return false;
}
