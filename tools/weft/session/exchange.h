/* SPDX-License-Identifier: BSD-3-Clause */
/* What a session's controller and its agents say to each other. */
#ifndef WEFT_TOOLS_EXCHANGE_H
#define WEFT_TOOLS_EXCHANGE_H

#include "tools/weft/session/state.h"

/* Before the controller is there: the run does not begin. */
void weft_session_give_up(struct weft_session *session, enum weft_status status, const char *why);

/* The agent is lost or cannot be reached; called once. */
void weft_session_lose(struct weft_peer *peer, enum weft_status status, const char *why);

/* The controller begins once each agent can be spoken to. */
void weft_session_begin_if_ready(struct weft_session *session);

/* Delivers until nobody has anything more to say. */
void weft_session_pump(struct weft_session *session);

/* From the agent in this process: weft_control_output's send, with the session as its context. */
void weft_session_from_agent(void *context, uint32_t to, const uint8_t *frame, size_t len_bytes);

#endif
