/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/net/listener.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Who has not shown the key yet costs memory; more than these wait in the kernel's queue. */
#define STRANGERS_MAX 16u
#define BACKLOG 64

struct weft_listener {
    struct weft_listener_options options;
    uv_tcp_t tcp;
    struct weft_connection *serving; /* NULL: free */
    struct weft_connection *strangers[STRANGERS_MAX];
    bool one_waits; /* libuv holds an accepted socket and listens on once we take it */
};

static void accept_one(struct weft_listener *listener);

static struct weft_connection **stranger_slot(struct weft_listener *listener,
                                              const struct weft_connection *connection)
{
    for (uint32_t i = 0; i < STRANGERS_MAX; i++)
        if (listener->strangers[i] == connection)
            return &listener->strangers[i];
    return NULL;
}

static bool admit(void *context, struct weft_connection *connection)
{
    struct weft_listener *listener = context;
    if (listener->serving)
        return false;
    listener->serving = connection;
    *stranger_slot(listener, connection) = NULL;
    return true;
}

static void take_waiting(struct weft_listener *listener)
{
    if (listener->one_waits && stranger_slot(listener, NULL))
        accept_one(listener);
}

static void ready(void *context, struct weft_connection *connection)
{
    struct weft_listener *listener = context;
    listener->options.events.attached(listener->options.context, connection);
    take_waiting(listener);
}

static void message(void *context, struct weft_connection *connection, const uint8_t *bytes,
                    size_t len_bytes)
{
    struct weft_listener *listener = context;
    assert(connection == listener->serving);
    listener->options.events.message(listener->options.context, bytes, len_bytes);
}

static void closed(void *context, struct weft_connection *connection, const struct weft_error *why)
{
    struct weft_listener *listener = context;
    if (connection == listener->serving) {
        listener->serving = NULL;
        listener->options.events.detached(listener->options.context, why);
    } else {
        char peer[WEFT_PEER_TEXT];
        weft_connection_peer(connection, peer);
        *stranger_slot(listener, connection) = NULL;
        listener->options.events.refused(listener->options.context, peer, why);
    }
    take_waiting(listener);
}

static void accept_one(struct weft_listener *listener)
{
    struct weft_error error = {0};
    const struct weft_connection_options options = {
        .loop = listener->options.loop,
        .identity = listener->options.identity,
        .handshake_limit_ms = listener->options.handshake_limit_ms,
        .events = {.admit = admit, .ready = ready, .message = message, .closed = closed},
        .context = listener,
    };
    struct weft_connection **slot = stranger_slot(listener, NULL);
    listener->one_waits = !slot;
    if (slot &&
        weft_connection_accept(&options, (uv_stream_t *)&listener->tcp, slot, &error) != WEFT_OK) {
        *slot = NULL;
        listener->options.events.refused(listener->options.context, "a peer", &error);
    }
}

static void on_connection(uv_stream_t *stream, int result)
{
    struct weft_listener *listener = stream->data;
    struct weft_error error = {0};
    if (!result) {
        accept_one(listener);
        return;
    }
    weft_error_set(&error, WEFT_IO, "cannot be accepted: %s", uv_strerror(result));
    listener->options.events.refused(listener->options.context, "a peer", &error);
}

static enum weft_status resolve(const struct weft_address *address, struct addrinfo **ret_list,
                                struct weft_error *error)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    int result = getaddrinfo(address->host, address->port, &hints, ret_list);
    if (!result)
        return WEFT_OK;
    return weft_error_set(error, WEFT_NOT_FOUND, "cannot find the address %s: %s", address->host,
                          gai_strerror(result));
}

static const char *listen_remedy(int number)
{
    if (number == EADDRINUSE)
        return "; another program, perhaps another agent, listens there: give another port";
    if (number == EADDRNOTAVAIL)
        return "; this host has no such address: give one of its own, or 0.0.0.0 for all";
    if (number == EACCES)
        return "; ports below 1024 need privileges: give a higher one";
    return "";
}

/* On failure errno says why. */
static int open_socket(const struct addrinfo *address)
{
    const int on = 1;
    int sock = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (sock < 0)
        return -1;
    if (!setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) &&
        !bind(sock, address->ai_addr, address->ai_addrlen) && !listen(sock, BACKLOG))
        return sock;
    int saved = errno;
    (void)close(sock);
    errno = saved;
    return -1;
}

enum weft_status weft_listener_socket(const struct weft_address *address, int *ret_socket,
                                      struct weft_error *error)
{
    struct addrinfo *list = NULL;
    enum weft_status status = resolve(address, &list, error);
    if (status != WEFT_OK)
        return status;
    int sock = open_socket(list);
    if (sock < 0) {
        char text[WEFT_ADDRESS_TEXT];
        weft_address_format(list->ai_addr, text);
        status = weft_error_set(error, WEFT_IO, "cannot listen on %s: %s%s", text, strerror(errno),
                                listen_remedy(errno));
    } else {
        *ret_socket = sock;
    }
    freeaddrinfo(list);
    return status;
}

void weft_listener_address(int socket, char text[WEFT_ADDRESS_TEXT])
{
    struct sockaddr_storage address;
    socklen_t len_bytes = sizeof(address);
    int result = getsockname(socket, (struct sockaddr *)&address, &len_bytes);
    assert(!result);
    weft_address_format((struct sockaddr *)&address, text);
}

enum weft_status weft_listener_create(const struct weft_listener_options *options,
                                      struct weft_listener **ret_listener, struct weft_error *error)
{
    struct weft_listener *listener = calloc(1, sizeof(*listener));
    int result = listener ? uv_tcp_init(options->loop, &listener->tcp) : UV_ENOMEM;
    if (result) {
        free(listener);
        (void)close(options->socket);
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory to listen with");
    }
    listener->options = *options;
    listener->tcp.data = listener;
    result = uv_tcp_open(&listener->tcp, options->socket);
    if (result)
        (void)close(options->socket);
    else
        result = uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, on_connection);
    if (result) {
        weft_listener_close(listener);
        return weft_error_set(error, WEFT_IO, "cannot listen: %s", uv_strerror(result));
    }
    *ret_listener = listener;
    return WEFT_OK;
}

void weft_listener_detach(struct weft_listener *listener)
{
    weft_connection_close(listener->serving);
    listener->serving = NULL;
}

static void free_listener(uv_handle_t *handle)
{
    free(handle->data);
}

void weft_listener_close(struct weft_listener *listener)
{
    if (!listener)
        return;
    weft_listener_detach(listener);
    for (uint32_t i = 0; i < STRANGERS_MAX; i++)
        weft_connection_close(listener->strangers[i]);
    uv_close((uv_handle_t *)&listener->tcp, free_listener);
}
