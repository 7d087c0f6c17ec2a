// SPDX-License-Identifier: Apache-2.0
/// Steps as SQLite's statements.
#pragma once

#include "db/step.h"

/// Append the statements that do `step`, each with its semicolon. Tables are STRICT and WITHOUT
/// ROWID; every name is quoted. Asserts what step.h says of the key and of ordered columns.
void sqlite_step(const Step *step, Text *sql);
