// SPDX-License-Identifier: Apache-2.0
/// Handlers of signing in, staying in and signing out, for operator_api.c's table.
#pragma once

#include "control/app.h"

/// POST /v1/login: LoginInput -> LoginReply.
Err session_login(Call *call);
/// POST /v1/refresh: RefreshInput -> LoginReply.
Err session_refresh(Call *call);
/// POST /v1/logout: end the caller's session, or all of its sessions (LogoutQuery).
Err session_logout(Call *call);
/// Slice.tidy: sessions that have ended.
Err session_tidy(App *app, Tx *tx, uint64_t now_ms, bool *ret_more);
/// Collect the end of all of an operator's sessions.
Err session_end_all(Call *call, const Id *operator_id);
