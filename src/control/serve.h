// SPDX-License-Identifier: Apache-2.0
/// The running server.
#pragma once

#include "control/config.h"
#include "control/vault.h"

/// Serve from the folder that `vault` holds until SIGTERM or SIGINT (SIGHUP: the certificate is
/// read again), then finish what is under way and return. Call before any thread exists. Errors:
/// whatever kept it from starting; the Reason names the file or address.
Err serve(const Vault *vault, const Config *config, Arena *arena, Reason *reason);
