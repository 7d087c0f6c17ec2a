#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""list.py FOLDER...: writes the C header with every Schema that a header of the folders declares."""
import re
import sys
from pathlib import Path

names = set()
for folder in sys.argv[1:]:
    for path in Path(folder).rglob("*.h"):
        if "fixture" not in path.name:
            names.update(re.findall(r"^extern const Schema (\w+_schema);", path.read_text(), re.M))
print("// Written by list.py.\n#pragma once\n")
print("".join(f"extern const Schema {name};\n" for name in sorted(names)))
print("static const Schema *const schemas[] = {")
print("".join(f"    &{name},\n" for name in sorted(names)) + "};")
