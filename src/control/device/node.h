// SPDX-License-Identifier: Apache-2.0
/// Nodes: the processes of musterd, from start to end. A device whose channel a node holds is as
/// present as that node is alive.
#pragma once

#include "control/app.h"

typedef struct Tx Tx;

/// One process; App.node.
typedef struct Node {
    Id id;
    Time alive_at; ///< when it last said that it is; at most a minute ago while it runs
} Node;
extern const Schema Node_schema;

/// From now on this process is one: App.node, App.started_ms.
Err node_start(App *app);
/// Collect that this process is alive now.
Err node_alive(const App *app, Tx *tx, uint64_t now_ms);
/// One other node that has not been alive for `silent_ms`. ERR_NOT_FOUND: there is none.
Err node_find_dead(const App *app, Tx *tx, uint64_t now_ms, uint64_t silent_ms, Node *ret_node);
/// Collect that nothing refers to a dead node any more.
Err node_forget(Tx *tx, const Node *node);
