/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/service/serve.h"

#include <unistd.h>

#include "tools/weft/machine/loop.h"
#include "tools/weft/net/listener.h"
#include "tools/weft/service/ticker.h"
#include "tools/weft/terminal/output.h"

struct server {
    bool verbose;
    bool stopped; /* by a signal */
    bool failed;  /* a device's slow work, which is said once */
    struct weft_loop loop;
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
    weft_loop_stop(&server->loop);
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

static uint32_t tick(void *context)
{
    struct server *server = context;
    struct weft_error error = {0};
    if (weft_runtime_service(server->runtime, &error) != WEFT_OK && !server->failed) {
        server->failed = true;
        weft_output_error(&error);
    }
    weft_agent_tick(server->agent, now_ns(server));
    return weft_tick_ms(server->agent);
}

static void stop(void *context, int number)
{
    struct server *server = context;
    (void)number;
    server->stopped = true;
    weft_listener_detach(server->listener);
    end_service(server);
}

static enum weft_status listen_on(struct server *server, int socket, struct weft_error *error)
{
    const struct weft_listener_options options = {
        .loop = &server->loop.uv,
        .identity = server->identity,
        .socket = socket,
        .events = {attached, message, detached, refused},
        .context = server,
    };
    return weft_listener_create(&options, &server->listener, error);
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

/* Until the service has ended. */
static enum weft_status run_loop(struct server *server, struct weft_error *error)
{
    enum weft_status status = weft_loop_start(&server->loop, weft_tick_ms(server->agent), error);
    if (status == WEFT_OK) {
        weft_loop_run(&server->loop);
        status = server->stopped ? WEFT_AGAIN : WEFT_OK;
    }
    weft_listener_close(server->listener);
    return status;
}

enum weft_status weft_serve(const struct weft_serve_options *options, struct weft_error *error)
{
    const struct weft_loop_events events = {.tick = tick, .signal = stop};
    struct server server = {.verbose = options->runtime.verbose};
    enum weft_status status = weft_loop_init(&server.loop, &events, &server, error);
    if (status == WEFT_OK)
        status = make_agent(&server, options, error);
    if (status != WEFT_OK)
        (void)close(options->socket);
    else
        status = listen_on(&server, options->socket, error);
    if (status == WEFT_OK)
        status = run_loop(&server, error);
    weft_loop_fini(&server.loop);
    weft_agent_destroy(server.agent);
    weft_runtime_destroy(server.runtime);
    weft_tls_identity_destroy(server.identity);
    return status;
}
