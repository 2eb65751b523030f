/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/net/connection.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/control/control.h"
#include "tools/weft/net/address.h"
#include "tools/weft/net/frame.h"

#define HANDSHAKE_LIMIT_MS 5000u
#define LINGER_LIMIT_MS 2000u
#define QUEUE_BYTES_MAX (2u * (size_t)WEFT_FRAME_BYTES_MAX)
#define READ_BYTES (64u << 10)
/* A machine that vanished without a word is noticed after this and ten probes a second apart. */
#define KEEPALIVE_S 10u

#define GREETING_BYTES 11u
static const uint8_t greeting_free[GREETING_BYTES] = "weft 1 free";
static const uint8_t greeting_busy[GREETING_BYTES] = "weft 1 busy";

enum connection_state {
    STATE_CONNECTING, /* TCP */
    STATE_HANDSHAKE,  /* TLS */
    STATE_GREETING,   /* the connecting end waits for the listener's word */
    STATE_OPEN,
    STATE_DOOMED,  /* failed while the caller was sending; told from the loop */
    STATE_CLOSING, /* the caller knows; bytes are on their way out, what comes in is dropped */
    STATE_CLOSED,  /* handles are closing */
};

struct weft_connection {
    struct weft_connection_options options;
    enum connection_state state;
    bool is_server;
    uint32_t handles; /* open ones; the last to close frees all */
    uv_tcp_t tcp;
    uv_timer_t timer;
    uv_connect_t connecting;
    uv_shutdown_t shutdown;
    struct weft_tls *tls;
    struct weft_frame_reader frames;
    struct weft_error doom;
    uint8_t incoming[READ_BYTES];
};

struct write {
    uv_write_t request;
    uint8_t bytes[];
};

static void handle_closed(uv_handle_t *handle)
{
    struct weft_connection *connection = handle->data;
    if (--connection->handles)
        return;
    weft_tls_destroy(connection->tls);
    weft_frame_reader_fini(&connection->frames);
    free(connection);
}

static void close_handles(struct weft_connection *connection)
{
    assert(connection);
    if (connection->state == STATE_CLOSED)
        return;
    connection->state = STATE_CLOSED;
    uv_close((uv_handle_t *)&connection->tcp, handle_closed);
    uv_close((uv_handle_t *)&connection->timer, handle_closed);
}

static void write_done(uv_write_t *request, int status)
{
    (void)status; /* a failed connection shows in reading, too */
    struct write *write = request->data;
    free(write);
}

/* Hands what TLS wants sent to the loop. */
static enum weft_status flush(struct weft_connection *connection, struct weft_error *error)
{
    size_t len_bytes = weft_tls_waiting(connection->tls);
    if (!len_bytes || connection->state == STATE_CLOSED)
        return WEFT_OK;
    struct write *write = malloc(sizeof(*write) + len_bytes);
    if (!write)
        return weft_error_set(error, WEFT_NO_MEMORY, "left no memory for %zu bytes to send",
                              len_bytes);
    write->request.data = write;
    weft_tls_take(connection->tls, write->bytes, len_bytes);
    uv_buf_t buffer = uv_buf_init((char *)write->bytes, (unsigned)len_bytes);
    int result = uv_write(&write->request, (uv_stream_t *)&connection->tcp, &buffer, 1, write_done);
    if (!result)
        return WEFT_OK;
    free(write);
    return weft_error_set(error, WEFT_PEER_LOST, "cannot be sent to: %s", uv_strerror(result));
}

static void linger_over(uv_timer_t *timer)
{
    close_handles(timer->data);
}

static void shutdown_done(uv_shutdown_t *request, int status)
{
    if (status)
        close_handles(request->data);
}

/* The peer closes in answer. What it still sends is read and dropped: closing with unread bytes
 * would reset the connection and could lose our last bytes. */
static void linger(struct weft_connection *connection)
{
    bool connected = connection->state > STATE_CONNECTING;
    connection->state = STATE_CLOSING;
    if (connected) {
        weft_tls_close(connection->tls);
        connected =
            flush(connection, NULL) == WEFT_OK &&
            !uv_shutdown(&connection->shutdown, (uv_stream_t *)&connection->tcp, shutdown_done);
    }
    if (!connected || uv_timer_start(&connection->timer, linger_over, LINGER_LIMIT_MS, 0))
        close_handles(connection);
}

void weft_connection_close(struct weft_connection *connection)
{
    if (connection && connection->state < STATE_CLOSING)
        linger(connection);
}

static void fail(struct weft_connection *connection, const struct weft_error *why)
{
    if (connection->state >= STATE_CLOSING)
        return;
    linger(connection);
    connection->options.events.closed(connection->options.context, connection, why);
}

static void doom_tell(uv_timer_t *timer)
{
    struct weft_connection *connection = timer->data;
    struct weft_error why = connection->doom;
    fail(connection, &why);
}

/* Fails once the caller has returned to the loop. */
static void doom(struct weft_connection *connection, const struct weft_error *why)
{
    connection->state = STATE_DOOMED;
    connection->doom = *why;
    int result = uv_timer_start(&connection->timer, doom_tell, 0, 0);
    assert(!result);
}

static enum weft_status send_frame(struct weft_connection *connection, const uint8_t *frame,
                                   size_t len_bytes, struct weft_error *error)
{
    size_t queued = uv_stream_get_write_queue_size((uv_stream_t *)&connection->tcp);
    if (queued + len_bytes > QUEUE_BYTES_MAX)
        return weft_error_set(error, WEFT_PEER_LOST,
                              "does not read its connection: %zu bytes are waiting", queued);
    enum weft_status status = weft_tls_write(connection->tls, frame, len_bytes, error);
    return status == WEFT_OK ? flush(connection, error) : status;
}

void weft_connection_send(struct weft_connection *connection, const uint8_t *frame,
                          size_t len_bytes)
{
    struct weft_error error = {0};
    if (connection->state != STATE_OPEN)
        return;
    assert(len_bytes >= WEFT_FRAME_HEADER_BYTES);
    assert(len_bytes <= WEFT_FRAME_HEADER_BYTES + (size_t)WEFT_FRAME_BYTES_MAX);
    if (send_frame(connection, frame, len_bytes, &error) != WEFT_OK)
        doom(connection, &error);
}

static enum weft_status greet(struct weft_connection *connection,
                              const uint8_t greeting[GREETING_BYTES], struct weft_error *error)
{
    uint8_t frame[WEFT_FRAME_HEADER_BYTES + GREETING_BYTES];
    weft_frame_header(GREETING_BYTES, frame);
    memcpy(frame + WEFT_FRAME_HEADER_BYTES, greeting, GREETING_BYTES);
    return send_frame(connection, frame, sizeof(frame), error);
}

static void become_ready(struct weft_connection *connection)
{
    connection->state = STATE_OPEN;
    (void)uv_timer_stop(&connection->timer);
    connection->options.events.ready(connection->options.context, connection);
}

/* The peer has proved that it holds the key. */
static enum weft_status handshaken(struct weft_connection *connection, struct weft_error *error)
{
    if (!connection->is_server) {
        connection->state = STATE_GREETING;
        return WEFT_OK;
    }
    bool admitted = connection->options.events.admit(connection->options.context, connection);
    enum weft_status status = greet(connection, admitted ? greeting_free : greeting_busy, error);
    if (status != WEFT_OK)
        return status;
    if (!admitted)
        return weft_error_set(error, WEFT_EXISTS,
                              "was told that another controller is being served");
    become_ready(connection);
    return WEFT_OK;
}

static bool is_greeting(const struct weft_frame_reader *frames,
                        const uint8_t greeting[GREETING_BYTES])
{
    return frames->message_bytes == GREETING_BYTES &&
           memcmp(frames->message, greeting, GREETING_BYTES) == 0;
}

static enum weft_status take_greeting(struct weft_connection *connection, struct weft_error *error)
{
    if (is_greeting(&connection->frames, greeting_busy))
        return weft_error_set(error, WEFT_EXISTS,
                              "is busy with another controller; try again when that run has ended");
    if (!is_greeting(&connection->frames, greeting_free))
        return weft_error_set(error, WEFT_INVALID,
                              "sent a greeting that this version does not know; both ends need the "
                              "same version of weft");
    become_ready(connection);
    return WEFT_OK;
}

static enum weft_status take_message(struct weft_connection *connection, struct weft_error *error)
{
    if (connection->state == STATE_GREETING)
        return take_greeting(connection, error);
    connection->options.events.message(connection->options.context, connection,
                                       connection->frames.message,
                                       connection->frames.message_bytes);
    return WEFT_OK;
}

static bool receives(const struct weft_connection *connection)
{
    return connection->state == STATE_GREETING || connection->state == STATE_OPEN;
}

static enum weft_status take_plain(struct weft_connection *connection, const uint8_t *bytes,
                                   size_t len_bytes, struct weft_error *error)
{
    size_t done = 0;
    while (done < len_bytes && receives(connection)) {
        size_t used = 0;
        enum weft_status status = weft_frame_reader_take(&connection->frames, bytes + done,
                                                         len_bytes - done, &used, error);
        done += used;
        if (status == WEFT_OK)
            status = take_message(connection, error);
        if (status != WEFT_OK && status != WEFT_AGAIN)
            return status;
    }
    return WEFT_OK;
}

static enum weft_status advance(struct weft_connection *connection, struct weft_error *error)
{
    enum weft_status status = WEFT_OK;
    if (connection->state == STATE_HANDSHAKE) {
        status = weft_tls_handshake(connection->tls, error);
        if (status == WEFT_OK)
            status = handshaken(connection, error);
    }
    while (status == WEFT_OK && receives(connection)) {
        uint8_t plain[16u << 10]; /* a TLS record's most */
        size_t len_bytes = 0;
        status = weft_tls_read(connection->tls, plain, sizeof(plain), &len_bytes, error);
        if (status == WEFT_OK)
            status = take_plain(connection, plain, len_bytes, error);
    }
    if (status == WEFT_PEER_LOST && weft_frame_reader_within(&connection->frames))
        return weft_error_set(error, WEFT_PEER_LOST,
                              "closed the connection in the middle of a message");
    if ((status == WEFT_OK || status == WEFT_AGAIN) && connection->state < STATE_CLOSING)
        return flush(connection, error);
    return status == WEFT_AGAIN ? WEFT_OK : status;
}

static void read_ended(struct weft_connection *connection, ssize_t result)
{
    struct weft_error error = {0};
    bool within = weft_frame_reader_within(&connection->frames);
    bool early = connection->state == STATE_HANDSHAKE || connection->state == STATE_GREETING;
    if (early)
        weft_error_set(&error, WEFT_AGAIN, "ended the connection during the handshake");
    else if (result != UV_EOF)
        weft_error_set(&error, WEFT_PEER_LOST, "cut the connection: %s", uv_strerror((int)result));
    else
        weft_error_set(&error, WEFT_PEER_LOST, "closed the connection%s",
                       within ? " in the middle of a message" : "");
    fail(connection, &error);
    close_handles(connection);
}

static void on_read(uv_stream_t *stream, ssize_t result, const uv_buf_t *buffer)
{
    struct weft_connection *connection = stream->data;
    struct weft_error error = {0};
    if (result < 0) {
        read_ended(connection, result);
        return;
    }
    if (result == 0 || connection->state >= STATE_DOOMED)
        return;
    enum weft_status status =
        weft_tls_feed(connection->tls, (uint8_t *)buffer->base, (size_t)result, &error);
    if (status == WEFT_OK)
        status = advance(connection, &error);
    if (status != WEFT_OK)
        fail(connection, &error);
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
    (void)suggested;
    struct weft_connection *connection = handle->data;
    *ret_buffer = uv_buf_init((char *)connection->incoming, READ_BYTES);
}

static void handshake_over(uv_timer_t *timer)
{
    struct weft_connection *connection = timer->data;
    struct weft_error error = {0};
    assert(connection);
    if (connection->state == STATE_CONNECTING)
        weft_error_set(&error, WEFT_AGAIN, "does not answer");
    else
        weft_error_set(&error, WEFT_TIMEOUT,
                       "did not finish the handshake in time; does it run this version of weft?");
    fail(connection, &error);
}

/* From here on TCP stands. */
static enum weft_status begin_handshake(struct weft_connection *connection,
                                        struct weft_error *error)
{
    assert(connection);
    connection->state = STATE_HANDSHAKE;
    (void)uv_tcp_nodelay(&connection->tcp, 1);
    (void)uv_tcp_keepalive(&connection->tcp, 1, KEEPALIVE_S);
    int result = uv_read_start((uv_stream_t *)&connection->tcp, give_buffer, on_read);
    if (result)
        return weft_error_set(error, WEFT_IO, "cannot be read from: %s", uv_strerror(result));
    return advance(connection, error);
}

static void on_connect(uv_connect_t *request, int result)
{
    struct weft_connection *connection = request->data;
    struct weft_error error = {0};
    assert(connection);
    if (connection->state != STATE_CONNECTING)
        return; /* closed meanwhile */
    enum weft_status status =
        result ? weft_error_set(&error, WEFT_AGAIN, "cannot be reached: %s", uv_strerror(result))
               : begin_handshake(connection, &error);
    if (status != WEFT_OK)
        fail(connection, &error);
}

static enum weft_status create(const struct weft_connection_options *options, bool is_server,
                               struct weft_connection **ret_connection, struct weft_error *error)
{
    struct weft_connection *connection = calloc(1, sizeof(*connection));
    if (!connection)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for a connection");
    connection->options = *options;
    connection->is_server = is_server;
    enum weft_status status =
        weft_tls_create(options->identity, is_server, &connection->tls, error);
    int result = status == WEFT_OK ? uv_tcp_init(options->loop, &connection->tcp) : 0;
    if (status == WEFT_OK && result)
        status = weft_error_set(error, WEFT_IO, "no socket: %s", uv_strerror(result));
    if (status != WEFT_OK) {
        weft_tls_destroy(connection->tls);
        free(connection);
        return status;
    }
    (void)uv_timer_init(options->loop, &connection->timer); /* cannot fail */
    connection->handles = 2;
    connection->tcp.data = connection;
    connection->timer.data = connection;
    connection->connecting.data = connection;
    connection->shutdown.data = connection;
    uint64_t limit_ms =
        options->handshake_limit_ms ? options->handshake_limit_ms : HANDSHAKE_LIMIT_MS;
    (void)uv_timer_start(&connection->timer, handshake_over, limit_ms, 0);
    *ret_connection = connection;
    return WEFT_OK;
}

enum weft_status weft_connection_connect(const struct weft_connection_options *options,
                                         const struct sockaddr *address,
                                         struct weft_connection **ret_connection,
                                         struct weft_error *error)
{
    struct weft_connection *connection = NULL;
    enum weft_status status = create(options, false, &connection, error);
    if (status != WEFT_OK)
        return status;
    int result = uv_tcp_connect(&connection->connecting, &connection->tcp, address, on_connect);
    if (result) {
        close_handles(connection);
        return weft_error_set(error, WEFT_AGAIN, "cannot be reached: %s", uv_strerror(result));
    }
    *ret_connection = connection;
    return WEFT_OK;
}

enum weft_status weft_connection_accept(const struct weft_connection_options *options,
                                        uv_stream_t *listener,
                                        struct weft_connection **ret_connection,
                                        struct weft_error *error)
{
    struct weft_connection *connection = NULL;
    enum weft_status status = create(options, true, &connection, error);
    if (status != WEFT_OK)
        return status;
    int result = uv_accept(listener, (uv_stream_t *)&connection->tcp);
    if (result)
        status = weft_error_set(error, WEFT_IO, "cannot be accepted: %s", uv_strerror(result));
    else
        status = begin_handshake(connection, error);
    if (status != WEFT_OK) {
        close_handles(connection);
        return status;
    }
    *ret_connection = connection;
    return WEFT_OK;
}

void weft_connection_peer(const struct weft_connection *connection, char text[WEFT_PEER_TEXT])
{
    struct sockaddr_storage address;
    int len_bytes = sizeof(address);
    if (uv_tcp_getpeername(&connection->tcp, (struct sockaddr *)&address, &len_bytes))
        (void)snprintf(text, WEFT_PEER_TEXT, "a peer");
    else
        weft_address_format((struct sockaddr *)&address, text);
}
