// SPDX-License-Identifier: Apache-2.0
#include "control/device/node.h"

#include "base/scope.h"
#include "db/tx.h"

enum { NODE_ARENA_MAX = 64 * 1024 };

static const Field Node_fields[] = {
    FIELD(Node, id, KEY | HIDDEN, "a process", .prefix = "node"),
    FIELD(Node, alive_at, HIDDEN | INDEXED, "when it last said that it is alive"),
};
const Schema Node_schema = SCHEMA(Node, "node", "a process of the control plane");

Err node_start(App *app) {
    SCOPED(arena_done) Arena arena;
    SCOPED(tx_closep) Tx *tx = NULL;
    arena_init(&arena, NODE_ARENA_MAX);
    app->started_ms = clock_now_ms(&app->clock);
    app->node = id_new(S("node"), app->started_ms);
    TRY(tx_open_all(app->db, &arena, &tx));
    TRY(node_alive(app, tx, app->started_ms));
    return tx_commit(tx, NULL);
}

Err node_alive(const App *app, Tx *tx, uint64_t now_ms) {
    return tx_put(tx, &Node_schema, &(Node){.id = app->node, .alive_at = {now_ms}});
}

Err node_find_dead(const App *app, Tx *tx, uint64_t now_ms, uint64_t silent_ms, Node *ret_node) {
    const Time before = {now_ms > silent_ms ? now_ms - silent_ms : 0};
    Query query = {.where = {WHERE(Node, alive_at, BELOW, before)}, .limit = 2};
    Page page;
    TRY(tx_list(tx, &Node_schema, &query, &page));
    const Node *nodes = page.items;
    for (size_t i = 0; i < page.count; i++) {
        if (id_eq(&nodes[i].id, &app->node)) continue; // by a clock that was set
        *ret_node = nodes[i];
        return SUCCESS;
    }
    return FAIL(ERR_NOT_FOUND, "every node is alive");
}

Err node_forget(Tx *tx, const Node *node) {
    return tx_delete(tx, &Node_schema, node);
}
