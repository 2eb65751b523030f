/* SPDX-License-Identifier: BSD-3-Clause */
/* Do ranks wait for each other for ever? A message and its receive are one event, which waits for
 * what either of them requires and for the message before it on its queue pair. What is left when
 * all that can happen has happened waits in a circle. */
#include <stdio.h>
#include <stdlib.h>

#include "fabric/schedule/describe.h"
#include "fabric/schedule/match.h"

#define NONE UINT32_MAX
#define SHOWN_MAX 8u

struct events {
    const struct weft_side *sends;
    uint32_t count;    /* of ranks */
    uint32_t *first;   /* of each rank's operations among all; one more at the end */
    uint32_t *event;   /* of each operation: itself or, of a receive, the send */
    uint32_t *partner; /* of a send: the receive */
    uint32_t *next;    /* of a send: the one after it on its queue pair, or NONE */
    uint32_t *missing;
    uint32_t *queue;
};

static bool events_init(struct events *events, const struct weft_side *sends, uint32_t count)
{
    *events = (struct events){.sends = sends, .count = count};
    events->first = calloc((size_t)count + 1, sizeof(uint32_t));
    if (!events->first)
        return false;
    uint64_t total = 0;
    for (uint32_t rank = 0; rank < count; rank++) {
        total += sends[rank].schedule->op_count;
        if (total >= NONE)
            return false;
        events->first[rank + 1] = (uint32_t)total;
    }
    events->event = calloc(total + 1, sizeof(uint32_t));
    events->partner = calloc(total + 1, sizeof(uint32_t));
    events->next = calloc(total + 1, sizeof(uint32_t));
    events->missing = calloc(total + 1, sizeof(uint32_t));
    events->queue = calloc(total + 1, sizeof(uint32_t));
    return events->event && events->partner && events->next && events->missing && events->queue;
}

static void events_fini(struct events *events)
{
    free(events->first);
    free(events->event);
    free(events->partner);
    free(events->next);
    free(events->missing);
    free(events->queue);
}

static uint32_t rank_of(const struct events *events, uint32_t id)
{
    uint32_t low = 0, high = events->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (events->first[middle] <= id)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static const struct weft_op *op_of(const struct events *events, uint32_t id)
{
    uint32_t rank = rank_of(events, id);
    return &events->sends[rank].schedule->ops[id - events->first[rank]];
}

static void join_messages(struct events *events)
{
    for (uint32_t rank = 0; rank < events->count; rank++) {
        const struct weft_side *side = &events->sends[rank];
        const struct weft_op *before = NULL;
        for (uint32_t i = 0; i < side->count; i++) {
            const struct weft_op *op = &side->schedule->ops[side->ops[i]];
            uint32_t send = events->first[rank] + side->ops[i];
            uint32_t receive = events->first[op->peer] + side->partners[i];
            events->event[receive] = send;
            events->partner[send] = receive;
            if (before && before->peer == op->peer && before->queue_pair == op->queue_pair) {
                events->next[events->first[rank] + side->ops[i - 1]] = send;
                events->missing[send]++;
            }
            before = op;
        }
    }
}

static void count_missing(struct events *events)
{
    for (uint32_t rank = 0; rank < events->count; rank++) {
        const struct weft_schedule *schedule = events->sends[rank].schedule;
        for (uint32_t i = 0; i < schedule->op_count; i++)
            events->event[events->first[rank] + i] = events->first[rank] + i;
    }
    for (uint32_t id = 0; id < events->first[events->count]; id++)
        events->next[id] = events->partner[id] = NONE;
    join_messages(events);
    for (uint32_t rank = 0; rank < events->count; rank++) {
        const struct weft_schedule *schedule = events->sends[rank].schedule;
        for (uint32_t i = 0; i < schedule->op_count; i++)
            events->missing[events->event[events->first[rank] + i]] +=
                schedule->ops[i].requires_count;
    }
}

typedef void visit_function(struct events *events, uint32_t later, uint32_t earlier);

static void visit_successors(struct events *events, uint32_t id, visit_function *visit,
                             uint32_t event)
{
    uint32_t rank = rank_of(events, id);
    const struct weft_schedule *schedule = events->sends[rank].schedule;
    const struct weft_op *op = &schedule->ops[id - events->first[rank]];
    for (uint32_t i = 0; i < op->successor_count; i++) {
        uint32_t later = events->first[rank] + schedule->successors[op->first_successor + i];
        visit(events, events->event[later], event);
    }
}

/* What waits for an event. */
static void visit_later(struct events *events, uint32_t event, visit_function *visit)
{
    visit_successors(events, event, visit, event);
    if (events->partner[event] != NONE)
        visit_successors(events, events->partner[event], visit, event);
    if (events->next[event] != NONE)
        visit(events, events->next[event], event);
}

static void happen(struct events *events, uint32_t later, uint32_t earlier)
{
    (void)earlier;
    if (!--events->missing[later])
        events->queue[++events->queue[0]] = later;
}

/* The queue's first place holds how many are in it. Returns how many events never happen. */
static uint32_t run(struct events *events)
{
    uint32_t total = events->first[events->count], count = 0;
    events->queue[0] = 0;
    for (uint32_t id = 0; id < total; id++) {
        if (events->event[id] != id)
            continue;
        count++;
        if (!events->missing[id])
            events->queue[++events->queue[0]] = id;
    }
    for (uint32_t head = 1; head <= events->queue[0]; head++)
        visit_later(events, events->queue[head], happen);
    return count - events->queue[0];
}

static void go_back(struct events *events, uint32_t later, uint32_t earlier)
{
    events->queue[later] = earlier;
}

static size_t append(const struct events *events, uint32_t event, char *text, size_t used,
                     size_t room_bytes)
{
    char words[WEFT_OP_TEXT];
    uint32_t rank = rank_of(events, event);
    int length =
        snprintf(text + used, room_bytes - used, "%srank %u: %s", used ? ", which waits for " : "",
                 rank, weft_op_describe(op_of(events, event), event - events->first[rank], words));
    size_t end = used + (size_t)(length > 0 ? length : 0);
    return end < room_bytes ? end : room_bytes - 1;
}

/* Whatever is left waits for something that is left, so going back ends up on the circle. */
static enum weft_status report(struct events *events, struct weft_error *error)
{
    uint32_t total = events->first[events->count], at = NONE;
    for (uint32_t id = 0; id < total; id++) {
        if (events->event[id] != id || !events->missing[id])
            continue;
        visit_later(events, id, go_back);
        at = id;
    }
    for (uint32_t i = 0; i < total; i++)
        at = events->queue[at];
    char text[1200] = "";
    uint32_t member = at;
    size_t used = append(events, at, text, 0, sizeof(text));
    for (uint32_t shown = 0; shown < SHOWN_MAX; shown++) {
        member = events->queue[member];
        if (member == at)
            break;
        used = append(events, member, text, used, sizeof(text));
    }
    return weft_error_set(error, WEFT_INVALID, "the ranks wait for each other forever: %s, %s",
                          text, member == at ? "which waits for the first" : "and so on");
}

enum weft_status weft_schedules_check_progress(const struct weft_side *sends, uint32_t count,
                                               struct weft_error *error)
{
    struct events events;
    enum weft_status status = WEFT_OK;
    if (!events_init(&events, sends, count)) {
        status = weft_error_set(error, WEFT_NO_MEMORY,
                                "out of memory while looking for a deadlock among %u ranks", count);
    } else {
        count_missing(&events);
        if (run(&events))
            status = report(&events, error);
    }
    events_fini(&events);
    return status;
}
