// SPDX-License-Identifier: Apache-2.0
// What a run shows on its output.
#include "cli/cli.h"

#include "base/scope.h"
#include "cli/table.h"

enum { SHOW_MAX = 64 * 1024 * 1024 };

Err cli_print(Cli *cli, const Text *text) {
    TRY(text_check(text));
    if (fwrite(text->ptr ? text->ptr : "", 1, text->len, cli->out) != text->len
        || fflush(cli->out) != 0)
        return FAIL_SYS("the output cannot be written");
    return SUCCESS;
}

Err cli_show(Cli *cli, const Schema *schema, const void *record) {
    SCOPED(text_done) Text text;
    text_init(&text, SHOW_MAX);
    if (cli->json) {
        schema_encode(schema, record, ENCODE_REPLY, &text);
        text_add_char(&text, '\n');
    } else {
        table_card(schema, record, &text);
    }
    return cli_print(cli, &text);
}

Err cli_show_list(Cli *cli, const Schema *schema, const void *items, size_t count) {
    SCOPED(text_done) Text text;
    text_init(&text, SHOW_MAX);
    if (cli->json) {
        schema_encode_list(schema, items, count, ENCODE_REPLY, &text);
        text_add_char(&text, '\n');
    } else {
        table_show(schema, items, count, &text);
    }
    return cli_print(cli, &text);
}
