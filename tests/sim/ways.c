/* SPDX-License-Identifier: BSD-3-Clause */
/* Connected endpoints: messages in order, once, intact, or reported as failed. */
#include <assert.h>
#include <string.h>

#include "transport.h"

#define WORD_BYTES 8u
#define LARGE_BYTES (64u << 10)
#define WAY_BYTES (160u << 10)

static bool takes_receive(enum weft_operation operation)
{
    return operation == WEFT_OPERATION_SEND || operation == WEFT_OPERATION_SEND_IMMEDIATE ||
           operation == WEFT_OPERATION_WRITE_IMMEDIATE;
}

static bool has_immediate(enum weft_operation operation)
{
    return operation == WEFT_OPERATION_SEND_IMMEDIATE ||
           operation == WEFT_OPERATION_WRITE_IMMEDIATE;
}

static bool is_atomic(enum weft_operation operation)
{
    return operation == WEFT_OPERATION_COMPARE_SWAP || operation == WEFT_OPERATION_FETCH_ADD;
}

static bool lands_in_receive(enum weft_operation operation)
{
    return operation == WEFT_OPERATION_SEND || operation == WEFT_OPERATION_SEND_IMMEDIATE;
}

/* ---- what is drawn ---- */

static enum weft_operation draw_operation(struct transport *transport, const struct way *way)
{
    static const uint32_t one_way =
        WEFT_BIT(WEFT_OPERATION_SEND) | WEFT_BIT(WEFT_OPERATION_SEND_IMMEDIATE) |
        WEFT_BIT(WEFT_OPERATION_WRITE) | WEFT_BIT(WEFT_OPERATION_WRITE_IMMEDIATE);
    uint32_t possible = WEFT_SIM_OPERATIONS & ~WEFT_BIT(WEFT_OPERATION_RECEIVE);
    if (way->transport == WEFT_TRANSPORT_UC)
        possible &= one_way;
    for (;;) {
        uint64_t drawn = weft_random_below(&transport->random, WEFT_OPERATION_COUNT);
        if (possible & WEFT_BIT(drawn))
            return (enum weft_operation)drawn;
    }
}

static uint32_t draw_length(struct transport *transport, uint32_t most_bytes)
{
    struct weft_random *random = &transport->random;
    uint32_t mtu_bytes = transport->scenario->mtu_bytes;
    uint64_t len_bytes = weft_random_below(random, 4 * mtu_bytes);
    if (draw_once_in(random, 4))
        len_bytes = mtu_bytes * draw_between(random, 1, 3); /* the edge */
    else if (draw_once_in(random, 20))
        len_bytes = weft_random_below(random, LARGE_BYTES);
    return len_bytes < most_bytes ? (uint32_t)len_bytes : most_bytes;
}

static void draw_message(struct transport *transport, struct way *way, struct message *message)
{
    struct weft_random *random = &transport->random;
    bool is_uc = way->transport == WEFT_TRANSPORT_UC;
    message->operation = draw_operation(transport, way);
    message->len_bytes = draw_length(transport, is_uc ? way->landing_bytes : LARGE_BYTES);
    if (is_atomic(message->operation))
        message->len_bytes = WORD_BYTES;
    /* A UC message that lands anywhere says in its first bytes which it is. */
    if (is_uc && message->operation == WEFT_OPERATION_SEND && message->len_bytes < WORD_BYTES)
        message->len_bytes = WORD_BYTES;
    /* One in a queue's depth is heard of, or nobody knew when there is room again. */
    uint32_t index = (uint32_t)(message - way->messages);
    message->unsignaled = draw_once_in(random, 5) && !is_uc && (index + 1) % way->depth != 0;
    message->compare = weft_random_below(random, 3);
    message->operand = weft_random_below(random, 3);
    message->local = place_take(transport, way->from, message->len_bytes);
    if (!is_atomic(message->operation))
        message->remote = place_take(transport, way->to, message->len_bytes);
    if (takes_receive(message->operation))
        way->receivers[way->receive_count++] = (uint32_t)(message - way->messages);
}

void way_draw(struct transport *transport, uint32_t index)
{
    struct way *way = &transport->ways[index];
    struct weft_random *random = &transport->random;
    uint64_t wanted = weft_random_below(random, draw_once_in(random, 3) ? MESSAGES_MAX : 8);
    uint64_t bytes = 0;
    way->ahead = (uint32_t)draw_between(random, 1, 16);
    way->word = place_take(transport, way->to, WORD_BYTES);
    way->landing_bytes = 2 * transport->scenario->mtu_bytes + WORD_BYTES;
    while (way->count < wanted && bytes < WAY_BYTES) {
        struct message *message = &way->messages[way->count++];
        draw_message(transport, way, message);
        bytes += message->len_bytes;
    }
    /* And the last. */
    if (way->count)
        way->messages[way->count - 1].unsignaled = false;
    for (uint32_t i = 0; way->transport == WEFT_TRANSPORT_UC && i < way->receive_count; i++)
        way->landing[i] = place_take(transport, way->to, way->landing_bytes);
}

void way_tag(struct transport *transport, uint32_t index)
{
    const struct way *way = &transport->ways[index];
    for (uint64_t i = 0; way->transport == WEFT_TRANSPORT_UC && i < way->count; i++) {
        if (way->messages[i].operation == WEFT_OPERATION_SEND)
            memcpy(transport->ends[way->from].memory + way->messages[i].local, &i, sizeof(i));
    }
}

/* ---- posting ---- */

static bool post_send(struct transport *transport, struct way *way, uint32_t index)
{
    struct message *message = &way->messages[index];
    const struct end *from = &transport->ends[way->from];
    const struct end *to = &transport->ends[way->to];
    uint32_t remote = is_atomic(message->operation) ? way->word : message->remote;
    const struct weft_work work = {
        .id = index,
        .memory = from->memory + message->local,
        .lkey = from->region.lkey,
        .len_bytes = message->len_bytes,
        .operation = message->operation,
        .immediate = index,
        .remote_address = (uintptr_t)(to->memory + remote),
        .rkey = to->region.rkey,
        .compare = message->compare,
        .operand = message->operand,
        .unsignaled = message->unsignaled,
    };
    if (!weft_roce_post_send(way->qp, &work, 1))
        return false;
    message->state = MESSAGE_POSTED;
    weft_sim_kick(transport->fabric, way->from);
    return true;
}

static bool post_receive(const struct transport *transport, struct way *way)
{
    const struct end *to = &transport->ends[way->to];
    const struct message *message = &way->messages[way->receivers[way->receives_posted]];
    bool is_uc = way->transport == WEFT_TRANSPORT_UC;
    bool lands = is_uc || lands_in_receive(message->operation);
    uint32_t at = is_uc ? way->landing[way->receives_posted] : message->remote;
    const struct weft_work work = {
        .id = way->receives_posted,
        .memory = lands ? to->memory + at : NULL,
        .lkey = lands ? to->region.lkey : 0,
        .len_bytes = is_uc   ? way->landing_bytes
                     : lands ? message->len_bytes
                             : 0,
        .operation = WEFT_OPERATION_RECEIVE,
    };
    return weft_roce_post_receive(way->peer, &work, 1) == 1;
}

uint32_t way_post(struct transport *transport, uint32_t index, bool eager)
{
    struct way *way = &transport->ways[index];
    uint32_t done = 0;
    while (way->receives_posted < way->receive_count &&
           way->receives_posted - way->receives_completed < way->ahead &&
           (eager || !draw_once_in(&transport->random, 3)) && post_receive(transport, way)) {
        way->receives_posted++;
        done++;
    }
    while (way->posted < way->count && way->posted - way->completed < way->depth &&
           post_send(transport, way, way->posted)) {
        way->posted++;
        done++;
    }
    return done;
}

/* ---- completions ---- */

static struct place_rule there(const struct way *way, const struct message *message)
{
    if (message->operation == WEFT_OPERATION_READ)
        return (struct place_rule){way->from, message->local, message->len_bytes, way->to,
                                   message->remote};
    return (struct place_rule){way->to, message->remote, message->len_bytes, way->from,
                               message->local};
}

static uint64_t word_after(const struct message *message, uint64_t value)
{
    if (message->operation == WEFT_OPERATION_FETCH_ADD)
        return value + message->operand;
    return value == message->compare ? message->operand : value;
}

static void check_atomic(struct transport *transport, struct way *way,
                         const struct message *message)
{
    struct end *from = &transport->ends[way->from];
    uint64_t found;
    memcpy(&found, from->memory + message->local, sizeof(found));
    if (found != way->word_value)
        record_broken(transport->record,
                      "an atomic of NIC %u found %llx, but %llx were there: it was not done once",
                      way->from, (unsigned long long)found, (unsigned long long)way->word_value);
    memcpy(from->shadow + message->local, &found, sizeof(found));
    way->word_value = word_after(message, way->word_value);
}

static void check_done(struct transport *transport, struct way *way, uint32_t index)
{
    const struct message *message = &way->messages[index];
    if (way->transport == WEFT_TRANSPORT_UC)
        return;
    if (is_atomic(message->operation)) {
        check_atomic(transport, way, message);
        return;
    }
    if (takes_receive(message->operation)) {
        if (!message->delivered)
            record_broken(transport->record,
                          "message %u from NIC %u to NIC %u was acknowledged, but not delivered",
                          index, way->from, way->to);
        return;
    }
    const struct place_rule rule = there(way, message);
    place_copied(transport, &rule, "a completed operation");
}

static void send_complete(struct transport *transport, struct way *way,
                          const struct weft_completion *completion)
{
    uint32_t index = (uint32_t)completion->id;
    bool good = completion->status == WEFT_OK;
    /* Those without a completion of their own are well, or their failure would have been told. */
    while (way->completed < index && way->messages[way->completed].unsignaled) {
        check_done(transport, way, way->completed);
        way->messages[way->completed++].state = MESSAGE_COMPLETE;
    }
    if (index != way->completed || index >= way->posted ||
        completion->operation != way->messages[index].operation) {
        record_broken(transport->record,
                      "NIC %u: work %u completes as operation %d, but work %u is the next",
                      way->from, index, (int)completion->operation, way->completed);
        return;
    }
    if (good && way->failed)
        record_broken(transport->record, "NIC %u: work %u is well after one has failed", way->from,
                      index);
    way->failed = way->failed || !good;
    way->messages[index].state = good ? MESSAGE_COMPLETE : MESSAGE_FAILED;
    way->completed++;
    if (good)
        check_done(transport, way, index);
}

static void uc_received(struct transport *transport, struct way *way, uint32_t receive,
                        const struct weft_completion *completion)
{
    struct end *to = &transport->ends[way->to];
    uint64_t tag = completion->immediate;
    if (!completion->has_immediate)
        memcpy(&tag, to->memory + way->landing[receive], sizeof(tag));
    if (tag < way->next_index || tag >= way->posted) {
        record_broken(transport->record, "UC: message %llx came, but %u or later was to come",
                      (unsigned long long)tag, way->next_index);
        return;
    }
    struct message *message = &way->messages[tag];
    way->next_index = (uint32_t)tag + 1;
    message->delivered = true;
    if (completion->len_bytes != message->len_bytes)
        record_broken(transport->record, "UC: message %llu has %u bytes, not %u",
                      (unsigned long long)tag, completion->len_bytes, message->len_bytes);
    struct place_rule rule = there(way, message);
    if (lands_in_receive(message->operation))
        rule.at = way->landing[receive];
    place_copied(transport, &rule, "a UC message");
}

static void receive_complete(struct transport *transport, struct way *way,
                             const struct weft_completion *completion)
{
    uint32_t receive = (uint32_t)completion->id;
    if (receive != way->receives_completed || receive >= way->receives_posted) {
        record_broken(transport->record, "NIC %u: receive %u completes, but %u is the next",
                      way->to, receive, way->receives_completed);
        return;
    }
    way->receives_completed++;
    if (completion->status != WEFT_OK)
        return;
    if (way->transport == WEFT_TRANSPORT_UC) {
        uc_received(transport, way, receive, completion);
        return;
    }
    uint32_t index = way->receivers[receive];
    struct message *message = &way->messages[index];
    bool immediate = has_immediate(message->operation);
    if (index >= way->posted || completion->len_bytes != message->len_bytes ||
        completion->has_immediate != immediate || (immediate && completion->immediate != index))
        record_broken(transport->record,
                      "NIC %u: receive %u got %u bytes and immediate %u, but message %u has %u "
                      "bytes",
                      way->to, receive, completion->len_bytes, completion->immediate, index,
                      message->len_bytes);
    message->delivered = true;
    const struct place_rule rule = there(way, message);
    place_copied(transport, &rule, "a received message");
}

void way_complete(struct transport *transport, uint32_t index,
                  const struct weft_completion *completion)
{
    if (completion->operation == WEFT_OPERATION_RECEIVE)
        receive_complete(transport, &transport->ways[index ^ 1u], completion);
    else
        send_complete(transport, &transport->ways[index], completion);
}

/* ---- the end ---- */

bool way_is_done(const struct transport *transport, uint32_t index)
{
    const struct way *way = &transport->ways[index];
    const struct scenario *scenario = transport->scenario;
    if (scenario->harm == SCENARIO_DEAD && scenario->harmed == way->from)
        return true; /* nobody is left to be told */
    return way->completed == way->count || (way->failed && way->completed == way->posted);
}

static void doubt_message(struct transport *transport, struct way *way, struct message *message)
{
    if (message->state == MESSAGE_WAITING || is_atomic(message->operation))
        return;
    const struct place_rule rule = there(way, message);
    place_doubted(transport, &rule);
}

/* Failed, or posted at a NIC that died. */
static bool is_doubtful_atomic(const struct message *message)
{
    return is_atomic(message->operation) &&
           (message->state == MESSAGE_FAILED || message->state == MESSAGE_POSTED);
}

/* As many of the doubtful atomics as were done, in order. */
static void settle_word(struct transport *transport, struct way *way)
{
    struct end *to = &transport->ends[way->to];
    uint64_t found, value = way->word_value;
    memcpy(&found, to->memory + way->word, sizeof(found));
    for (uint32_t i = 0; i < way->posted && found != value; i++) {
        if (is_doubtful_atomic(&way->messages[i]))
            value = word_after(&way->messages[i], value);
    }
    memcpy(to->shadow + way->word, &value, sizeof(value));
    for (uint32_t i = 0; i < way->posted; i++) {
        if (is_doubtful_atomic(&way->messages[i]))
            place_doubted(transport, &(struct place_rule){way->from, way->messages[i].local,
                                                          WORD_BYTES, NOWHERE, 0});
    }
}

void way_finish(struct transport *transport, uint32_t index)
{
    struct way *way = &transport->ways[index];
    bool is_uc = way->transport == WEFT_TRANSPORT_UC;
    for (uint32_t i = 0; i < way->posted; i++) {
        struct message *message = &way->messages[i];
        bool certain = is_uc ? message->delivered : message->state == MESSAGE_COMPLETE;
        if (!certain && !message->delivered)
            doubt_message(transport, way, message);
    }
    for (uint32_t i = 0; is_uc && i < way->receive_count; i++)
        place_doubted(transport, &(struct place_rule){way->to, way->landing[i], way->landing_bytes,
                                                      NOWHERE, 0});
    settle_word(transport, way);
    if (!way_is_done(transport, index))
        record_broken(transport->record,
                      "NIC %u to NIC %u: %u of %u works are complete and nothing happens any more",
                      way->from, way->to, way->completed, way->count);
    if (transport->scenario->survivable && way->failed)
        record_broken(transport->record, "NIC %u to NIC %u: failed though little went wrong",
                      way->from, way->to);
}
