// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include "base/arena.h"
#include "base/scope.h"
#include "test.h"

TEST(the_vectors_of_rfc_4648_go_both_ways) {
    const struct {
        Str bytes, text;
    } vectors[] = {
        {S(""),       S("")        },
        {S("f"),      S("Zg==")    },
        {S("fo"),     S("Zm8=")    },
        {S("foo"),    S("Zm9v")    },
        {S("foob"),   S("Zm9vYg==")},
        {S("fooba"),  S("Zm9vYmE=")},
        {S("foobar"), S("Zm9vYmFy")},
    };
    SCOPED(arena_done) Arena arena;
    arena_init(&arena, 4096);
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        Str bytes = vectors[i].bytes;
        CHECK_STR(base64_encode(&arena, (Bytes){(const uint8_t *)bytes.ptr, bytes.len}, BASE64),
                  vectors[i].text);
        uint8_t decoded[8];
        size_t len;
        CHECK_OK(base64_decode(vectors[i].text, BASE64, decoded, sizeof(decoded), &len));
        CHECK_STR(((Str){(const char *)decoded, len}), bytes);
    }
}

TEST(the_url_form_has_other_digits_and_no_padding) {
    uint8_t bytes[3];
    size_t len;
    CHECK_OK(base64_decode(S("-_8"), BASE64URL, bytes, sizeof(bytes), &len));
    CHECK(len == 2 && bytes[0] == 0xfb && bytes[1] == 0xff);
    CHECK_ERR(base64_decode(S("-_8="), BASE64URL, bytes, sizeof(bytes), &len), ERR_INVALID);
    CHECK_ERR(base64_decode(S("+/8"), BASE64URL, bytes, sizeof(bytes), &len), ERR_INVALID);
    CHECK_ERR(base64_decode(S("-_8="), BASE64, bytes, sizeof(bytes), &len), ERR_INVALID);
}

TEST(every_byte_that_is_no_digit_is_refused) {
    const Str digits = S("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    for (unsigned byte = 0; byte < 256; byte++) {
        char text[4] = {'A', (char)byte, 'A', 'A'};
        uint8_t bytes[3];
        size_t len;
        Err err = base64_decode((Str){text, sizeof(text)}, BASE64, bytes, sizeof(bytes), &len);
        bool is_digit = str_index(digits, (char)byte, 0) < digits.len;
        CHECK(is_digit == (err.code == OK));
    }
}

TEST(a_second_text_for_the_same_value_is_refused) {
    uint8_t bytes[5];
    size_t len;
    CHECK_ERR(base64_decode(S("Zh=="), BASE64, bytes, sizeof(bytes), &len), ERR_INVALID);
    CHECK_ERR(base64_decode(S("Zg"), BASE64, bytes, sizeof(bytes), &len), ERR_INVALID);
    CHECK_ERR(base64_decode(S("Zm9v "), BASE64, bytes, sizeof(bytes), &len), ERR_INVALID);
    CHECK_ERR(base64_decode(S("Zm\n9v"), BASE64, bytes, sizeof(bytes), &len), ERR_INVALID);
}

TEST(what_does_not_fit_is_refused) {
    uint8_t bytes[5];
    size_t len;
    CHECK_ERR(base64_decode(S("Zm9vYmFy"), BASE64, bytes, sizeof(bytes), &len), ERR_INVALID);
    CHECK_OK(base64_decode_exact(S("Zm9vYmE="), bytes, 5));
    CHECK_ERR(base64_decode_exact(S("Zm9vYg=="), bytes, 5), ERR_INVALID);
}

TEST_MAIN(CASE(the_vectors_of_rfc_4648_go_both_ways),
          CASE(the_url_form_has_other_digits_and_no_padding),
          CASE(every_byte_that_is_no_digit_is_refused),
          CASE(a_second_text_for_the_same_value_is_refused),
          CASE(what_does_not_fit_is_refused))
