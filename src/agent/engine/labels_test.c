// SPDX-License-Identifier: Apache-2.0
#include "agent/engine/labels.h"

#include "test.h"

static Arena arena;

static const LabelsOwner shop = {S("device_a"), S("shop")};

/// The labels of the shop with one of them changed; an absent value takes it away.
static StrMap labels_but(Str key, Str value) {
    StrMap labels = labels_make(&shop, NULL, 0, &arena);
    for (size_t i = 0; i < labels.count; i++)
        if (str_eq(labels.items[i].key, key)) labels.items[i].value = value;
    return labels;
}

TEST(what_we_make_is_ours) {
    StrPair more[] = {
        {S(LABEL_SERVICE), S("web")}
    };
    StrMap labels = labels_make(&shop, more, 1, &arena);
    CHECK(labels.count == 5);
    CHECK_STR(str_map_find(labels, S(LABEL_SERVICE)), S("web"));
    CHECK(labels_judge(labels, S("device_a")) == LABELS_OURS);
    CHECK(labels_are_of(labels, &shop));
}

TEST(what_lacks_a_label_or_is_of_another_device_is_foreign) {
    const Str keys[] = {S(LABEL_MANAGED), S(LABEL_FORMAT), S(LABEL_DEVICE), S(LABEL_APPLICATION)};
    for (size_t i = 0; i < 4; i++)
        CHECK(labels_judge(labels_but(keys[i], (Str){}), S("device_a")) == LABELS_FOREIGN);
    CHECK(labels_judge((StrMap){}, S("device_a")) == LABELS_FOREIGN);
    CHECK(labels_judge(labels_but(S(LABEL_DEVICE), S("device_b")), S("device_a"))
          == LABELS_FOREIGN);
    CHECK(labels_judge(labels_but(S(LABEL_MANAGED), S("false")), S("device_a")) == LABELS_FOREIGN);
    CHECK(labels_judge(labels_but(S(LABEL_FORMAT), S("0")), S("device_a")) == LABELS_FOREIGN);
    CHECK(labels_judge(labels_but(S(LABEL_FORMAT), S("one")), S("device_a")) == LABELS_FOREIGN);
}

TEST(what_a_newer_program_made_is_known_as_that) {
    CHECK(labels_judge(labels_but(S(LABEL_FORMAT), S("2")), S("device_a")) == LABELS_NEWER);
    CHECK(!labels_are_of(labels_but(S(LABEL_FORMAT), S("2")), &shop));
}

TEST(what_is_of_another_application_is_not_of_this_one) {
    StrMap labels = labels_but(S(LABEL_APPLICATION), S("bar"));
    CHECK(labels_judge(labels, S("device_a")) == LABELS_OURS);
    CHECK(!labels_are_of(labels, &shop));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(what_we_make_is_ours),
        CASE(what_lacks_a_label_or_is_of_another_device_is_foreign),
        CASE(what_a_newer_program_made_is_known_as_that),
        CASE(what_is_of_another_application_is_not_of_this_one),
    };
    arena_init(&arena, 1024 * 1024);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_done(&arena);
    return failed == 0 ? 0 : 1;
}
