/* SPDX-License-Identifier: BSD-3-Clause */
/* Listener and dial in one loop, over real sockets. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/control/control.h"
#include "tools/weft/net/dial.h"
#include "tools/weft/net/frame.h"
#include "tools/weft/net/listener.h"

static uv_loop_t loop;
static struct weft_tls_identity *right_key;
static struct weft_tls_identity *wrong_key;

/* What one end has seen. */
struct end {
    struct weft_connection *connection;
    uint32_t opened, over;
    uint64_t messages, message_bytes;
    struct weft_error why; /* of `over`, or for the listener of the last refusal */
    uint32_t refused;
    uint8_t *expected; /* what the next message must be; NULL: anything */
    size_t expected_bytes;
    bool echoes;
    uint64_t stop_after; /* messages; 0: never by that */
};

static struct end server;
static struct end client;
static struct weft_listener *listener;
static uint16_t listener_port;

static void set_up(void)
{
    static const struct weft_key keys[2] = {{.bytes = {1, 2, 3}}, {.bytes = {1, 2, 4}}};
    struct weft_error error = {0};
    cr_assert(uv_loop_init(&loop) == 0);
    cr_assert(weft_tls_identity_create(&keys[0], &right_key, &error) == WEFT_OK, "%s", error.text);
    cr_assert(weft_tls_identity_create(&keys[1], &wrong_key, &error) == WEFT_OK, "%s", error.text);
}

static void tear_down(void)
{
    weft_listener_close(listener);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect(uv_loop_close(&loop) == 0, "every handle is gone");
    weft_tls_identity_destroy(right_key);
    weft_tls_identity_destroy(wrong_key);
}

TestSuite(connection, .init = set_up, .fini = tear_down, .timeout = 60);

/* A frame of `len_bytes` that looks different everywhere. */
static uint8_t *make_frame(uint32_t len_bytes)
{
    uint8_t *frame = malloc(WEFT_FRAME_HEADER_BYTES + (size_t)len_bytes);
    cr_assert(frame);
    weft_frame_header(len_bytes, frame);
    uint32_t state = len_bytes;
    for (uint32_t i = 0; i < len_bytes; i++) {
        state = state * 1664525u + 1013904223u;
        frame[WEFT_FRAME_HEADER_BYTES + i] = (uint8_t)(state >> 24);
    }
    return frame;
}

static void take_message(struct end *end, const uint8_t *message, size_t len_bytes)
{
    end->messages++;
    end->message_bytes += len_bytes;
    if (end->expected) {
        cr_assert(len_bytes == end->expected_bytes);
        cr_assert(memcmp(message, end->expected, len_bytes) == 0);
    }
    if (end->echoes) {
        uint8_t *frame = malloc(WEFT_FRAME_HEADER_BYTES + len_bytes);
        cr_assert(frame);
        weft_frame_header((uint32_t)len_bytes, frame);
        if (len_bytes)
            memcpy(frame + WEFT_FRAME_HEADER_BYTES, message, len_bytes);
        weft_connection_send(end->connection, frame, WEFT_FRAME_HEADER_BYTES + len_bytes);
        free(frame);
    }
    if (end->messages == end->stop_after)
        uv_stop(&loop);
}

static void server_attached(void *context, struct weft_connection *connection)
{
    struct end *end = context;
    end->connection = connection;
    end->opened++;
}

static void server_message(void *context, const uint8_t *message, size_t len_bytes)
{
    take_message(context, message, len_bytes);
}

static void server_detached(void *context, const struct weft_error *why)
{
    struct end *end = context;
    end->over++;
    end->why = *why;
    uv_stop(&loop);
}

static void server_refused(void *context, const char *peer, const struct weft_error *why)
{
    struct end *end = context;
    cr_expect(strncmp(peer, "127.0.0.1:", 10) == 0, "%s", peer);
    end->refused++;
    end->why = *why;
    uv_stop(&loop);
}

static struct weft_listener *make_listener(uint16_t port, uint64_t handshake_limit_ms)
{
    struct weft_address address = {.host = "127.0.0.1"};
    (void)snprintf(address.port, sizeof(address.port), "%u", port);
    struct weft_error error = {0};
    int sock = -1;
    cr_assert(weft_listener_socket(&address, &sock, &error) == WEFT_OK, "%s", error.text);
    char text[WEFT_ADDRESS_TEXT];
    weft_listener_address(sock, text);
    cr_assert(sscanf(text, "127.0.0.1:%hu", &listener_port) == 1, "%s", text);
    const struct weft_listener_options options = {
        .loop = &loop,
        .identity = right_key,
        .socket = sock,
        .handshake_limit_ms = handshake_limit_ms,
        .events = {server_attached, server_message, server_detached, server_refused},
        .context = &server,
    };
    struct weft_listener *made = NULL;
    cr_assert(weft_listener_create(&options, &made, &error) == WEFT_OK, "%s", error.text);
    return made;
}

static void client_ready(void *context, struct weft_connection *connection)
{
    struct end *end = context;
    end->connection = connection;
    end->opened++;
    uv_stop(&loop);
}

static void client_message(void *context, struct weft_connection *connection,
                           const uint8_t *message, size_t len_bytes)
{
    (void)connection;
    take_message(context, message, len_bytes);
}

static void client_closed(void *context, struct weft_connection *connection,
                          const struct weft_error *why)
{
    (void)connection;
    struct end *end = context;
    end->over++;
    end->why = *why;
    uv_stop(&loop);
}

static struct weft_dial *make_dial(const struct weft_tls_identity *identity, uint16_t port,
                                   uint64_t connect_limit_ms, struct end *end)
{
    struct weft_address address = {.host = "127.0.0.1"};
    (void)snprintf(address.port, sizeof(address.port), "%u", port);
    const struct weft_dial_options options = {
        .loop = &loop,
        .identity = identity,
        .address = &address,
        .connect_limit_ms = connect_limit_ms,
        .events = {.ready = client_ready, .message = client_message, .closed = client_closed},
        .context = end,
    };
    struct weft_dial *dial = NULL;
    struct weft_error error = {0};
    cr_assert(weft_dial_create(&options, &dial, &error) == WEFT_OK, "%s", error.text);
    return dial;
}

static struct weft_dial *connect_well(void)
{
    listener = make_listener(0, 0);
    struct weft_dial *dial = make_dial(right_key, listener_port, 0, &client);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    cr_assert(client.opened == 1 && client.over == 0, "%s", client.why.text);
    return dial;
}

Test(connection, exchange__ten_megabytes_both_ways)
{
    uint32_t len_bytes = 10u << 20;
    uint8_t *frame = make_frame(len_bytes);
    struct weft_dial *dial = connect_well();
    server.echoes = true;
    server.expected = client.expected = frame + WEFT_FRAME_HEADER_BYTES;
    server.expected_bytes = client.expected_bytes = len_bytes;
    client.stop_after = 3;
    for (int i = 0; i < 3; i++)
        weft_dial_send(dial, frame, WEFT_FRAME_HEADER_BYTES + (size_t)len_bytes);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect(server.messages == 3 && client.messages == 3);
    weft_dial_close(dial);
    free(frame);
}

Test(connection, exchange__many_small_and_empty)
{
    struct weft_dial *dial = connect_well();
    server.echoes = true;
    client.stop_after = 1000;
    uint64_t sent_bytes = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        uint8_t *frame = make_frame(i % 50);
        weft_dial_send(dial, frame, WEFT_FRAME_HEADER_BYTES + i % 50);
        sent_bytes += i % 50;
        free(frame);
    }
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect(client.messages == 1000);
    cr_expect(client.message_bytes == sent_bytes && server.message_bytes == sent_bytes);
    weft_dial_close(dial);
}

Test(connection, close__sends_what_is_queued_first)
{
    uint32_t len_bytes = 5u << 20;
    uint8_t *frame = make_frame(len_bytes);
    struct weft_dial *dial = connect_well();
    server.expected = frame + WEFT_FRAME_HEADER_BYTES;
    server.expected_bytes = len_bytes;
    weft_dial_send(dial, frame, WEFT_FRAME_HEADER_BYTES + (size_t)len_bytes);
    weft_dial_close(dial);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect(server.messages == 1);
    cr_expect(server.over == 1 && server.why.status == WEFT_PEER_LOST);
    cr_expect(strcmp(server.why.text, "closed the connection") == 0, "%s", server.why.text);
    cr_expect(client.over == 0, "an end of our own is no event");
    free(frame);
}

static void run_until_both_refuse(void)
{
    while (!server.refused || !client.over)
        (void)uv_run(&loop, UV_RUN_DEFAULT);
}

Test(connection, wrong_key__both_ends_say_so)
{
    listener = make_listener(0, 0);
    struct weft_dial *dial = make_dial(wrong_key, listener_port, 60000, &client);
    run_until_both_refuse();
    cr_expect(client.opened == 0 && server.opened == 0);
    cr_expect(client.why.status == WEFT_PERMISSION, "%s", client.why.text);
    cr_expect(strstr(client.why.text, "key file"), "%s", client.why.text);
    cr_expect(server.why.status == WEFT_PERMISSION, "%s", server.why.text);
    weft_dial_close(dial);
}

/* A socket that speaks anything but TLS. */
static uv_tcp_t stranger;
static uv_connect_t stranger_connect;
static uv_write_t stranger_write;

static void stranger_connected(uv_connect_t *request, int result)
{
    uv_buf_t *words = request->data;
    cr_assert(result == 0);
    if (words)
        cr_assert(uv_write(&stranger_write, (uv_stream_t *)&stranger, words, 1, NULL) == 0);
}

static void connect_stranger(uv_buf_t *words)
{
    struct sockaddr_in address;
    cr_assert(uv_ip4_addr("127.0.0.1", listener_port, &address) == 0);
    cr_assert(uv_tcp_init(&loop, &stranger) == 0);
    stranger_connect.data = words;
    cr_assert(uv_tcp_connect(&stranger_connect, &stranger, (struct sockaddr *)&address,
                             stranger_connected) == 0);
}

Test(connection, garbage__refused_and_the_next_is_served)
{
    char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    uv_buf_t words = uv_buf_init(request, sizeof(request) - 1);
    listener = make_listener(0, 0);
    connect_stranger(&words);
    while (!server.refused)
        (void)uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect(server.why.status == WEFT_INVALID);
    cr_expect(strstr(server.why.text, "does not speak weft's protocol"), "%s", server.why.text);
    uv_close((uv_handle_t *)&stranger, NULL);

    struct weft_dial *dial = make_dial(right_key, listener_port, 0, &client);
    while (!client.opened && !client.over)
        (void)uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect(client.opened == 1 && server.opened == 1);
    weft_dial_close(dial);
}

Test(connection, silence__handshake_ends)
{
    listener = make_listener(0, 50);
    connect_stranger(NULL);
    while (!server.refused)
        (void)uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect(server.why.status == WEFT_TIMEOUT, "%s", server.why.text);
    uv_close((uv_handle_t *)&stranger, NULL);
}

Test(connection, silence__strangers_do_not_lock_others_out)
{
    enum {
        count = 20
    };
    static uv_tcp_t silent[count];
    static uv_connect_t requests[count];
    struct sockaddr_in address;
    listener = make_listener(0, 50);
    cr_assert(uv_ip4_addr("127.0.0.1", listener_port, &address) == 0);
    for (int i = 0; i < count; i++) {
        cr_assert(uv_tcp_init(&loop, &silent[i]) == 0);
        cr_assert(uv_tcp_connect(&requests[i], &silent[i], (struct sockaddr *)&address,
                                 stranger_connected) == 0);
    }
    struct weft_dial *dial = make_dial(right_key, listener_port, 0, &client);
    while (!client.opened && !client.over)
        (void)uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect(client.opened == 1, "%s", client.why.text);
    weft_dial_close(dial);
    for (int i = 0; i < count; i++)
        uv_close((uv_handle_t *)&silent[i], NULL);
}

Test(connection, truncated_frame__named)
{
    uint8_t frame[100] = {0};
    struct weft_dial *dial = connect_well();
    weft_frame_header(1000, frame);
    weft_dial_send(dial, frame, sizeof(frame));
    weft_dial_close(dial);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect(server.messages == 0);
    cr_expect(server.over == 1 && server.why.status == WEFT_PEER_LOST);
    cr_expect(strstr(server.why.text, "in the middle of a message"), "%s", server.why.text);
}

Test(connection, oversize_frame__cut_off)
{
    uint8_t frame[100] = {0};
    struct weft_dial *dial = connect_well();
    weft_frame_header(WEFT_FRAME_BYTES_MAX + 1, frame);
    weft_dial_send(dial, frame, sizeof(frame));
    while (!server.over || !client.over)
        (void)uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect(server.messages == 0);
    cr_expect(server.why.status == WEFT_INVALID, "%s", server.why.text);
    cr_expect(client.why.status == WEFT_PEER_LOST, "%s", client.why.text);
    weft_dial_close(dial);
}

Test(connection, unread_queue__bounded)
{
    struct weft_dial *dial = connect_well();
    uint8_t *frame = calloc(1, WEFT_FRAME_HEADER_BYTES + (size_t)WEFT_FRAME_BYTES_MAX);
    cr_assert(frame);
    weft_frame_header(WEFT_FRAME_BYTES_MAX, frame);
    for (int i = 0; i < 3; i++) /* the loop does not run, so nobody reads */
        weft_dial_send(dial, frame, WEFT_FRAME_HEADER_BYTES + (size_t)WEFT_FRAME_BYTES_MAX);
    free(frame);
    cr_expect(client.over == 0, "no event from inside send");
    while (!client.over)
        (void)uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect(client.why.status == WEFT_PEER_LOST);
    cr_expect(strstr(client.why.text, "does not read"), "%s", client.why.text);
    weft_dial_close(dial);
}

Test(connection, busy__second_controller_is_told)
{
    struct weft_dial *dial = connect_well();
    struct end second = {0};
    struct weft_dial *late = make_dial(right_key, listener_port, 60000, &second);
    while (!second.over)
        (void)uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect(second.opened == 0);
    cr_expect(second.why.status == WEFT_EXISTS, "%s", second.why.text);
    cr_expect(strstr(second.why.text, "busy"), "%s", second.why.text);
    cr_expect(client.over == 0 && server.over == 0, "the first is not disturbed");
    weft_dial_close(late);

    weft_dial_close(dial);
    while (!server.over)
        (void)uv_run(&loop, UV_RUN_DEFAULT);
    struct end third = {0};
    dial = make_dial(right_key, listener_port, 0, &third);
    while (!third.opened && !third.over)
        (void)uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect(third.opened == 1, "%s", third.why.text);
    weft_dial_close(dial);
}

Test(connection, refused__said_when_the_time_is_over)
{
    listener = make_listener(0, 0);
    uint16_t port = listener_port;
    weft_listener_close(listener);
    listener = NULL;
    (void)uv_run(&loop, UV_RUN_DEFAULT);

    struct weft_dial *dial = make_dial(right_key, port, 0, &client);
    while (!client.over)
        (void)uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect(client.why.status == WEFT_PEER_LOST);
    cr_expect(strstr(client.why.text, "connection refused"), "%s", client.why.text);
    weft_dial_close(dial);
}

static void start_late(uv_timer_t *timer)
{
    listener = make_listener((uint16_t)(uintptr_t)timer->data, 0);
    uv_close((uv_handle_t *)timer, NULL);
}

Test(connection, late_listener__is_reached)
{
    listener = make_listener(0, 0);
    uint16_t port = listener_port;
    weft_listener_close(listener);
    listener = NULL;
    (void)uv_run(&loop, UV_RUN_DEFAULT);

    uv_timer_t timer = {.data = (void *)(uintptr_t)port};
    cr_assert(uv_timer_init(&loop, &timer) == 0);
    cr_assert(uv_timer_start(&timer, start_late, 150, 0) == 0);
    struct weft_dial *dial = make_dial(right_key, port, 30000, &client);
    while (!client.opened && !client.over)
        (void)uv_run(&loop, UV_RUN_DEFAULT);
    cr_expect(client.opened == 1, "%s", client.why.text);
    weft_dial_close(dial);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
}
