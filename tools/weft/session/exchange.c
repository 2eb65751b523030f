/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/session/exchange.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/weft/net/frame.h"

void weft_session_give_up(struct weft_session *session, enum weft_status status, const char *why)
{
    if (session->failure.status == WEFT_OK)
        weft_error_set(&session->failure, status, "%s", why);
    weft_loop_stop(&session->loop);
}

void weft_session_lose(struct weft_peer *peer, enum weft_status status, const char *why)
{
    struct weft_session *session = peer->session;
    if (peer->lost)
        return;
    peer->lost = true;
    if (session->controller) {
        weft_controller_lost(session->controller, (uint32_t)(peer - session->peers), why,
                             weft_session_now_ns(session));
        return;
    }
    char text[1400];
    (void)snprintf(text, sizeof(text), "the agent of host %.100s at %.100s %.1100s", peer->host,
                   peer->address ? peer->address : "this process", why);
    weft_session_give_up(session, status, text);
}

static bool deliver_to_controller(struct weft_session *session, struct weft_peer *peer)
{
    struct weft_letter *letter =
        session->controller ? weft_mailbox_take(&peer->to_controller) : NULL;
    if (!letter)
        return false;
    if (!peer->lost)
        weft_controller_receive(session->controller, (uint32_t)(peer - session->peers),
                                letter->message, letter->len_bytes, weft_session_now_ns(session));
    free(letter);
    return true;
}

static bool deliver_to_agent(struct weft_session *session)
{
    struct weft_letter *letter = session->agent ? weft_mailbox_take(&session->to_agent) : NULL;
    if (!letter)
        return false;
    struct weft_error error = {0};
    if (weft_agent_receive(session->agent, letter->message, letter->len_bytes,
                           weft_session_now_ns(session), &error) != WEFT_OK) {
        weft_agent_detached(session->agent);
        weft_session_lose(&session->peers[session->agent_peer], WEFT_IO, error.text);
    }
    free(letter);
    return true;
}

/* Each answer needs a message, so it ends. */
void weft_session_pump(struct weft_session *session)
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
    struct weft_peer *peer = &session->peers[agent];
    assert(agent < session->peer_count && len_bytes >= WEFT_FRAME_HEADER_BYTES);
    if (peer->dial)
        weft_dial_send(peer->dial, frame, len_bytes);
    else if (!peer->address &&
             !weft_mailbox_put(&session->to_agent, frame + WEFT_FRAME_HEADER_BYTES,
                               len_bytes - WEFT_FRAME_HEADER_BYTES))
        weft_session_give_up(session, WEFT_NO_MEMORY,
                             "no memory for messages to the agent in this process");
}

void weft_session_from_agent(void *context, uint32_t to, const uint8_t *frame, size_t len_bytes)
{
    struct weft_session *session = context;
    (void)to;
    assert(len_bytes >= WEFT_FRAME_HEADER_BYTES);
    if (!weft_mailbox_put(&session->peers[session->agent_peer].to_controller,
                          frame + WEFT_FRAME_HEADER_BYTES, len_bytes - WEFT_FRAME_HEADER_BYTES))
        weft_session_give_up(session, WEFT_NO_MEMORY,
                             "no memory for messages from the agent in this process");
}

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
        weft_agent_attached(session->agent, weft_session_now_ns(session));
    return status;
}

void weft_session_begin_if_ready(struct weft_session *session)
{
    struct weft_error error = {0};
    for (uint32_t i = 0; i < session->peer_count; i++) {
        if (!session->peers[i].ready)
            return;
    }
    if (begin(session, &error) != WEFT_OK)
        weft_session_give_up(session, error.status, error.text);
}
