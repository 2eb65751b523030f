/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/net/dial.h"

#include <netdb.h>
#include <stdlib.h>

#define RETRY_MS 100u
#define ATTEMPT_LEAST_MS 1000u
#define ATTEMPT_MOST_MS 5000u

struct weft_dial {
    struct weft_dial_options options;
    struct weft_address address;
    uv_timer_t timer;
    uv_getaddrinfo_t resolving;
    bool is_resolving;
    bool closing;  /* no more events */
    bool finished; /* timer's handle has gone */
    uint64_t deadline_ms;
    struct addrinfo *list;
    struct addrinfo *next; /* the address to try; NULL: from the front */
    struct weft_connection *connection;
    struct weft_error last; /* why the last attempt failed */
};

static void attempt(uv_timer_t *timer);

static void free_if_done(struct weft_dial *dial)
{
    if (!dial->finished || dial->is_resolving)
        return;
    uv_freeaddrinfo(dial->list);
    free(dial);
}

static void timer_closed(uv_handle_t *handle)
{
    struct weft_dial *dial = handle->data;
    dial->finished = true;
    free_if_done(dial);
}

void weft_dial_close(struct weft_dial *dial)
{
    if (!dial || dial->closing)
        return;
    dial->closing = true;
    weft_connection_close(dial->connection);
    dial->connection = NULL;
    if (dial->is_resolving)
        (void)uv_cancel((uv_req_t *)&dial->resolving);
    uv_close((uv_handle_t *)&dial->timer, timer_closed);
}

static void give_up(struct weft_dial *dial, const struct weft_error *why)
{
    struct weft_error copy = *why;
    dial->options.events.closed(dial->options.context, NULL, &copy);
}

static void retry_later(struct weft_dial *dial)
{
    uint64_t now_ms = uv_now(dial->options.loop);
    if (now_ms < dial->deadline_ms) {
        uint64_t left_ms = dial->deadline_ms - now_ms;
        (void)uv_timer_start(&dial->timer, attempt, left_ms < RETRY_MS ? left_ms : RETRY_MS, 0);
        return;
    }
    dial->last.status = WEFT_PEER_LOST;
    give_up(dial, &dial->last);
}

static void ready(void *context, struct weft_connection *connection)
{
    struct weft_dial *dial = context;
    dial->options.events.ready(dial->options.context, connection);
}

static void message(void *context, struct weft_connection *connection, const uint8_t *bytes,
                    size_t len_bytes)
{
    struct weft_dial *dial = context;
    dial->options.events.message(dial->options.context, connection, bytes, len_bytes);
}

static void closed(void *context, struct weft_connection *connection, const struct weft_error *why)
{
    struct weft_dial *dial = context;
    (void)connection;
    dial->connection = NULL;
    if (why->status != WEFT_AGAIN) {
        give_up(dial, why);
        return;
    }
    dial->last = *why;
    dial->next = dial->next->ai_next;
    if (dial->next)
        (void)uv_timer_start(&dial->timer, attempt, 0, 0);
    else
        retry_later(dial);
}

static void connect_next(struct weft_dial *dial)
{
    uint64_t now_ms = uv_now(dial->options.loop);
    uint64_t left_ms = dial->deadline_ms > now_ms ? dial->deadline_ms - now_ms : 0;
    if (left_ms > ATTEMPT_MOST_MS)
        left_ms = ATTEMPT_MOST_MS;
    if (left_ms < ATTEMPT_LEAST_MS) /* time enough for an agent that answers */
        left_ms = ATTEMPT_LEAST_MS;
    const struct weft_connection_options options = {
        .loop = dial->options.loop,
        .identity = dial->options.identity,
        .handshake_limit_ms = left_ms,
        .events = {.ready = ready, .message = message, .closed = closed},
        .context = dial,
    };
    struct weft_error error = {0};
    if (!dial->next)
        dial->next = dial->list;
    if (weft_connection_connect(&options, dial->next->ai_addr, &dial->connection, &error) !=
        WEFT_OK)
        closed(dial, NULL, &error);
}

static void resolved(uv_getaddrinfo_t *request, int result, struct addrinfo *list)
{
    struct weft_dial *dial = request->data;
    dial->is_resolving = false;
    dial->list = list;
    if (dial->closing) {
        free_if_done(dial);
    } else if (result || !list) {
        weft_error_set(&dial->last, WEFT_NOT_FOUND, "cannot be found by name: %s",
                       result ? uv_strerror(result) : "no address");
        retry_later(dial);
    } else {
        connect_next(dial);
    }
}

static void attempt(uv_timer_t *timer)
{
    struct weft_dial *dial = timer->data;
    if (dial->list) {
        connect_next(dial);
        return;
    }
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int result = uv_getaddrinfo(dial->options.loop, &dial->resolving, resolved, dial->address.host,
                                dial->address.port, &hints);
    dial->is_resolving = !result;
    if (result) {
        weft_error_set(&dial->last, WEFT_IO, "cannot be looked up: %s", uv_strerror(result));
        retry_later(dial);
    }
}

enum weft_status weft_dial_create(const struct weft_dial_options *options,
                                  struct weft_dial **ret_dial, struct weft_error *error)
{
    struct weft_dial *dial = calloc(1, sizeof(*dial));
    if (!dial)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for a connection");
    dial->options = *options;
    dial->address = *options->address;
    dial->options.address = NULL;
    (void)uv_timer_init(options->loop, &dial->timer); /* cannot fail */
    dial->timer.data = dial;
    dial->resolving.data = dial;
    uv_update_time(options->loop);
    dial->deadline_ms = uv_now(options->loop) + options->connect_limit_ms;
    (void)uv_timer_start(&dial->timer, attempt, 0, 0);
    *ret_dial = dial;
    return WEFT_OK;
}

void weft_dial_send(struct weft_dial *dial, const uint8_t *frame, size_t len_bytes)
{
    if (dial->connection)
        weft_connection_send(dial->connection, frame, len_bytes);
}

const struct sockaddr *weft_dial_peer(const struct weft_dial *dial)
{
    return dial->next ? dial->next->ai_addr : NULL;
}
