/* SPDX-License-Identifier: BSD-3-Clause */
/* What the files of a session share. */
#ifndef WEFT_TOOLS_SESSION_STATE_H
#define WEFT_TOOLS_SESSION_STATE_H

#include "tools/weft/machine/loop.h"
#include "tools/weft/net/dial.h"
#include "tools/weft/session/mailbox.h"
#include "tools/weft/session/session.h"

/* An agent as the controller sees it; its number is its place in the session's array. */
struct weft_peer {
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
    struct weft_loop loop;
    struct weft_tls_identity *identity;
    uint32_t peer_count;
    struct weft_peer *peers;
    uint32_t *host_agents;
    struct weft_runtime *runtime; /* NULL: no rank runs here */
    struct weft_agent *agent;     /* NULL: as above */
    uint32_t agent_peer;
    struct weft_mailbox to_agent;
    struct weft_controller *controller; /* NULL: not all agents are connected yet */
    bool interrupted;                   /* by the user: the next time is the end */
    bool unserved;                      /* a device's failure to be served was told */
    struct weft_error failure;          /* why it did not begin */
};

static inline uint64_t weft_session_now_ns(const struct weft_session *session)
{
    return session->runtime ? weft_runtime_now_ns(session->runtime) : uv_hrtime();
}

#endif
