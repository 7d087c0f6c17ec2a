// SPDX-License-Identifier: Apache-2.0
#include "channel/gateway_tls.h"

void gateway_tls_init(Gateway *gateway) {
    pthread_rwlock_init(&gateway->tls_lock, NULL);
}

void gateway_tls_done(Gateway *gateway) {
    tls_context_close(gateway->tls);
    pthread_rwlock_destroy(&gateway->tls_lock);
}

Err gateway_renew(Gateway *gateway, const uint8_t *ticket_key, Reason *reason) {
    const GatewayOptions *options = &gateway->options;
    if (!options->cert_path) return SUCCESS;
    TlsContext *tls;
    TRY(tls_server_context_open(options->cert_path, options->key_path, ticket_key, &tls, reason));
    pthread_rwlock_wrlock(&gateway->tls_lock);
    TlsContext *old = gateway->tls;
    gateway->tls = tls;
    pthread_rwlock_unlock(&gateway->tls_lock);
    tls_context_close(old); // its sessions go on
    return SUCCESS;
}

Err gateway_tls_secure(Gateway *gateway, Stream *stream) {
    if (!gateway->options.cert_path) return SUCCESS;
    pthread_rwlock_rdlock(&gateway->tls_lock);
    Err err = stream_secure(stream, gateway->tls, (Str){});
    pthread_rwlock_unlock(&gateway->tls_lock);
    return err;
}
