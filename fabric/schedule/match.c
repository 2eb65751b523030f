/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "fabric/schedule/describe.h"
#include "fabric/schedule/match.h"

struct sort_key {
    uint64_t flow;
    uint32_t op;
};

static int compare_keys(const void *left, const void *right)
{
    const struct sort_key *a = left, *b = right;
    if (a->flow != b->flow)
        return a->flow < b->flow ? -1 : 1;
    return a->op < b->op ? -1 : a->op > b->op;
}

static bool side_init(struct weft_side *side, const struct weft_schedule *schedule,
                      enum weft_op_kind kind)
{
    side->schedule = schedule;
    struct sort_key *keys = calloc((size_t)schedule->op_count + 1, sizeof(*keys));
    side->ops = calloc((size_t)schedule->op_count + 1, sizeof(*side->ops));
    side->partners = calloc((size_t)schedule->op_count + 1, sizeof(*side->partners));
    if (!keys || !side->ops || !side->partners) {
        free(keys);
        return false;
    }
    for (uint32_t i = 0; i < schedule->op_count; i++)
        if (schedule->ops[i].kind == kind)
            keys[side->count++] =
                (struct sort_key){.flow = weft_flow_of(&schedule->ops[i]), .op = i};
    qsort(keys, side->count, sizeof(*keys), compare_keys);
    for (uint32_t i = 0; i < side->count; i++)
        side->ops[i] = keys[i].op;
    free(keys);
    return true;
}

static uint32_t peer_at(const struct weft_side *side, uint32_t place)
{
    return side->schedule->ops[side->ops[place]].peer;
}

/* The first place whose flow is `flow` or more. */
static uint32_t find_flow(const struct weft_side *side, uint64_t flow)
{
    uint32_t low = 0, high = side->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (weft_flow_of(&side->schedule->ops[side->ops[middle]]) < flow)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A message that the other rank knows nothing of. */
static enum weft_status report_alone(const struct weft_side *side, uint32_t place,
                                     struct weft_error *error)
{
    char text[WEFT_OP_TEXT];
    uint32_t index = side->ops[place];
    const struct weft_op *op = &side->schedule->ops[index];
    return weft_error_set(error, WEFT_INVALID, "rank %u: %s has no counterpart: rank %u %s",
                          side->schedule->rank, weft_op_describe(op, index, text), op->peer,
                          op->kind == WEFT_OP_SEND ? "receives fewer messages from it"
                                                   : "sends fewer messages to it");
}

static enum weft_status compare_pair(const struct weft_side *sends, uint32_t send_index,
                                     const struct weft_side *receives, uint32_t receive_index,
                                     struct weft_error *error)
{
    const struct weft_op *send = &sends->schedule->ops[send_index];
    const struct weft_op *receive = &receives->schedule->ops[receive_index];
    if (send->len_bytes == receive->len_bytes && send->tag == receive->tag)
        return WEFT_OK;
    char send_text[WEFT_OP_TEXT], receive_text[WEFT_OP_TEXT];
    (void)weft_op_describe(send, send_index, send_text);
    (void)weft_op_describe(receive, receive_index, receive_text);
    return weft_error_set(error, WEFT_INVALID,
                          "rank %u: %s with tag %u meets rank %u: %s with tag %u; lengths and tags "
                          "must agree",
                          sends->schedule->rank, send_text, send->tag, receives->schedule->rank,
                          receive_text, receive->tag);
}

/* All messages from one rank to another on one queue pair. `at` is the first of them; returns past
 * the last. */
static enum weft_status compare_flow(const struct weft_side *sends, uint32_t *at,
                                     const struct weft_side *receives, struct weft_error *error)
{
    uint64_t flow = weft_flow_of(&sends->schedule->ops[sends->ops[*at]]);
    uint64_t back = (uint64_t)sends->schedule->rank << 32 | (uint32_t)flow;
    uint32_t place = find_flow(receives, back), end = find_flow(receives, back + 1);
    for (; *at < sends->count && weft_flow_of(&sends->schedule->ops[sends->ops[*at]]) == flow;
         (*at)++, place++) {
        if (place == end)
            return report_alone(sends, *at, error);
        enum weft_status status =
            compare_pair(sends, sends->ops[*at], receives, receives->ops[place], error);
        sends->partners[*at] = receives->ops[place];
        if (status != WEFT_OK)
            return status;
    }
    return place == end ? WEFT_OK : report_alone(receives, place, error);
}

static enum weft_status compare_all(const struct weft_side *sends, const struct weft_side *receives,
                                    uint32_t count, struct weft_error *error)
{
    uint64_t sent = 0, received = 0;
    for (uint32_t rank = 0; rank < count; rank++) {
        sent += sends[rank].count;
        received += receives[rank].count;
        for (uint32_t at = 0; at < sends[rank].count;) {
            const struct weft_side *peer = &receives[peer_at(&sends[rank], at)];
            enum weft_status status = compare_flow(&sends[rank], &at, peer, error);
            if (status != WEFT_OK)
                return status;
        }
    }
    if (sent == received)
        return WEFT_OK;
    /* What is left over: a rank receives from one that sends it nothing at all. */
    for (uint32_t rank = 0; rank < count; rank++) {
        for (uint32_t at = 0; at < receives[rank].count; at++) {
            const struct weft_side *peer = &sends[peer_at(&receives[rank], at)];
            uint32_t queue_pair = receives[rank].schedule->ops[receives[rank].ops[at]].queue_pair;
            uint64_t flow = (uint64_t)rank << 32 | queue_pair;
            if (find_flow(peer, flow) == find_flow(peer, flow + 1))
                return report_alone(&receives[rank], at, error);
        }
    }
    return WEFT_OK;
}

static enum weft_status check_ranks(const struct weft_schedule *const *schedules, uint32_t count,
                                    struct weft_error *error)
{
    for (uint32_t rank = 0; rank < count; rank++) {
        const struct weft_schedule *schedule = schedules[rank];
        if (schedule->rank != rank || schedule->rank_count != count)
            return weft_error_set(error, WEFT_INVALID, "schedule %u of %u is that of rank %u of %u",
                                  rank, count, schedule->rank, schedule->rank_count);
        if (schedule->element != schedules[0]->element ||
            schedule->reduction != schedules[0]->reduction)
            return weft_error_set(
                error, WEFT_INVALID,
                "rank %u reduces %s by %s where rank 0 reduces %s by %s; all ranks must agree",
                rank, weft_element_names[schedule->element],
                weft_reduction_names[schedule->reduction],
                weft_element_names[schedules[0]->element],
                weft_reduction_names[schedules[0]->reduction]);
    }
    return WEFT_OK;
}

/* `sides` has the sends of all ranks, then the receives. */
static enum weft_status sides_init(const struct weft_schedule *const *schedules, uint32_t count,
                                   struct weft_side **ret_sides, struct weft_error *error)
{
    struct weft_side *sides = calloc(2 * (size_t)count + 1, sizeof(*sides));
    bool made = sides != NULL;
    for (uint32_t rank = 0; made && rank < count; rank++)
        made = side_init(&sides[rank], schedules[rank], WEFT_OP_SEND) &&
               side_init(&sides[count + rank], schedules[rank], WEFT_OP_RECEIVE);
    *ret_sides = sides;
    if (made)
        return WEFT_OK;
    return weft_error_set(error, WEFT_NO_MEMORY,
                          "out of memory while comparing the schedules of %u ranks", count);
}

static void sides_fini(struct weft_side *sides, uint32_t count)
{
    for (uint32_t i = 0; sides && i < 2 * count; i++) {
        free(sides[i].ops);
        free(sides[i].partners);
    }
    free(sides);
}

enum weft_status weft_schedules_match(const struct weft_schedule *const *schedules, uint32_t count,
                                      struct weft_error *error)
{
    struct weft_side *sides = NULL;
    enum weft_status status = check_ranks(schedules, count, error);
    if (status == WEFT_OK)
        status = sides_init(schedules, count, &sides, error);
    if (status == WEFT_OK)
        status = compare_all(sides, sides + count, count, error);
    if (status == WEFT_OK)
        status = weft_schedules_check_progress(sides, count, error);
    sides_fini(sides, count);
    return status;
}

/* ---- who meets whom ---- */

static enum weft_status fill_partners(const struct weft_side *sends, uint32_t count,
                                      uint32_t **partners, struct weft_error *error)
{
    for (uint32_t rank = 0; rank < count; rank++) {
        uint32_t op_count = sends[rank].schedule->op_count;
        partners[rank] = malloc(((size_t)op_count + 1) * sizeof(*partners[rank]));
        if (!partners[rank])
            return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for pairs of messages");
        for (uint32_t i = 0; i < op_count; i++)
            partners[rank][i] = WEFT_OP_NONE;
    }
    for (uint32_t rank = 0; rank < count; rank++) {
        for (uint32_t at = 0; at < sends[rank].count; at++) {
            partners[rank][sends[rank].ops[at]] = sends[rank].partners[at];
            partners[peer_at(&sends[rank], at)][sends[rank].partners[at]] = sends[rank].ops[at];
        }
    }
    return WEFT_OK;
}

enum weft_status weft_schedules_pair(const struct weft_schedule *const *schedules, uint32_t count,
                                     uint32_t ***ret_partners, struct weft_error *error)
{
    struct weft_side *sides = NULL;
    uint32_t **partners = calloc((size_t)count + 1, sizeof(uint32_t *));
    if (!partners)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for pairs of messages");
    enum weft_status status = check_ranks(schedules, count, error);
    if (status == WEFT_OK)
        status = sides_init(schedules, count, &sides, error);
    if (status == WEFT_OK)
        status = compare_all(sides, sides + count, count, error);
    if (status == WEFT_OK)
        status = fill_partners(sides, count, partners, error);
    sides_fini(sides, count);
    if (status == WEFT_OK) {
        *ret_partners = partners;
        return WEFT_OK;
    }
    weft_schedules_pair_free(partners, count);
    return status;
}

void weft_schedules_pair_free(uint32_t **partners, uint32_t count)
{
    for (uint32_t rank = 0; partners && rank < count; rank++)
        free(partners[rank]);
    free(partners);
}
