#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# embed.sh NUMBER_NAME.sql...: print a C header with each file's text and the table of all of them.
set -eu
echo '// Made from the .sql files by embed.sh.'
for file; do
    name=$(basename "$file" .sql)
    echo "static const char migration_${name}[] ="
    sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/    "&\\n"/' "$file"
    echo '    ;'
done
echo 'const Migration store_migrations[] = {'
for file; do
    name=$(basename "$file" .sql)
    number=$(expr "$name" : '0*\([0-9]*\)_')
    echo "    {$number, \"${name#*_}\", migration_${name}},"
done
echo '};'
