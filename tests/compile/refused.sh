#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# refused.sh FILE COMPILER...: FILE compiles; with any one of its "#ifdef NAME" it is refused, for what
# stands in the row of that name. Prints TAP.
file=$1
shift
said=$(mktemp)
trap 'rm -f "$said"' EXIT

names=$(sed -n 's/^#ifdef \([a-z0-9_]*\)$/\1/p' "$file")
echo "1..$(($(echo "$names" | wc -w) + 1))"

if "$@" -fsyntax-only "$file" 2>"$said"; then
    echo 'ok 1 - without any of them it compiles'
else
    sed 's/^/# /' "$said"
    echo 'not ok 1 - without any of them it compiles'
fi

number=1
for name in $names; do
    number=$((number + 1))
    line=$(($(grep -n "^#ifdef $name\$" "$file" | cut -d: -f1) + 1))
    if "$@" -fsyntax-only "-D$name" "$file" 2>"$said"; then
        echo "not ok $number - $name compiles"
    elif ! grep -q "$(basename "$file"):$line:" "$said"; then
        sed 's/^/# /' "$said"
        echo "not ok $number - $name is refused, but for another line than $line"
    else
        echo "ok $number - $name is refused"
    fi
done
