// SPDX-License-Identifier: Apache-2.0
/// Many streams at once, while changes are made by many and some listeners leave.
#include "control/access_cache.h"
#include "control/stream_fixture.h"
#include "test.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { MANY = 500, SOME = 24, WRITERS = 3, NOTES = 60 };

TEST(five_hundred_streams_hear_the_same) {
    static Listener listeners[MANY];
    Fixture f;
    Hall hall;
    fixture_open(&f);
    f.app.config.streams_per_org_max = MANY;
    hall_open(&hall, &f, 2);
    for (int i = 0; i < MANY; i++)
        CHECK(listener_open(&listeners[i], &hall, "", f.token, NULL) == 200);
    uint64_t end = hall_seal(&hall);
    for (int i = 0; i < 3; i++)
        hall_note(&hall, ENTRY_EVENT, "device.online", "device_1", 0);
    for (int i = 0; i < MANY; i++) {
        for (uint64_t k = 1; k <= 3; k++)
            CHECK(listener_expect(&listeners[i], "device.online") == end + k);
        listener_close(&listeners[i]);
    }
    hall_close(&hall);
    fixture_close(&f);
}

static void *write_notes(void *arg) {
    for (int i = 0; i < NOTES; i++)
        hall_note(arg, ENTRY_EVENT, i % 2 ? "device.online" : "device.offline", "device_1", 2000);
    return NULL;
}

static void *come_and_go(void *arg) {
    Hall *hall = arg;
    for (int i = 0; i < NOTES; i++) {
        Listener listener;
        const char *query = i % 2 ? "?after=0" : "?action=device.online";
        CHECK(listener_open(&listener, hall, query, hall->fixture->token, NULL) == 200);
        if (i % 2) CHECK(listener_hear(&listener));
        listener_close(&listener);
    }
    return NULL;
}

static void *revoke_nobody(void *arg) {
    Hall *hall = arg;
    for (int i = 0; i < NOTES; i++) {
        const Id nobody = id_new(S("operator"), 1);
        access_cache_revoke(hall->fixture->app.access_cache, &nobody);
        usleep(1000);
    }
    return NULL;
}

TEST(each_hears_each_once_whatever_others_do) {
    static Listener listeners[SOME];
    Fixture f;
    Hall hall;
    pthread_t writers[WRITERS], visitor, revoker;
    fixture_open(&f);
    f.app.config.streams_heartbeat.ms = 50;
    hall_open(&hall, &f, 2);
    uint64_t end = hall_seal(&hall);
    for (int i = 0; i < SOME; i++)
        CHECK(listener_open(&listeners[i], &hall, "?action=device", f.token, NULL) == 200);
    for (int i = 0; i < WRITERS; i++)
        CHECK(pthread_create(&writers[i], NULL, write_notes, &hall) == 0);
    CHECK(pthread_create(&visitor, NULL, come_and_go, &hall) == 0);
    CHECK(pthread_create(&revoker, NULL, revoke_nobody, &hall) == 0);
    for (int i = 0; i < SOME; i++) {
        for (uint64_t k = 1; k <= WRITERS * NOTES; k++) {
            uint64_t number;
            CHECK(listener_hear(&listeners[i]));
            CHECK_OK(str_u64(listeners[i].reader.event.id, &number));
            CHECK(number == end + k);
        }
        listener_close(&listeners[i]);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    pthread_join(visitor, NULL);
    pthread_join(revoker, NULL);
    hall_close(&hall);
    fixture_close(&f);
}

TEST_MAIN(CASE(five_hundred_streams_hear_the_same), CASE(each_hears_each_once_whatever_others_do))
