/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/session/session.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/weft/machine/signals.h"
#include "tools/weft/machine/ticker.h"
#include "tools/weft/net/dial.h"
#include "tools/weft/net/frame.h"
#include "tools/weft/output.h"
#include "tools/weft/session/mailbox.h"

/* An agent in this process goes on with work of its own for so long before others are heard. */
#define BUSY_NS UINT64_C(4000000)

/* An agent as the controller sees it; its number is its place in the session's array. */
struct peer {
    struct weft_session *session;
    const char *host;    /* the first of those it stands for */
    const char *address; /* NULL: it is in this process */
    struct weft_dial *dial;
    struct weft_mailbox to_controller;
    bool ready;
    bool lost;
};

struct weft_session {
    struct weft_session_options options;
    uv_loop_t loop;
    bool loop_made;
    uv_timer_t ticker;
    uint32_t signal_count;
    uv_signal_t signals[WEFT_STOP_SIGNALS];
    struct weft_tls_identity *identity;
    uint32_t peer_count;
    struct peer *peers;
    uint32_t *host_agents;
    struct weft_runtime *runtime; /* NULL: no rank runs here */
    struct weft_agent *agent;     /* NULL: as above */
    uint32_t agent_peer;
    struct weft_mailbox to_agent;
    struct weft_controller *controller; /* NULL: not all agents are connected yet */
    bool interrupted;                   /* by the user: the next time is the end */
    bool unserved;                      /* a device's failure to be served was told */
    bool ended;
    struct weft_error failure; /* why it did not begin */
};

static uint64_t now_ns(const struct weft_session *session)
{
    return session->runtime ? weft_runtime_now_ns(session->runtime) : uv_hrtime();
}

/* ---- the end ---- */

static void end(struct weft_session *session)
{
    session->ended = true;
    uv_stop(&session->loop);
}

/* Before the controller is there: the run does not begin. */
static void give_up(struct weft_session *session, enum weft_status status, const char *why)
{
    if (session->failure.status == WEFT_OK)
        weft_error_set(&session->failure, status, "%s", why);
    end(session);
}

/* ---- messages ---- */

static void lose(struct peer *peer, enum weft_status status, const char *why)
{
    struct weft_session *session = peer->session;
    if (peer->lost)
        return;
    peer->lost = true;
    if (session->controller) {
        weft_controller_lost(session->controller, (uint32_t)(peer - session->peers), why,
                             now_ns(session));
        return;
    }
    char text[1400];
    (void)snprintf(text, sizeof(text), "the agent of host %.100s at %.100s %.1100s", peer->host,
                   peer->address ? peer->address : "this process", why);
    give_up(session, status, text);
}

static bool deliver_to_controller(struct weft_session *session, struct peer *peer)
{
    struct weft_letter *letter =
        session->controller ? weft_mailbox_take(&peer->to_controller) : NULL;
    if (!letter)
        return false;
    if (!peer->lost)
        weft_controller_receive(session->controller, (uint32_t)(peer - session->peers),
                                letter->message, letter->len_bytes, now_ns(session));
    free(letter);
    return true;
}

static bool deliver_to_agent(struct weft_session *session)
{
    struct weft_letter *letter = session->agent ? weft_mailbox_take(&session->to_agent) : NULL;
    if (!letter)
        return false;
    struct weft_error error = {0};
    if (weft_agent_receive(session->agent, letter->message, letter->len_bytes, now_ns(session),
                           &error) != WEFT_OK) {
        weft_agent_detached(session->agent);
        lose(&session->peers[session->agent_peer], WEFT_IO, error.text);
    }
    free(letter);
    return true;
}

/* Until nobody has anything more to say; each answer needs a message, so it ends. */
static void pump(struct weft_session *session)
{
    bool moved = true;
    while (moved) {
        moved = deliver_to_agent(session);
        for (uint32_t i = 0; i < session->peer_count; i++)
            moved = deliver_to_controller(session, &session->peers[i]) || moved;
    }
}

/* From the controller. */
static void send_to_agent(void *context, uint32_t agent, const uint8_t *frame, size_t len_bytes)
{
    struct weft_session *session = context;
    struct peer *peer = &session->peers[agent];
    assert(agent < session->peer_count && len_bytes >= WEFT_FRAME_HEADER_BYTES);
    if (peer->dial)
        weft_dial_send(peer->dial, frame, len_bytes);
    else if (!peer->address &&
             !weft_mailbox_put(&session->to_agent, frame + WEFT_FRAME_HEADER_BYTES,
                               len_bytes - WEFT_FRAME_HEADER_BYTES))
        give_up(session, WEFT_NO_MEMORY, "no memory for messages to the agent in this process");
}

/* From the agent in this process. */
static void send_to_controller(void *context, uint32_t to, const uint8_t *frame, size_t len_bytes)
{
    struct weft_session *session = context;
    (void)to;
    assert(len_bytes >= WEFT_FRAME_HEADER_BYTES);
    if (!weft_mailbox_put(&session->peers[session->agent_peer].to_controller,
                          frame + WEFT_FRAME_HEADER_BYTES, len_bytes - WEFT_FRAME_HEADER_BYTES))
        give_up(session, WEFT_NO_MEMORY, "no memory for messages from the agent in this process");
}

/* ---- agents elsewhere ---- */

static enum weft_status begin(struct weft_session *session, struct weft_error *error);

static void begin_if_all_ready(struct weft_session *session)
{
    struct weft_error error = {0};
    for (uint32_t i = 0; i < session->peer_count; i++) {
        if (!session->peers[i].ready)
            return;
    }
    if (begin(session, &error) != WEFT_OK)
        give_up(session, error.status, error.text);
}

static void peer_ready(void *context, struct weft_connection *connection)
{
    struct peer *peer = context;
    (void)connection;
    peer->ready = true;
    begin_if_all_ready(peer->session);
}

static void peer_message(void *context, struct weft_connection *connection, const uint8_t *message,
                         size_t len_bytes)
{
    struct peer *peer = context;
    (void)connection;
    if (weft_mailbox_put(&peer->to_controller, message, len_bytes))
        pump(peer->session);
    else
        lose(peer, WEFT_NO_MEMORY, "sent more than there is memory for");
}

static void peer_closed(void *context, struct weft_connection *connection,
                        const struct weft_error *why)
{
    struct peer *peer = context;
    (void)connection;
    weft_dial_close(peer->dial);
    peer->dial = NULL;
    if (why->status == WEFT_PEER_LOST && !peer->ready) {
        char text[1200];
        (void)snprintf(text, sizeof(text),
                       "%.1000s; start it there: weft agent --listen %s --key FILE", why->text,
                       peer->address);
        lose(peer, why->status, text);
    } else {
        lose(peer, why->status, why->text);
    }
}

static enum weft_status dial_peer(struct peer *peer, struct weft_error *error)
{
    struct weft_session *session = peer->session;
    struct weft_address address;
    enum weft_status status = weft_address_parse(peer->address, &address, error);
    if (status != WEFT_OK)
        return status;
    const struct weft_dial_options options = {
        .loop = &session->loop,
        .identity = session->identity,
        .address = &address,
        .connect_limit_ms = session->options.connect_limit_ms,
        .events = {.ready = peer_ready, .message = peer_message, .closed = peer_closed},
        .context = peer,
    };
    return weft_dial_create(&options, &peer->dial, error);
}

/* ---- who there is ---- */

static struct peer *find_peer(struct weft_session *session, const char *address)
{
    for (uint32_t i = 0; i < session->peer_count; i++) {
        const char *other = session->peers[i].address;
        if (other == address || (other && address && strcmp(other, address) == 0))
            return &session->peers[i];
    }
    return NULL;
}

/* One agent for each address; all hosts without one share the agent in this process. Only hosts
 * with a rank of some test count. */
static enum weft_status gather_peers(struct weft_session *session, struct weft_error *error)
{
    const struct weft_topology *topology = session->options.job->topology;
    session->peers = calloc(topology->host_count, sizeof(*session->peers));
    session->host_agents = calloc(topology->host_count, sizeof(*session->host_agents));
    bool *used = weft_job_used_ranks(session->options.job);
    if (!session->peers || !session->host_agents || !used) {
        free(used);
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    }
    for (uint32_t rank = 0; rank < session->options.job->rank_count; rank++) {
        if (!used[rank])
            continue;
        uint32_t index = topology->nics[topology->rank_nics[rank]].host;
        const struct weft_host *host = &topology->hosts[index];
        struct peer *peer = find_peer(session, host->agent);
        if (!peer) {
            peer = &session->peers[session->peer_count++];
            *peer = (struct peer){.session = session, .host = host->name, .address = host->agent};
        }
        session->host_agents[index] = (uint32_t)(peer - session->peers);
    }
    free(used);
    return WEFT_OK;
}

static enum weft_status make_local(struct weft_session *session, struct peer *peer,
                                   struct weft_error *error)
{
    enum weft_status status =
        weft_runtime_create(&session->options.runtime, &session->runtime, error);
    if (status != WEFT_OK)
        return status;
    const struct weft_control_output output = {.send = send_to_controller, .context = session};
    session->agent_peer = (uint32_t)(peer - session->peers);
    peer->ready = true;
    if (weft_agent_create(weft_runtime_agent_ops(), session->runtime, &output, &session->agent) !=
        WEFT_OK)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for an agent");
    return WEFT_OK;
}

static enum weft_status read_key(struct weft_session *session, const struct peer *peer,
                                 struct weft_error *error)
{
    struct weft_key key;
    if (session->identity)
        return WEFT_OK;
    if (!session->options.key_path)
        return weft_error_set(
            error, WEFT_INVALID,
            "host %s has an agent at %s: give the key that it was started with: --key FILE",
            peer->host, peer->address);
    enum weft_status status = weft_key_read(session->options.key_path, &key, error);
    if (status == WEFT_OK)
        status = weft_tls_identity_create(&key, &session->identity, error);
    return status;
}

static enum weft_status make_peers(struct weft_session *session, struct weft_error *error)
{
    enum weft_status status = gather_peers(session, error);
    for (uint32_t i = 0; status == WEFT_OK && i < session->peer_count; i++) {
        struct peer *peer = &session->peers[i];
        status = peer->address ? read_key(session, peer, error) : WEFT_OK;
    }
    for (uint32_t i = 0; status == WEFT_OK && i < session->peer_count; i++) {
        struct peer *peer = &session->peers[i];
        status = peer->address ? WEFT_OK : make_local(session, peer, error);
    }
    return status;
}

enum weft_status weft_session_create(const struct weft_session_options *options,
                                     struct weft_session **ret_session, struct weft_error *error)
{
    struct weft_session *session = calloc(1, sizeof(*session));
    if (!session)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    session->options = *options;
    enum weft_status status = make_peers(session, error);
    if (status == WEFT_OK && uv_loop_init(&session->loop))
        status = weft_error_set(error, WEFT_IO, "cannot make an event loop");
    if (status != WEFT_OK) {
        weft_session_destroy(session);
        return status;
    }
    session->loop_made = true;
    *ret_session = session;
    return WEFT_OK;
}

/* ---- the run ---- */

/* All agents can be spoken to. */
static enum weft_status begin(struct weft_session *session, struct weft_error *error)
{
    const struct weft_controller_options options = {
        .plan = session->options.job->plan,
        .topology = session->options.job->topology,
        .ideals = session->options.job->ideals,
        .host_agents = session->host_agents,
        .agent_count = session->peer_count,
        .seed = session->options.seed,
        .output = {.send = send_to_agent, .context = session},
        .virtual_time = session->options.runtime.virtual_topology != NULL,
    };
    enum weft_status status = weft_controller_create(&options, &session->controller, error);
    if (status == WEFT_OK && session->agent)
        weft_agent_attached(session->agent, now_ns(session));
    return status;
}

/* For as long as workers run: one that has no room left for its capture moves no frames, and an
 * interrupted test still runs to its last grant. */
static void serve_devices(struct weft_session *session)
{
    struct weft_error error = {0};
    if (!session->runtime || weft_runtime_service(session->runtime, &error) == WEFT_OK ||
        session->unserved)
        return;
    session->unserved = true;
    weft_controller_interrupt(session->controller, error.text, now_ns(session));
}

/* A rank's results at a tick, and each tick in its time, made a run of many short tests a matter of
 * waiting. */
static void serve_agent(struct weft_session *session)
{
    uint64_t began_ns = now_ns(session);
    if (!session->agent)
        return;
    do {
        weft_agent_tick(session->agent, now_ns(session));
        pump(session);
    } while (weft_agent_hurry(session->agent) == WEFT_AGENT_BUSY &&
             now_ns(session) - began_ns < BUSY_NS);
}

static void look(struct weft_session *session)
{
    struct weft_controller_status status;
    serve_devices(session);
    serve_agent(session);
    weft_controller_tick(session->controller, now_ns(session));
    pump(session);
    weft_controller_status(session->controller, &status);
    session->options.watch(session->options.context, &status,
                           weft_controller_result(session->controller));
    if (status.finished)
        end(session);
}

static void tick(uv_timer_t *timer)
{
    struct weft_session *session = timer->data;
    if (session->ended)
        return;
    if (session->controller)
        look(session);
    (void)weft_ticker_next(timer, tick, session->agent);
}

static void interrupt(uv_signal_t *handle, int number)
{
    struct weft_session *session = handle->data;
    const char *why = number == SIGTERM  ? "SIGTERM"
                      : number == SIGHUP ? "hung up (SIGHUP)"
                                         : "Ctrl-C";
    /* One lost terminal may say so twice: by the kernel and by the shell. */
    if (session->interrupted && number == SIGHUP)
        return;
    if (session->interrupted)
        _exit(WEFT_EXIT_BROKEN);
    session->interrupted = true;
    if (session->controller)
        weft_controller_interrupt(session->controller, why, now_ns(session));
    else
        give_up(session, WEFT_PEER_LOST, "interrupted before all agents were connected");
}

static void close_network(struct weft_session *session)
{
    for (uint32_t i = 0; i < session->peer_count; i++) {
        weft_dial_close(session->peers[i].dial);
        session->peers[i].dial = NULL;
    }
    uv_close((uv_handle_t *)&session->ticker, NULL);
    for (uint32_t i = 0; i < session->signal_count; i++)
        uv_close((uv_handle_t *)&session->signals[i], NULL);
    (void)uv_run(&session->loop, UV_RUN_DEFAULT);
}

static enum weft_status start_loop(struct weft_session *session, struct weft_error *error)
{
    int numbers[WEFT_STOP_SIGNALS];
    (void)uv_timer_init(&session->loop, &session->ticker); /* cannot fail */
    session->ticker.data = session;
    (void)weft_ticker_next(&session->ticker, tick, session->agent);
    int result = 0;
    session->signal_count = weft_signals_stop(numbers);
    for (uint32_t i = 0; i < session->signal_count; i++) {
        int made = uv_signal_init(&session->loop, &session->signals[i]);
        session->signals[i].data = session;
        result = made ? made : uv_signal_start(&session->signals[i], interrupt, numbers[i]);
    }
    if (result)
        return weft_error_set(error, WEFT_IO, "cannot catch signals: %s", uv_strerror(result));
    enum weft_status status = WEFT_OK;
    for (uint32_t i = 0; status == WEFT_OK && i < session->peer_count; i++) {
        if (session->peers[i].address)
            status = dial_peer(&session->peers[i], error);
    }
    return status;
}

enum weft_status weft_session_run(struct weft_session *session, struct weft_error *error)
{
    enum weft_status status = start_loop(session, error);
    if (status == WEFT_OK) {
        begin_if_all_ready(session);
        while (!session->ended)
            (void)uv_run(&session->loop, UV_RUN_DEFAULT);
        status = session->failure.status;
        if (status != WEFT_OK)
            weft_error_set(error, status, "%s", session->failure.text);
    }
    pump(session); /* the last words to the agent here, such as to release its devices */
    if (session->agent)
        weft_agent_detached(session->agent);
    close_network(session);
    return status;
}

const struct weft_result *weft_session_result(const struct weft_session *session)
{
    return session->controller ? weft_controller_result(session->controller) : NULL;
}

void weft_session_destroy(struct weft_session *session)
{
    if (!session)
        return;
    weft_agent_destroy(session->agent);
    weft_controller_destroy(session->controller);
    weft_runtime_destroy(session->runtime);
    if (session->loop_made) {
        int result = uv_loop_close(&session->loop);
        assert(!result);
    }
    weft_tls_identity_destroy(session->identity);
    for (uint32_t i = 0; i < session->peer_count; i++)
        weft_mailbox_fini(&session->peers[i].to_controller);
    weft_mailbox_fini(&session->to_agent);
    free(session->peers);
    free(session->host_agents);
    free(session);
}
