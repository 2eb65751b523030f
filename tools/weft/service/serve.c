/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/service/serve.h"

#include <assert.h>
#include <signal.h>
#include <unistd.h>

#include "tools/weft/machine/signals.h"
#include "tools/weft/machine/ticker.h"
#include "tools/weft/net/listener.h"
#include "tools/weft/output.h"

struct server {
    bool verbose;
    bool stopped; /* by a signal */
    bool failed;  /* a device's slow work, which is said once */
    uv_loop_t loop;
    uv_timer_t ticker;
    uint32_t signal_count;
    uv_signal_t signals[WEFT_STOP_SIGNALS];
    struct weft_tls_identity *identity;
    struct weft_listener *listener;
    struct weft_connection *connection; /* NULL: no controller */
    struct weft_runtime *runtime;
    struct weft_agent *agent;
};

static uint64_t now_ns(const struct server *server)
{
    return weft_runtime_now_ns(server->runtime);
}

static void send_frame(void *context, uint32_t to, const uint8_t *frame, size_t len_bytes)
{
    struct server *server = context;
    (void)to;
    if (server->connection)
        weft_connection_send(server->connection, frame, len_bytes);
}

/* The controller is gone, one way or the other. */
static void end_service(struct server *server)
{
    server->connection = NULL;
    weft_agent_detached(server->agent);
    uv_stop(&server->loop);
}

static void attached(void *context, struct weft_connection *connection)
{
    struct server *server = context;
    char peer[WEFT_PEER_TEXT];
    weft_connection_peer(connection, peer);
    if (server->verbose)
        weft_output_note("serving the controller at %s", peer);
    server->connection = connection;
    weft_agent_attached(server->agent, now_ns(server));
}

static void message(void *context, const uint8_t *bytes, size_t len_bytes)
{
    struct server *server = context;
    struct weft_error error = {0};
    if (weft_agent_receive(server->agent, bytes, len_bytes, now_ns(server), &error) == WEFT_OK)
        return;
    weft_output_note("the controller is dropped: %s", error.text);
    weft_listener_detach(server->listener);
    end_service(server);
}

static void detached(void *context, const struct weft_error *why)
{
    struct server *server = context;
    if (server->verbose)
        weft_output_note("the controller %s", why->text);
    end_service(server);
}

static void refused(void *context, const char *peer, const struct weft_error *why)
{
    (void)context;
    weft_output_note("%s %s", peer, why->text);
}

static void tick(uv_timer_t *timer)
{
    struct server *server = timer->data;
    struct weft_error error = {0};
    if (weft_runtime_service(server->runtime, &error) != WEFT_OK && !server->failed) {
        server->failed = true;
        weft_output_error(&error);
    }
    weft_agent_tick(server->agent, now_ns(server));
    (void)weft_ticker_next(timer, tick, server->agent);
}

static void stop(uv_signal_t *handle, int number)
{
    struct server *server = handle->data;
    (void)number;
    server->stopped = true;
    weft_listener_detach(server->listener);
    end_service(server);
}

static enum weft_status listen_on(struct server *server, int socket, struct weft_error *error)
{
    const struct weft_listener_options options = {
        .loop = &server->loop,
        .identity = server->identity,
        .socket = socket,
        .events = {attached, message, detached, refused},
        .context = server,
    };
    return weft_listener_create(&options, &server->listener, error);
}

static void start_handles(struct server *server)
{
    int numbers[WEFT_STOP_SIGNALS];
    int result = uv_timer_init(&server->loop, &server->ticker);
    server->ticker.data = server;
    result |= weft_ticker_next(&server->ticker, tick, server->agent);
    server->signal_count = weft_signals_stop(numbers);
    for (uint32_t i = 0; i < server->signal_count; i++) {
        result |= uv_signal_init(&server->loop, &server->signals[i]);
        server->signals[i].data = server;
        result |= uv_signal_start(&server->signals[i], stop, numbers[i]);
    }
    assert(!result);
}

static void run_loop(struct server *server)
{
    start_handles(server);
    (void)uv_run(&server->loop, UV_RUN_DEFAULT); /* until the service has ended */
    weft_listener_close(server->listener);
    uv_close((uv_handle_t *)&server->ticker, NULL);
    for (uint32_t i = 0; i < server->signal_count; i++)
        uv_close((uv_handle_t *)&server->signals[i], NULL);
}

static enum weft_status make_agent(struct server *server, const struct weft_serve_options *options,
                                   struct weft_error *error)
{
    const struct weft_control_output output = {.send = send_frame, .context = server};
    enum weft_status status = weft_tls_identity_create(options->key, &server->identity, error);
    if (status == WEFT_OK)
        status = weft_runtime_create(&options->runtime, &server->runtime, error);
    if (status == WEFT_OK && weft_agent_create(weft_runtime_agent_ops(), server->runtime, &output,
                                               &server->agent) != WEFT_OK)
        status = weft_error_set(error, WEFT_NO_MEMORY, "no memory for an agent");
    return status;
}

enum weft_status weft_serve(const struct weft_serve_options *options, struct weft_error *error)
{
    struct server server = {.verbose = options->runtime.verbose};
    if (uv_loop_init(&server.loop)) {
        (void)close(options->socket);
        return weft_error_set(error, WEFT_IO, "cannot make an event loop");
    }
    enum weft_status status = make_agent(&server, options, error);
    if (status != WEFT_OK)
        (void)close(options->socket);
    else
        status = listen_on(&server, options->socket, error);
    if (status == WEFT_OK) {
        run_loop(&server);
        status = server.stopped ? WEFT_AGAIN : WEFT_OK;
    }
    (void)uv_run(&server.loop, UV_RUN_DEFAULT); /* lets go of what is closing */
    weft_agent_destroy(server.agent);
    weft_runtime_destroy(server.runtime);
    weft_tls_identity_destroy(server.identity);
    int result = uv_loop_close(&server.loop);
    assert(!result);
    return status;
}
