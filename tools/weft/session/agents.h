/* SPDX-License-Identifier: BSD-3-Clause */
/* The agents of a session: one in this process, the others behind connections. */
#ifndef WEFT_TOOLS_AGENTS_H
#define WEFT_TOOLS_AGENTS_H

#include "tools/weft/session/state.h"

/* Who they are, by the job's topology. Reads the key where one is needed; starts the one that is in
 * this process, where there is one. */
WEFT_CHECKED enum weft_status weft_session_make_agents(struct weft_session *session,
                                                       struct weft_error *error);

/* Begins to reach the others. */
WEFT_CHECKED enum weft_status weft_session_dial(struct weft_session *session,
                                                struct weft_error *error);
void weft_session_hang_up(struct weft_session *session);

#endif
