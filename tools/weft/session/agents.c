/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/session/agents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/weft/session/exchange.h"

static struct weft_peer *find_peer(struct weft_session *session, const char *address)
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
        struct weft_peer *peer = find_peer(session, host->agent);
        if (!peer) {
            peer = &session->peers[session->peer_count++];
            *peer =
                (struct weft_peer){.session = session, .host = host->name, .address = host->agent};
        }
        session->host_agents[index] = (uint32_t)(peer - session->peers);
    }
    free(used);
    return WEFT_OK;
}

static enum weft_status make_local(struct weft_session *session, struct weft_peer *peer,
                                   struct weft_error *error)
{
    enum weft_status status =
        weft_runtime_create(&session->options.runtime, &session->runtime, error);
    if (status != WEFT_OK)
        return status;
    const struct weft_control_output output = {.send = weft_session_from_agent, .context = session};
    session->agent_peer = (uint32_t)(peer - session->peers);
    peer->ready = true;
    if (weft_agent_create(weft_runtime_agent_ops(), session->runtime, &output, &session->agent) !=
        WEFT_OK)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for an agent");
    return WEFT_OK;
}

static enum weft_status read_key(struct weft_session *session, const struct weft_peer *peer,
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

enum weft_status weft_session_make_agents(struct weft_session *session, struct weft_error *error)
{
    enum weft_status status = gather_peers(session, error);
    for (uint32_t i = 0; status == WEFT_OK && i < session->peer_count; i++) {
        struct weft_peer *peer = &session->peers[i];
        status = peer->address ? read_key(session, peer, error) : WEFT_OK;
    }
    for (uint32_t i = 0; status == WEFT_OK && i < session->peer_count; i++) {
        struct weft_peer *peer = &session->peers[i];
        status = peer->address ? WEFT_OK : make_local(session, peer, error);
    }
    return status;
}

/* ---- agents elsewhere ---- */

static void peer_ready(void *context, struct weft_connection *connection)
{
    struct weft_peer *peer = context;
    (void)connection;
    peer->ready = true;
    weft_session_begin_if_ready(peer->session);
}

static void peer_message(void *context, struct weft_connection *connection, const uint8_t *message,
                         size_t len_bytes)
{
    struct weft_peer *peer = context;
    (void)connection;
    if (weft_mailbox_put(&peer->to_controller, message, len_bytes))
        weft_session_pump(peer->session);
    else
        weft_session_lose(peer, WEFT_NO_MEMORY, "sent more than there is memory for");
}

/* Another peer of this run that was reached at the same address and port: two names of one agent.
 */
static const struct weft_peer *find_same(const struct weft_peer *peer, char at[WEFT_ADDRESS_TEXT])
{
    const struct sockaddr *address = peer->dial ? weft_dial_peer(peer->dial) : NULL;
    if (!address)
        return NULL;
    weft_address_format(address, at);
    for (uint32_t i = 0; i < peer->session->peer_count; i++) {
        const struct weft_peer *other = &peer->session->peers[i];
        const struct sockaddr *its = other->dial ? weft_dial_peer(other->dial) : NULL;
        char text[WEFT_ADDRESS_TEXT];
        if (other == peer || !its)
            continue;
        weft_address_format(its, text);
        if (strcmp(at, text) == 0)
            return other;
    }
    return NULL;
}

static void lose_busy(struct weft_peer *peer, const struct weft_error *why)
{
    char text[1200], at[WEFT_ADDRESS_TEXT];
    const struct weft_peer *same = find_same(peer, at);
    if (!same) {
        weft_session_lose(peer, why->status, why->text);
        return;
    }
    (void)snprintf(text, sizeof(text),
                   "is that of host %.100s at %.100s too (both are %s): put the NICs of both hosts "
                   "into one host of the topology",
                   same->host, same->address, at);
    weft_session_lose(peer, WEFT_INVALID, text);
}

static void peer_closed(void *context, struct weft_connection *connection,
                        const struct weft_error *why)
{
    struct weft_peer *peer = context;
    (void)connection;
    struct weft_dial *dial = peer->dial;
    if (why->status == WEFT_EXISTS) {
        lose_busy(peer, why);
    } else if (why->status == WEFT_PEER_LOST && !peer->ready) {
        char text[1200];
        (void)snprintf(text, sizeof(text),
                       "%.1000s; start it there: weft agent --listen %s --key FILE", why->text,
                       peer->address);
        weft_session_lose(peer, why->status, text);
    } else {
        weft_session_lose(peer, why->status, why->text);
    }
    weft_dial_close(dial);
    peer->dial = NULL;
}

static enum weft_status dial_peer(struct weft_peer *peer, struct weft_error *error)
{
    struct weft_session *session = peer->session;
    struct weft_address address;
    enum weft_status status = weft_address_parse(peer->address, &address, error);
    if (status != WEFT_OK)
        return status;
    const struct weft_dial_options options = {
        .loop = &session->loop.uv,
        .identity = session->identity,
        .address = &address,
        .connect_limit_ms = session->options.connect_limit_ms,
        .events = {.ready = peer_ready, .message = peer_message, .closed = peer_closed},
        .context = peer,
    };
    return weft_dial_create(&options, &peer->dial, error);
}

enum weft_status weft_session_dial(struct weft_session *session, struct weft_error *error)
{
    enum weft_status status = WEFT_OK;
    for (uint32_t i = 0; status == WEFT_OK && i < session->peer_count; i++) {
        if (session->peers[i].address)
            status = dial_peer(&session->peers[i], error);
    }
    return status;
}

void weft_session_hang_up(struct weft_session *session)
{
    for (uint32_t i = 0; i < session->peer_count; i++) {
        weft_dial_close(session->peers[i].dial);
        session->peers[i].dial = NULL;
    }
}
