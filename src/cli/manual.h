// SPDX-License-Identifier: Apache-2.0
/// Help, manual page and completion, printed from the verbs' rows.
#pragma once

#include "cli/cli.h"

/// Append the overview of all nouns and verbs, or of those of `noun`.
void help_overview(const Verbs *verbs, Str noun, Text *out);
/// Append how one verb is used, with every option.
void help_verb(const Verb *verb, Text *out);
/// Append muster(1) in roff; of `noun` only, unless that is absent.
void man_page(const Verbs *verbs, Str noun, Text *out);
/// Append a completion script for bash.
void completion_bash(const Verbs *verbs, Text *out);
