#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# embed.sh FILE.sql...: print a C header with each file as the text migration_FILE.
set -eu
echo '// Made from the .sql files by embed.sh.'
for file; do
    name=$(basename "$file" .sql)
    echo "static const char migration_${name}[] ="
    sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/    "&\\n"/' "$file"
    echo '    ;'
done
