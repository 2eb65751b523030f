/* SPDX-License-Identifier: BSD-3-Clause */
/* One run: the controller, an agent in this process for the hosts that name none, connections to
 * the agents of the others, and the loop that drives them. */
#ifndef WEFT_TOOLS_SESSION_H
#define WEFT_TOOLS_SESSION_H

#include "fabric/control/control.h"
#include "tools/weft/service/runtime.h"
#include "tools/weft/session/job.h"

struct weft_session_options {
    const struct weft_job *job;
    const char *key_path; /* NULL: only where no host has an agent */
    uint64_t connect_limit_ms;
    uint64_t seed;
    struct weft_runtime_options runtime;
    /* Called every few milliseconds. */
    void (*watch)(void *context, const struct weft_controller_status *status,
                  const struct weft_result *result);
    void *context;
};

struct weft_session;

/* Reads the key, starts the workers. Nothing is connected yet. */
WEFT_CHECKED enum weft_status weft_session_create(const struct weft_session_options *options,
                                                  struct weft_session **ret_session,
                                                  struct weft_error *error);
void weft_session_destroy(struct weft_session *session);

/* Runs to the end. WEFT_OK: there is a result, whatever its verdict. Otherwise the run did not
 * begin. SIGINT and SIGTERM end it early; a second one ends it immediately. */
WEFT_CHECKED enum weft_status weft_session_run(struct weft_session *session,
                                               struct weft_error *error);

/* Stops this process's drivers, once the run has ended. WEFT_IO: a capture is not whole. */
WEFT_CHECKED enum weft_status weft_session_stop(struct weft_session *session,
                                                struct weft_error *error);

const struct weft_result *weft_session_result(const struct weft_session *session);

#endif
