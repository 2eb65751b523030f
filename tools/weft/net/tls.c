/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/net/tls.h"

#include <assert.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

/* The name under which both ends know the key. */
static const unsigned char identity_name[] = {'w', 'e', 'f', 't'};

struct weft_tls_identity {
    SSL_CTX *context;
    struct weft_key key;
};

struct weft_tls {
    SSL *ssl;
    BIO *incoming; /* the SSL's */
    BIO *outgoing; /* the SSL's */
};

/* A session that stands for the key, as OpenSSL wants it. */
static SSL_SESSION *key_session(SSL *ssl)
{
    static const unsigned char aes_128_gcm_sha256[] = {0x13, 0x01};
    const struct weft_tls_identity *identity = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, aes_128_gcm_sha256);
    SSL_SESSION *session = SSL_SESSION_new();
    if (cipher && session &&
        SSL_SESSION_set1_master_key(session, identity->key.bytes, WEFT_KEY_BYTES) &&
        SSL_SESSION_set_cipher(session, cipher) &&
        SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION))
        return session;
    SSL_SESSION_free(session);
    return NULL;
}

static int offer_key(SSL *ssl, const EVP_MD *digest, const unsigned char **ret_name,
                     size_t *ret_len_bytes, SSL_SESSION **ret_session)
{
    (void)digest; /* there is one cipher suite, so only one digest can be asked for */
    *ret_session = key_session(ssl);
    *ret_name = identity_name;
    *ret_len_bytes = sizeof(identity_name);
    return *ret_session != NULL;
}

static int find_key(SSL *ssl, const unsigned char *name, size_t len_bytes,
                    SSL_SESSION **ret_session)
{
    *ret_session = NULL;
    if (len_bytes != sizeof(identity_name) || memcmp(name, identity_name, len_bytes) != 0)
        return 1; /* no such key: the handshake fails for want of a certificate */
    *ret_session = key_session(ssl);
    return *ret_session != NULL;
}

static bool configure(SSL_CTX *context)
{
    static int groups[] = {NID_X25519, NID_X9_62_prime256v1};
    SSL_CTX_set_psk_use_session_callback(context, offer_key);
    SSL_CTX_set_psk_find_session_callback(context, find_key);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) &&
           SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") &&
           SSL_CTX_set_num_tickets(context, 0) &&
           SSL_CTX_set1_groups(context, groups, sizeof(groups) / sizeof(groups[0]));
}

enum weft_status weft_tls_identity_create(const struct weft_key *key,
                                          struct weft_tls_identity **ret_identity,
                                          struct weft_error *error)
{
    struct weft_tls_identity *identity = calloc(1, sizeof(*identity));
    if (!identity)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for a TLS key");
    identity->key = *key;
    ERR_clear_error();
    identity->context = SSL_CTX_new(TLS_method());
    if (!identity->context || !configure(identity->context)) {
        weft_tls_identity_destroy(identity);
        return weft_error_set(error, WEFT_UNSUPPORTED,
                              "OpenSSL cannot do TLS 1.3 with a pre-shared key here: %s",
                              ERR_error_string(ERR_peek_error(), NULL));
    }
    SSL_CTX_set_app_data(identity->context, identity);
    *ret_identity = identity;
    return WEFT_OK;
}

void weft_tls_identity_destroy(struct weft_tls_identity *identity)
{
    if (!identity)
        return;
    SSL_CTX_free(identity->context);
    OPENSSL_cleanse(&identity->key, sizeof(identity->key));
    free(identity);
}

static bool attach_memory(struct weft_tls *tls)
{
    tls->incoming = BIO_new(BIO_s_mem());
    tls->outgoing = BIO_new(BIO_s_mem());
    if (!tls->incoming || !tls->outgoing) {
        BIO_free(tls->incoming);
        BIO_free(tls->outgoing);
        return false;
    }
    /* Empty means "not yet", not "the end". */
    BIO_set_mem_eof_return(tls->incoming, -1);
    SSL_set_bio(tls->ssl, tls->incoming, tls->outgoing);
    return true;
}

enum weft_status weft_tls_create(const struct weft_tls_identity *identity, bool is_server,
                                 struct weft_tls **ret_tls, struct weft_error *error)
{
    struct weft_tls *tls = calloc(1, sizeof(*tls));
    if (tls)
        tls->ssl = SSL_new(identity->context);
    if (!tls || !tls->ssl || !attach_memory(tls)) {
        weft_tls_destroy(tls);
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for a TLS session");
    }
    if (is_server)
        SSL_set_accept_state(tls->ssl);
    else
        SSL_set_connect_state(tls->ssl);
    *ret_tls = tls;
    return WEFT_OK;
}

void weft_tls_destroy(struct weft_tls *tls)
{
    if (!tls)
        return;
    SSL_free(tls->ssl);
    free(tls);
}

enum weft_status weft_tls_feed(struct weft_tls *tls, const uint8_t *bytes, size_t len_bytes,
                               struct weft_error *error)
{
    size_t written = 0;
    if (len_bytes &&
        (!BIO_write_ex(tls->incoming, bytes, len_bytes, &written) || written != len_bytes))
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for received bytes");
    return WEFT_OK;
}

size_t weft_tls_waiting(const struct weft_tls *tls)
{
    return BIO_ctrl_pending(tls->outgoing);
}

void weft_tls_take(struct weft_tls *tls, uint8_t *bytes, size_t len_bytes)
{
    size_t taken = 0;
    int done = BIO_read_ex(tls->outgoing, bytes, len_bytes, &taken);
    assert(done && taken == len_bytes);
}

/* The peer refused this end's proof of the key, or this end the peer's. */
static bool is_key_mismatch(unsigned long code)
{
    switch (ERR_GET_REASON(code)) {
    case SSL_R_BINDER_DOES_NOT_VERIFY:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
    case SSL_R_SSLV3_ALERT_ILLEGAL_PARAMETER: /* how OpenSSL refuses a binder */
    case SSL_R_DIGEST_CHECK_FAILED:
        return true;
    default:
        return false;
    }
}

static enum weft_status failure(const struct weft_tls *tls, struct weft_error *error)
{
    unsigned long code = ERR_peek_error();
    if (is_key_mismatch(code))
        return weft_error_set(error, WEFT_PERMISSION,
                              "has another key; both ends need a copy of the same key file");
    const char *reason = ERR_reason_error_string(code);
    if (!SSL_is_init_finished(tls->ssl))
        return weft_error_set(error, WEFT_INVALID,
                              "does not speak weft's protocol: TLS 1.3 with a pre-shared key (%s)",
                              reason ? reason : "no reason given");
    return weft_error_set(error, WEFT_IO, "sent bytes that break the TLS session (%s)",
                          reason ? reason : "no reason given");
}

/* What an SSL call of this result means. OpenSSL's error queue must have been cleared before it. */
static enum weft_status outcome(const struct weft_tls *tls, int result, struct weft_error *error)
{
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_NONE:
        return WEFT_OK;
    case SSL_ERROR_WANT_READ:
        return WEFT_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return weft_error_set(error, WEFT_PEER_LOST, "closed the connection");
    default:
        return failure(tls, error);
    }
}

enum weft_status weft_tls_handshake(struct weft_tls *tls, struct weft_error *error)
{
    ERR_clear_error();
    return outcome(tls, SSL_do_handshake(tls->ssl), error);
}

enum weft_status weft_tls_read(struct weft_tls *tls, uint8_t *bytes, size_t len_bytes,
                               size_t *ret_len_bytes, struct weft_error *error)
{
    ERR_clear_error();
    return outcome(tls, SSL_read_ex(tls->ssl, bytes, len_bytes, ret_len_bytes), error);
}

enum weft_status weft_tls_write(struct weft_tls *tls, const uint8_t *bytes, size_t len_bytes,
                                struct weft_error *error)
{
    size_t written = 0;
    ERR_clear_error();
    enum weft_status status =
        outcome(tls, SSL_write_ex(tls->ssl, bytes, len_bytes, &written), error);
    /* Memory takes all at once; only a renegotiation, which TLS 1.3 has not, could ask to wait. */
    assert(status != WEFT_OK || written == len_bytes);
    if (status == WEFT_AGAIN)
        return weft_error_set(error, WEFT_IO, "the TLS session is not ready to send");
    return status;
}

void weft_tls_close(struct weft_tls *tls)
{
    ERR_clear_error();
    if (SSL_is_init_finished(tls->ssl))
        (void)SSL_shutdown(tls->ssl);
}
