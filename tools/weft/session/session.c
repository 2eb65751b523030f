/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/session/session.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/weft/service/ticker.h"
#include "tools/weft/session/agents.h"
#include "tools/weft/session/exchange.h"
#include "tools/weft/terminal/output.h"

/* How long an agent in this process goes on with its own work before others are served. */
#define BUSY_NS UINT64_C(4000000)

/* Runs as long as workers run: a worker with no room left for its capture moves no frames, and an
 * interrupted test still runs to its last grant. */
static void serve_devices(struct weft_session *session)
{
    struct weft_error error = {0};
    if (!session->runtime || weft_runtime_service(session->runtime, &error) == WEFT_OK ||
        session->unserved)
        return;
    session->unserved = true;
    weft_controller_interrupt(session->controller, error.text, weft_session_now_ns(session));
}

/* Ticks the agent again while it is busy. With one rank's results per tick, a run of many short
 * tests would spend most of its time waiting. */
static void serve_agent(struct weft_session *session)
{
    uint64_t began_ns = weft_session_now_ns(session);
    if (!session->agent)
        return;
    do {
        weft_agent_tick(session->agent, weft_session_now_ns(session));
        weft_session_pump(session);
    } while (weft_agent_hurry(session->agent) == WEFT_AGENT_BUSY &&
             weft_session_now_ns(session) - began_ns < BUSY_NS);
}

static void look(struct weft_session *session)
{
    struct weft_controller_status status;
    serve_devices(session);
    serve_agent(session);
    weft_controller_tick(session->controller, weft_session_now_ns(session));
    weft_session_pump(session);
    weft_controller_status(session->controller, &status);
    session->options.watch(session->options.context, &status,
                           weft_controller_result(session->controller));
    if (status.finished)
        weft_loop_stop(&session->loop);
}

static uint32_t tick(void *context)
{
    struct weft_session *session = context;
    if (session->controller && !session->loop.stopped)
        look(session);
    return weft_tick_ms(session->agent);
}

static void interrupt(void *context, int number)
{
    struct weft_session *session = context;
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
        weft_controller_interrupt(session->controller, why, weft_session_now_ns(session));
    else
        weft_session_give_up(session, WEFT_PEER_LOST,
                             "interrupted before all agents were connected");
}

enum weft_status weft_session_create(const struct weft_session_options *options,
                                     struct weft_session **ret_session, struct weft_error *error)
{
    struct weft_session *session = calloc(1, sizeof(*session));
    if (!session)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    session->options = *options;
    const struct weft_loop_events events = {.tick = tick, .signal = interrupt};
    enum weft_status status = weft_session_make_agents(session, error);
    if (status == WEFT_OK)
        status = weft_loop_init(&session->loop, &events, session, error);
    if (status != WEFT_OK) {
        weft_session_destroy(session);
        return status;
    }
    *ret_session = session;
    return WEFT_OK;
}

enum weft_status weft_session_run(struct weft_session *session, struct weft_error *error)
{
    enum weft_status status = weft_loop_start(&session->loop, weft_tick_ms(session->agent), error);
    if (status == WEFT_OK)
        status = weft_session_dial(session, error);
    if (status == WEFT_OK) {
        weft_session_begin_if_ready(session);
        weft_loop_run(&session->loop);
        status = session->failure.status;
        if (status != WEFT_OK)
            weft_error_set(error, status, "%s", session->failure.text);
    }
    /* The last words to the agent here, such as to release its devices. */
    weft_session_pump(session);
    if (session->agent)
        weft_agent_detached(session->agent);
    weft_session_hang_up(session);
    weft_loop_fini(&session->loop);
    return status;
}

enum weft_status weft_session_stop(struct weft_session *session, struct weft_error *error)
{
    return session->runtime ? weft_runtime_stop(session->runtime, error) : WEFT_OK;
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
    weft_loop_fini(&session->loop);
    weft_tls_identity_destroy(session->identity);
    for (uint32_t i = 0; i < session->peer_count; i++)
        weft_mailbox_fini(&session->peers[i].to_controller);
    weft_mailbox_fini(&session->to_agent);
    free(session->peers);
    free(session->host_agents);
    free(session);
}
