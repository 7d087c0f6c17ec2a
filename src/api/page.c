// SPDX-License-Identifier: Apache-2.0
#include "api/page.h"

static const Field PageQuery_fields[] = {PAGE_ROWS(PageQuery, )};
const Schema PageQuery_schema = SCHEMA(PageQuery, "page_query", "a page of rows");
