// SPDX-License-Identifier: Apache-2.0
#include "base/endpoint.h"

#include <assert.h>
#include <string.h>

const char *method_name(Method method) {
    static const char *const names[METHOD_COUNT] = {
        [GET] = "GET", [POST] = "POST", [PATCH] = "PATCH", [DELETE] = "DELETE"};
    assert(method < METHOD_COUNT);
    return names[method];
}

uint32_t endpoint_status(const Endpoint *endpoint) {
    if (endpoint->shape == REPLY_NONE) return 204;
    return strcmp(endpoint->verb, "create") == 0 ? 201 : 200;
}
