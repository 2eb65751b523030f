/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/control/agent.h"

/* An agent that has no memory left for the few bytes of a message falls silent, and the controller
 * ends the test for that. */
static void say(struct weft_agent *agent, const Weft__Envelope *envelope, uint64_t now_ns)
{
    struct weft_error unsaid;
    if (!weft_wire_send(&agent->wire, 0, envelope, &unsaid))
        agent->said_ns = now_ns;
}

void weft_agent_say(struct weft_agent *agent, Weft__Envelope__BodyCase body, uint64_t now_ns)
{
    struct weft_wire_empty out;
    say(agent, weft_wire_empty(body, &out), now_ns);
}

void weft_agent_say_failure(struct weft_agent *agent, const struct weft_error *why, uint64_t now_ns)
{
    struct weft_error clean = *why;
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Failure message;
    weft__failure__init(&message);
    weft_wire_text_clean(clean.text);
    message.status = (uint32_t)why->status;
    message.text = clean.text;
    envelope.body_case = WEFT__ENVELOPE__BODY_FAILURE;
    envelope.failure = &message;
    say(agent, &envelope, now_ns);
}

void weft_agent_say_hello(struct weft_agent *agent, const struct weft_host_environment *environment,
                          uint64_t now_ns)
{
    static char version[] = WEFT_VERSION;
    struct weft_wire_environment out;
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Hello message;
    weft__hello__init(&message);
    weft_wire_environment_write(environment, &out);
    message.protocol = WEFT_CONTROL_VERSION;
    message.weft_version = version;
    message.environment = &out.message;
    envelope.body_case = WEFT__ENVELOPE__BODY_HELLO;
    envelope.hello = &message;
    say(agent, &envelope, now_ns);
}

/* Without an environment where the host cannot tell it any more. */
void weft_agent_say_released(struct weft_agent *agent, uint64_t now_ns)
{
    struct weft_wire_environment out;
    struct weft_host_environment environment = {0};
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Released message = WEFT__RELEASED__INIT;
    if (!agent->runtime->environment(agent->runtime_context, &environment)) {
        weft_wire_environment_write(&environment, &out);
        message.environment = &out.message;
    }
    envelope.body_case = WEFT__ENVELOPE__BODY_RELEASED;
    envelope.released = &message;
    say(agent, &envelope, now_ns);
}

void weft_agent_say_progress(struct weft_agent *agent, bool waits, uint64_t now_ns)
{
    uint64_t done[WEFT_JOBS_MAX];
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Progress message = WEFT__PROGRESS__INIT;
    for (uint32_t i = 0; i < agent->part_count; i++)
        done[i] = agent->parts[i].done_told = agent->parts[i].done;
    message.iterations_done = done;
    message.n_iterations_done = agent->part_count;
    message.waits = waits;
    envelope.body_case = WEFT__ENVELOPE__BODY_PROGRESS;
    envelope.progress = &message;
    say(agent, &envelope, now_ns);
    agent->waits_told = waits;
    agent->progress_told_ns = now_ns;
}

void weft_agent_say_durations(struct weft_agent *agent, uint32_t part, uint32_t count,
                              uint64_t now_ns)
{
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Durations message = WEFT__DURATIONS__INIT;
    message.part = part;
    message.first = agent->parts[part].durations_told;
    message.durations_ns = agent->block;
    message.n_durations_ns = count;
    message.intended_ns = agent->intended;
    message.n_intended_ns = agent->parts[part].is_open_loop ? count : 0;
    envelope.body_case = WEFT__ENVELOPE__BODY_DURATIONS;
    envelope.durations = &message;
    say(agent, &envelope, now_ns);
    agent->parts[part].durations_told += count;
}

void weft_agent_say_done(struct weft_agent *agent, uint64_t now_ns)
{
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Done message = WEFT__DONE__INIT;
    uint64_t done[WEFT_JOBS_MAX];
    for (uint32_t i = 0; i < agent->part_count; i++)
        done[i] = agent->parts[i].granted;
    message.iterations = done;
    message.n_iterations = agent->part_count;
    envelope.body_case = WEFT__ENVELOPE__BODY_DONE;
    envelope.done = &message;
    agent->state = WEFT_AGENT_READY;
    say(agent, &envelope, now_ns);
}
