// SPDX-License-Identifier: Apache-2.0
/// Every table that a program's headers declare describes its record. (Those of routes and of the
/// store are also looked at when they are opened.)
#include "base/schema.h"

#include SCHEMAS
#include "test.h"

TEST(every_schema_describes_its_record) {
    for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
        Reason reason = {};
        if (schema_check(schemas[i], &reason).code != OK) fail_msg("%s", reason.text);
    }
}

TEST_MAIN(CASE(every_schema_describes_its_record))
