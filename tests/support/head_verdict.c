// SPDX-License-Identifier: Apache-2.0
// Verdicts of http1/head.h on requests: a file with one in hex a line comes in, a status a line
// goes out: 0 accepted, - not at its end.
#include "http1/head.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { LINE_MAX_BYTES = 64 * 1024 };

int main(void) {
    static char line[LINE_MAX_BYTES];
    static unsigned char bytes[LINE_MAX_BYTES / 2];
    while (fgets(line, sizeof(line), stdin)) {
        size_t len = 0, end = 0;
        int code =
            sodium_hex2bin(bytes, sizeof(bytes), line, strcspn(line, "\n"), NULL, &len, NULL);
        assert(code == 0);
        Str text = {(const char *)bytes, len};
        RequestHead head;
        HeadVerdict verdict = head_find(text, 0, &end);
        if (!verdict.status && end > 0) verdict = head_read_request(str_slice(text, 0, end), &head);
        if (!verdict.status && end == 0)
            puts("-");
        else
            printf("%d\n", verdict.status);
    }
    return 0;
}
