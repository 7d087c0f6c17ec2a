// SPDX-License-Identifier: Apache-2.0
/// The OpenAPI schema of a record: what its table says, in the words of JSON Schema.
#pragma once

#include "base/schema.h"

/// Which of the OpenAPI schemas of a record.
typedef enum SchemaView {
    VIEW_REPLY, ///< "Fleet": what we answer
    VIEW_INPUT, ///< "FleetInput": what creation takes
    VIEW_PATCH, ///< "FleetPatch": what a change takes
    VIEW_PEER,  ///< "FleetPeer": what a program of another age may send
} SchemaView;

/// Append the name of the component, e.g. FleetInput.
void schema_openapi_name(const Schema *schema, SchemaView view, Text *out);
/// Append the OpenAPI 3.1 (JSON Schema 2020-12) schema of the record as a JSON object; nested
/// records are $refs to their own components.
void schema_openapi(const Schema *schema, SchemaView view, Text *out);
/// Append the JSON Schema of one field (its type and bounds), as used for query parameters.
void field_openapi(const Field *field, SchemaView view, Text *out);
/// The field takes part in this view.
bool field_is_viewed(const Field *field, SchemaView view);
