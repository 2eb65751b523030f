/* SPDX-License-Identifier: BSD-3-Clause */
/* What agents say, checked against what they were asked. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/control/controller.h"

static enum weft_status mismatch(struct weft_controller *controller, uint32_t agent,
                                 const Weft__Hello *message, uint64_t now_ns)
{
    char version[64];
    struct weft_error unclean;
    if (weft_wire_copy("hello.weft_version", message->weft_version, version, sizeof(version),
                       &unclean))
        (void)snprintf(version, sizeof(version), "of an unknown version");
    weft_controller_break(controller, WEFT_UNSUPPORTED, now_ns,
                          "%s (weft %s) speaks protocol %u, this controller (weft %s) protocol %u: "
                          "install one version on both",
                          controller->agents[agent].name, version, message->protocol, WEFT_VERSION,
                          WEFT_CONTROL_VERSION);
    return WEFT_OK;
}

static enum weft_status on_hello(struct weft_controller *controller, uint32_t agent,
                                 const Weft__Hello *message, uint64_t now_ns,
                                 struct weft_error *error)
{
    struct weft_controller_agent *peer = &controller->agents[agent];
    peer->greeted = true;
    /* So that the other end can say it in its words too. */
    weft_controller_say_hello(controller, agent);
    if (message->protocol != WEFT_CONTROL_VERSION)
        return mismatch(controller, agent, message, now_ns);
    if (!message->environment)
        return weft_wire_missing("hello.environment", error);
    enum weft_status status = weft_wire_environment_read(
        message->environment, &controller->result->environments[agent], error);
    if (!status)
        weft_controller_answered(controller, agent, now_ns);
    return status;
}

/* One more than the highest of the ranks under way. */
static uint32_t rank_limit(const struct weft_controller *controller)
{
    uint32_t limit = 0;
    for (uint32_t i = 0; i < controller->part_count; i++) {
        uint32_t needed = weft_test_ranks_needed(&controller->parts[i].test);
        limit = needed > limit ? needed : limit;
    }
    return limit;
}

static enum weft_status on_prepared(struct weft_controller *controller, uint32_t agent,
                                    const Weft__Prepared *message, uint64_t now_ns,
                                    struct weft_error *error)
{
    struct weft_channel_address *addresses = NULL;
    enum weft_status status =
        weft_wire_range("prepared.parts' count", message->n_parts, controller->part_count,
                        controller->part_count, error);
    if (!status)
        status =
            weft_wire_addresses_read("prepared.addresses", message->addresses, message->n_addresses,
                                     rank_limit(controller), &addresses, error);
    if (!status)
        status = weft_channels_add(&controller->channels, agent, addresses,
                                   (uint32_t)message->n_addresses, controller->rank_agents, error);
    free(addresses);
    if (status)
        return status;
    for (uint32_t i = 0; i < controller->part_count; i++) {
        controller->parts[i].shares[agent].decides = message->parts[i]->decides;
        controller->parts[i].shares[agent].trace_count = message->parts[i]->trace_count;
    }
    weft_controller_answered(controller, agent, now_ns);
    return WEFT_OK;
}

static enum weft_status on_progress(struct weft_controller *controller, uint32_t agent,
                                    const Weft__Progress *message, uint64_t now_ns,
                                    struct weft_error *error)
{
    enum weft_status status =
        weft_wire_range("progress.iterations_done's count", message->n_iterations_done,
                        controller->part_count, controller->part_count, error);
    for (uint32_t i = 0; i < controller->part_count && !status; i++) {
        struct weft_controller_part *part = &controller->parts[i];
        struct weft_controller_share *share = &part->shares[agent];
        uint64_t done = message->iterations_done[i];
        if (!share->local_count)
            continue;
        status = weft_wire_range("progress.iterations_done", done, share->done, part->lease.granted,
                                 error);
        if (!status && done > share->done)
            controller->waited_ns = part->waited_ns = 0;
        share->done = done;
    }
    if (!status)
        weft_controller_renew(controller, message->waits, now_ns);
    return status;
}

static enum weft_status check_durations(const struct weft_controller *controller,
                                        const struct weft_controller_part *part,
                                        const struct weft_controller_share *share,
                                        const Weft__Durations *message, struct weft_error *error)
{
    if (controller->phase != WEFT_PHASE_MEASURE || !share->local_count || !share->decides)
        return weft_error_set(error, WEFT_INVALID, "durations came where none were expected");
    enum weft_status status =
        weft_wire_range("durations.first", message->first, share->taken, share->taken, error);
    if (!status)
        status = weft_wire_range("durations.durations_ns' count", message->n_durations_ns, 1,
                                 part->lease.granted - share->taken, error);
    for (size_t i = 0; i < message->n_durations_ns && !status; i++)
        status = weft_wire_range("durations.durations_ns", message->durations_ns[i], 0, INT64_MAX,
                                 error);
    size_t intended = part->test.rate_bps ? message->n_durations_ns : 0;
    if (!status)
        status = weft_wire_range("durations.intended_ns' count", message->n_intended_ns, intended,
                                 intended, error);
    for (size_t i = 0; i < message->n_intended_ns && !status; i++)
        status = weft_wire_range("durations.intended_ns", message->intended_ns[i],
                                 message->durations_ns[i], INT64_MAX, error);
    return status;
}

/* Those that all deciding agents have given go into the figures, where they count. */
static void merge_durations(struct weft_controller *controller, struct weft_controller_part *part)
{
    bool counts = controller->window == WEFT_WINDOW_WHOLE || controller->window == WEFT_WINDOW_OPEN;
    uint64_t complete = weft_controller_taken(controller, part);
    weft_merge_advance(&part->merge, complete, counts ? part->figures->completion_ns : NULL);
    if (part->test.rate_bps)
        weft_merge_advance(&part->intended, complete,
                           counts ? part->figures->completion_intended_ns : NULL);
}

static enum weft_status on_durations(struct weft_controller *controller, uint32_t agent,
                                     const Weft__Durations *message, uint64_t now_ns,
                                     struct weft_error *error)
{
    enum weft_status status =
        weft_wire_range("durations.part", message->part, 0, controller->part_count - 1, error);
    if (status)
        return status;
    struct weft_controller_part *part = &controller->parts[message->part];
    struct weft_controller_share *share = &part->shares[agent];
    status = check_durations(controller, part, share, message, error);
    if (status)
        return status;
    weft_merge_add(&part->merge, message->first, message->durations_ns, message->n_durations_ns);
    if (message->n_intended_ns)
        weft_merge_add(&part->intended, message->first, message->intended_ns,
                       message->n_intended_ns);
    share->taken += message->n_durations_ns;
    controller->waited_ns = part->waited_ns = 0;
    merge_durations(controller, part);
    weft_controller_trace_keep(controller, message->part);
    weft_controller_renew(controller, false, now_ns);
    return WEFT_OK;
}

static enum weft_status check_done(const struct weft_controller *controller, uint32_t part_index,
                                   uint32_t agent, uint64_t iterations, struct weft_error *error)
{
    const struct weft_controller_part *part = &controller->parts[part_index];
    const struct weft_controller_share *share = &part->shares[agent];
    uint64_t granted = part->lease.granted;
    if (!part->lease.last)
        return weft_error_set(error, WEFT_INVALID, "done came before the last grant");
    enum weft_status status =
        weft_wire_range("done.iterations", iterations, granted, granted, error);
    if (!status && controller->phase == WEFT_PHASE_MEASURE && share->local_count &&
        share->decides && share->taken < granted)
        return weft_error_set(error, WEFT_INVALID,
                              "done came with %" PRIu64 " of %" PRIu64 " durations", share->taken,
                              granted);
    return status;
}

static enum weft_status on_done(struct weft_controller *controller, uint32_t agent,
                                const Weft__Done *message, uint64_t now_ns,
                                struct weft_error *error)
{
    enum weft_status status =
        weft_wire_range("done.iterations' count", message->n_iterations, controller->part_count,
                        controller->part_count, error);
    for (uint32_t i = 0; i < controller->part_count && !status; i++)
        status = check_done(controller, i, agent, message->iterations[i], error);
    if (status)
        return status;
    for (uint32_t i = 0; i < controller->part_count; i++)
        controller->parts[i].shares[agent].done = controller->parts[i].lease.granted;
    weft_controller_answered(controller, agent, now_ns);
    return WEFT_OK;
}

/* Is an earlier rank of the part on the same NIC? */
static bool shares_device(const struct weft_controller *controller,
                          const struct weft_test_result *figures, uint32_t place)
{
    const uint32_t *rank_nics = controller->options.topology->rank_nics;
    for (uint32_t i = 0; i < place; i++) {
        if (rank_nics[figures->ranks[i].rank] == rank_nics[figures->ranks[place].rank])
            return true;
    }
    return false;
}

static enum weft_status check_rank(const struct weft_controller *controller, uint32_t agent,
                                   uint32_t rank, struct weft_error *error)
{
    enum weft_status status =
        weft_wire_range("rank_result.rank", rank, 0, rank_limit(controller) - 1, error);
    if (status)
        return status;
    uint32_t part = controller->rank_parts[rank];
    if (controller->rank_agents[rank] != agent || part == WEFT_PART_NONE)
        return weft_error_set(error, WEFT_INVALID,
                              "rank_result.rank is %u, which is not a rank of this agent", rank);
    if (controller->parts[part].figures->ranks[controller->rank_places[rank]].reported)
        return weft_error_set(error, WEFT_INVALID, "rank_result.rank is %u for the second time",
                              rank);
    return WEFT_OK;
}

static enum weft_status on_rank_result(struct weft_controller *controller, uint32_t agent,
                                       const Weft__RankResult *message, uint64_t now_ns,
                                       struct weft_error *error)
{
    struct weft_controller_agent *peer = &controller->agents[agent];
    enum weft_status status = check_rank(controller, agent, message->rank, error);
    if (status)
        return status;
    struct weft_test_result *figures =
        controller->parts[controller->rank_parts[message->rank]].figures;
    uint32_t place = controller->rank_places[message->rank];
    status = weft_wire_rank_read(message, &figures->ranks[place], error);
    if (status)
        return status;
    figures->ranks[place].host = agent;
    figures->ranks[place].counters_shared = shares_device(controller, figures, place);
    controller->waited_ns = 0;
    if (++peer->ranks_reported == peer->local_count && controller->stage != WEFT_STAGE_STOPPING)
        weft_controller_answered(controller, agent, now_ns);
    return WEFT_OK;
}

static enum weft_status on_trace(struct weft_controller *controller, uint32_t agent,
                                 const Weft__Trace *message, struct weft_error *error)
{
    controller->waited_ns = 0;
    return weft_controller_trace_take(controller, agent, message, error);
}

static enum weft_status on_released(struct weft_controller *controller, uint32_t agent,
                                    const Weft__Released *message, uint64_t now_ns,
                                    struct weft_error *error)
{
    if (message->environment) {
        enum weft_status status = weft_wire_environment_read(
            message->environment, &controller->result->environments[agent], error);
        if (status)
            return status;
    }
    if (controller->stage == WEFT_STAGE_STOPPING) {
        controller->agents[agent].answered = true;
        weft_controller_settle(controller);
    } else {
        weft_controller_answered(controller, agent, now_ns);
    }
    return WEFT_OK;
}

/* A device that is not there is said as it was said on its host; what broke on the way has its
 * moment beside it. */
static enum weft_status on_failure(struct weft_controller *controller, uint32_t agent,
                                   const Weft__Failure *message, uint64_t now_ns,
                                   struct weft_error *error)
{
    const struct weft_controller_agent *peer = &controller->agents[agent];
    enum weft_status status = weft_wire_range("failure.status", message->status, WEFT_INVALID,
                                              WEFT_STATUS_COUNT - 1, error);
    if (!status)
        status = weft_wire_text("failure.text", message->text, WEFT_BROKEN_BYTES, error);
    if (status)
        return status;
    if (controller->stage <= WEFT_STAGE_PREPARING)
        weft_controller_break(controller, (enum weft_status)message->status, now_ns, "host %s: %s",
                              peer->host, message->text);
    else
        weft_controller_break(controller, (enum weft_status)message->status, now_ns,
                              "host %s, while %s: %s", peer->host,
                              weft_controller_during(controller), message->text);
    return WEFT_OK;
}

static enum weft_status unexpected(const struct weft_controller *controller,
                                   const Weft__Envelope *envelope, struct weft_error *error)
{
    (void)controller;
    return weft_error_set(error, WEFT_INVALID, "the message '%s' was not expected",
                          weft_wire_name(envelope->body_case));
}

/* Does the agent still owe its stage this kind of message? */
static bool is_due(const struct weft_controller *controller, uint32_t agent,
                   Weft__Envelope__BodyCase body)
{
    const struct weft_controller_agent *peer = &controller->agents[agent];
    const struct weft_stage_row *stage = &weft_stages[controller->stage];
    if (!peer->greeted || !peer->takes_part || peer->answered)
        return false;
    for (uint32_t i = 0; i < WEFT_STAGE_ANSWERS && stage->answers[i]; i++) {
        if (stage->answers[i] == body)
            return true;
    }
    return false;
}

static enum weft_status on_step(struct weft_controller *controller, uint32_t agent,
                                const Weft__Envelope *envelope, uint64_t now_ns,
                                struct weft_error *error)
{
    Weft__Envelope__BodyCase body = envelope->body_case;
    if (!is_due(controller, agent, body))
        return unexpected(controller, envelope, error);
    if (body == WEFT__ENVELOPE__BODY_PREPARED)
        return on_prepared(controller, agent, envelope->prepared, now_ns, error);
    if (body == WEFT__ENVELOPE__BODY_PROGRESS)
        return on_progress(controller, agent, envelope->progress, now_ns, error);
    if (body == WEFT__ENVELOPE__BODY_DURATIONS)
        return on_durations(controller, agent, envelope->durations, now_ns, error);
    if (body == WEFT__ENVELOPE__BODY_DONE)
        return on_done(controller, agent, envelope->done, now_ns, error);
    if (body == WEFT__ENVELOPE__BODY_RANK_RESULT)
        return on_rank_result(controller, agent, envelope->rank_result, now_ns, error);
    if (body == WEFT__ENVELOPE__BODY_TRACE)
        return on_trace(controller, agent, envelope->trace, error);
    if (body == WEFT__ENVELOPE__BODY_RELEASED)
        return on_released(controller, agent, envelope->released, now_ns, error);
    weft_controller_answered(controller, agent, now_ns);
    return WEFT_OK;
}

/* Figures are kept; what else was said before the abort was heard matters no more. */
static enum weft_status on_last_words(struct weft_controller *controller, uint32_t agent,
                                      const Weft__Envelope *envelope, uint64_t now_ns,
                                      struct weft_error *error)
{
    Weft__Envelope__BodyCase body = envelope->body_case;
    if (body == WEFT__ENVELOPE__BODY_RELEASED)
        return on_released(controller, agent, envelope->released, now_ns, error);
    if (body == WEFT__ENVELOPE__BODY_RANK_RESULT && controller->phase == WEFT_PHASE_MEASURE)
        return on_rank_result(controller, agent, envelope->rank_result, now_ns, error);
    return WEFT_OK;
}

enum weft_status weft_controller_dispatch(struct weft_controller *controller, uint32_t agent,
                                          const Weft__Envelope *envelope, uint64_t now_ns,
                                          struct weft_error *error)
{
    Weft__Envelope__BodyCase body = envelope->body_case;
    if (body == WEFT__ENVELOPE__BODY_ALIVE)
        return WEFT_OK;
    if (controller->stage == WEFT_STAGE_STOPPING)
        return on_last_words(controller, agent, envelope, now_ns, error);
    if (body == WEFT__ENVELOPE__BODY_HELLO && controller->stage == WEFT_STAGE_GREETING &&
        !controller->agents[agent].greeted)
        return on_hello(controller, agent, envelope->hello, now_ns, error);
    if (body == WEFT__ENVELOPE__BODY_FAILURE)
        return on_failure(controller, agent, envelope->failure, now_ns, error);
    return on_step(controller, agent, envelope, now_ns, error);
}
