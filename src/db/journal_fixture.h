// SPDX-License-Identifier: Apache-2.0
/// The journal as a stranger sees it, for tests.
#pragma once

#include "db/db_fixture.h"

/// Walk along the journal of `org`, at most TX_PAGE_MAX entries, from its floor to its head, and
/// prove each step; gives how many there are. What is not proved is an assertion that fails.
uint64_t journal_walk(Fixture *fixture, const Id *org, const JwsKey *key, Checkpoint *ret_head);
