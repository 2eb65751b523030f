/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/vm/traffic.h"

#include <assert.h>
#include <string.h>

/* Between two messages, and untouched. */
#define GUARD_BYTES 64u
/* A datagram or message that says: all before it have come, or never will. */
#define LAST_IMMEDIATE UINT32_MAX
#define LAST_TRIES (END_DEPTH - TRAFFIC_COUNT_MAX)

struct run {
    const struct traffic *traffic;
    struct end *from, *to;     /* who posts, and its peer */
    struct end *source, *sink; /* where the bytes come from, and where they go */
    struct weft_destination *destination;
    uint32_t stride_bytes, header_bytes;
    uint32_t received; /* messages in the completions, less the last's */
};

const char *operation_text(enum weft_operation operation)
{
    static const char *const texts[WEFT_OPERATION_COUNT] = {
        "SEND", "WRITE",        "WRITE_IMMEDIATE", "SEND_IMMEDIATE",
        "READ", "COMPARE_SWAP", "FETCH_ADD",       "RECEIVE",
    };
    return texts[operation];
}

const char *transport_text(enum weft_transport transport)
{
    static const char *const texts[WEFT_TRANSPORT_COUNT] = {"RC", "UD", "UC"};
    return texts[transport];
}

static bool is_send(enum weft_operation operation)
{
    return operation == WEFT_OPERATION_SEND || operation == WEFT_OPERATION_SEND_IMMEDIATE;
}

static bool has_immediate(enum weft_operation operation)
{
    return operation == WEFT_OPERATION_SEND_IMMEDIATE ||
           operation == WEFT_OPERATION_WRITE_IMMEDIATE;
}

static bool takes_receive(enum weft_operation operation)
{
    return is_send(operation) || has_immediate(operation);
}

static bool may_lose(const struct run *run)
{
    return run->traffic->lossy && run->traffic->transport != WEFT_TRANSPORT_RC;
}

static uint64_t offset_of(const struct run *run, uint32_t message)
{
    return (uint64_t)message * run->stride_bytes;
}

static struct run start(struct end *from, struct end *to, const struct traffic *traffic)
{
    bool reads = traffic->operation == WEFT_OPERATION_READ;
    struct run run = {
        .traffic = traffic,
        .from = from,
        .to = to,
        .source = reads ? to : from,
        .sink = reads ? from : to,
        .header_bytes = traffic->transport == WEFT_TRANSPORT_UD ? WEFT_GRH_BYTES : 0,
    };
    run.stride_bytes = (traffic->len_bytes + run.header_bytes + 2 * GUARD_BYTES - 1) / 64 * 64;
    assert(traffic->count <= TRAFFIC_COUNT_MAX);
    /* One place more, for the last. */
    uint64_t len_bytes = offset_of(&run, traffic->count + may_lose(&run));
    assert(len_bytes <= from->half_bytes && len_bytes <= to->half_bytes);
    end_fill_some(run.source, traffic->len_bytes + 1u, offset_of(&run, traffic->count));
    memset(run.sink->sink, 0, len_bytes);
    return run;
}

/* A datagram is known by its length. */
static uint32_t last_len_bytes(const struct run *run)
{
    return run->traffic->transport == WEFT_TRANSPORT_UD && run->traffic->len_bytes == 0;
}

/* Those beyond the messages' own are for the last's, and share a place. */
static bool post_receives(const struct run *run)
{
    const struct traffic *traffic = run->traffic;
    uint32_t count = may_lose(run) ? END_DEPTH : traffic->count;
    bool posted = true;
    for (uint32_t i = 0; i < count && takes_receive(traffic->operation); i++) {
        uint32_t place = i < traffic->count ? i : traffic->count;
        struct weft_work work = end_receive(run->to, 0);
        work.id = i;
        work.memory = run->to->sink + offset_of(run, place);
        if (is_send(traffic->operation))
            work.len_bytes = traffic->len_bytes + last_len_bytes(run) + run->header_bytes;
        posted = posted && end_post_receive(run->to, &work);
    }
    return posted;
}

static bool post_sends(const struct run *run)
{
    const struct traffic *traffic = run->traffic;
    bool posted = true;
    for (uint32_t i = 0; i < traffic->count; i++) {
        struct weft_work work =
            end_work(run->from, run->to, traffic->operation, traffic->len_bytes);
        work.id = i;
        work.memory = (uint8_t *)work.memory + offset_of(run, i);
        work.remote_address += offset_of(run, i);
        work.immediate = 0xfeed0000u + i;
        work.destination = run->destination;
        posted = posted && ends_post_patiently(run->from, run->to, &work);
    }
    return posted;
}

static bool is_last(const struct run *run, const struct weft_completion *completion)
{
    if (run->traffic->transport == WEFT_TRANSPORT_UD)
        return completion->len_bytes == last_len_bytes(run) + run->header_bytes;
    return completion->has_immediate && completion->immediate == LAST_IMMEDIATE;
}

static bool last_has_come(struct run *run)
{
    struct end *to = run->to;
    if (to->completion_count == 0 || !is_last(run, &to->completions[to->completion_count - 1]))
        return false;
    run->received = to->completion_count - 1;
    while (run->received > 0 && is_last(run, &to->completions[run->received - 1]))
        run->received--;
    return true;
}

/* What is sent in order comes in order or not at all, so the last one says that all is over. It may
 * get lost itself, and is sent again when the way has been quiet for long. */
static bool send_last(struct run *run)
{
    bool datagram = run->traffic->transport == WEFT_TRANSPORT_UD;
    struct weft_work work =
        end_work(run->from, run->to, datagram ? WEFT_OPERATION_SEND : WEFT_OPERATION_SEND_IMMEDIATE,
                 last_len_bytes(run));
    work.immediate = LAST_IMMEDIATE;
    work.destination = run->destination;
    for (uint32_t i = 0; i < LAST_TRIES; i++) {
        if (!ends_post_patiently(run->from, run->to, &work))
            return false;
        for (uint32_t turn = 0; turn < 20000; turn++) {
            end_turn(run->from);
            end_turn(run->to);
            if (last_has_come(run))
                return true;
        }
    }
    return false;
}

/* A WRITE that is not acknowledged tells nobody of its end. */
static bool await_bytes(const struct run *run)
{
    uint64_t len_bytes = offset_of(run, run->traffic->count);
    uint64_t deadline_ns = end_patience();
    uint32_t message = 0;
    while (end_patient(deadline_ns) && offset_of(run, message) < len_bytes) {
        uint64_t at = offset_of(run, message);
        end_turn(run->from);
        end_turn(run->to);
        if (memcmp(run->sink->sink + at, run->source->memory + at, run->traffic->len_bytes) == 0)
            message++;
    }
    return message == run->traffic->count;
}

static bool await_sent(const struct run *run)
{
    uint64_t deadline_ns = end_patience();
    while (end_patient(deadline_ns) && run->from->completion_count < run->traffic->count) {
        end_turn(run->from);
        end_turn(run->to);
    }
    return run->from->completion_count >= run->traffic->count;
}

static bool await(struct run *run)
{
    const struct traffic *traffic = run->traffic;
    bool receives = takes_receive(traffic->operation);
    if (may_lose(run)) {
        /* The completions of WRITEs, which take no receives, are the last's alone. */
        struct weft_work work = end_receive(run->to, 0);
        for (uint32_t i = 0; i < LAST_TRIES && !receives; i++)
            (void)end_post_receive(run->to, &work);
        return send_last(run) && await_sent(run);
    }
    run->received = receives ? traffic->count : 0;
    if (!ends_run(run->from, traffic->count, run->to, run->received))
        return false;
    return traffic->transport == WEFT_TRANSPORT_RC || receives || await_bytes(run);
}

static bool sent_well(const struct run *run)
{
    const struct traffic *traffic = run->traffic;
    if (run->from->completion_count < traffic->count)
        return false;
    for (uint32_t i = 0; i < traffic->count; i++) {
        const struct weft_completion *completion = &run->from->completions[i];
        if (completion->status != WEFT_OK || completion->id != i || completion->user != 0x77 ||
            completion->operation != traffic->operation)
            return false;
    }
    return true;
}

/* A place holds this message and nothing behind it. */
static bool holds(const struct run *run, uint32_t place, uint32_t message)
{
    static const uint8_t nothing[GUARD_BYTES];
    const uint8_t *sink = run->sink->sink + offset_of(run, place) + run->header_bytes;
    uint32_t len_bytes = run->traffic->len_bytes;
    return memcmp(sink, run->source->memory + offset_of(run, message), len_bytes) == 0 &&
           memcmp(sink + len_bytes, nothing, GUARD_BYTES - 1) == 0;
}

/* A WRITE whose message is not whole has left what came of it, and no other byte. */
static bool holds_part(const struct run *run, uint32_t message)
{
    const uint8_t *sink = run->sink->sink + offset_of(run, message);
    const uint8_t *source = run->source->memory + offset_of(run, message);
    bool held = true;
    for (uint32_t i = 0; i < run->traffic->len_bytes; i++)
        held = held && (sink[i] == source[i] || sink[i] == 0);
    return held;
}

/* The message that a completion tells of, at or behind `first`; count: none. Immediates number the
 * messages, others are known by their bytes. */
static uint32_t message_of(const struct run *run, const struct weft_completion *completion,
                           uint32_t first)
{
    const struct traffic *traffic = run->traffic;
    if (completion->has_immediate)
        return completion->immediate - 0xfeed0000u;
    uint32_t message = first;
    while (message < traffic->count && !holds(run, (uint32_t)completion->id, message))
        message++;
    return message;
}

static bool received_well(const struct run *run)
{
    const struct traffic *traffic = run->traffic;
    uint32_t next = 0;
    for (uint32_t i = 0; i < run->received; i++) {
        const struct weft_completion *completion = &run->to->completions[i];
        if (completion->status != WEFT_OK || completion->operation != WEFT_OPERATION_RECEIVE ||
            completion->id != i || completion->user != 0x77 ||
            completion->len_bytes != traffic->len_bytes + run->header_bytes ||
            completion->has_immediate != has_immediate(traffic->operation))
            return false;
        uint32_t message = message_of(run, completion, next);
        if (message < next || message >= traffic->count || (!may_lose(run) && message != i))
            return false;
        if (!holds(run, is_send(traffic->operation) ? i : message, message))
            return false;
        next = message + 1;
    }
    return true;
}

static bool memory_is_well(const struct run *run)
{
    const struct traffic *traffic = run->traffic;
    bool held = true;
    for (uint32_t i = 0; i < traffic->count && !is_send(traffic->operation); i++)
        held = held && (may_lose(run) ? holds_part(run, i) : holds(run, i, i));
    return held;
}

static uint64_t received_payload(const struct run *run)
{
    return run->sink->driver->endpoint_counters(run->sink->endpoint)->received_payload_bytes;
}

/* What reaches memory is counted, by a verbs device only where it tells of it. */
static bool counted_well(const struct run *run, uint64_t before)
{
    const struct traffic *traffic = run->traffic;
    bool told = takes_receive(traffic->operation) || traffic->operation == WEFT_OPERATION_READ;
    if (may_lose(run) || !told)
        return true;
    return received_payload(run) - before == (uint64_t)traffic->count * traffic->len_bytes;
}

static uint32_t whole_messages(const struct run *run)
{
    if (takes_receive(run->traffic->operation))
        return run->received;
    uint32_t whole = 0;
    for (uint32_t i = 0; i < run->traffic->count; i++)
        whole += holds(run, i, i);
    return whole;
}

bool traffic_run(struct end *from, struct end *to, const struct traffic *traffic,
                 uint32_t *ret_arrived)
{
    struct run run = start(from, to, traffic);
    if (traffic->transport == WEFT_TRANSPORT_UD) {
        run.destination = ends_destination(from, to);
        if (!run.destination)
            return false;
    }
    uint64_t before = received_payload(&run);
    bool posted = post_receives(&run) && post_sends(&run);
    bool done = posted && await(&run);
    bool sent = sent_well(&run);
    bool received = done && received_well(&run);
    bool memory = memory_is_well(&run);
    bool counted = counted_well(&run, before);
    bool held = check(done && sent && received && memory && counted,
                      "%s %s of %u x %u bytes from %s: %u and %u completions, first %s;%s%s%s%s%s",
                      transport_text(traffic->transport), operation_text(traffic->operation),
                      traffic->count, traffic->len_bytes, from->name, from->completion_count,
                      to->completion_count, weft_status_text(from->completions[0].status),
                      done ? "" : " not done", sent ? "" : " not sent well",
                      received ? "" : " not received well", memory ? "" : " wrong bytes",
                      counted ? "" : " miscounted");
    if (ret_arrived)
        *ret_arrived = whole_messages(&run);
    if (run.destination)
        from->driver->destination_destroy(from->endpoint, run.destination);
    end_forget(from);
    end_forget(to);
    return held;
}

static uint64_t word_at(const uint8_t *memory)
{
    uint64_t word;
    memcpy(&word, memory, sizeof(word));
    return word;
}

/* What the word becomes by the work, whose compare and operand are set here; one swap in three
 * compares with what is not there. */
static uint64_t apply(struct weft_work *work, uint64_t word, uint32_t index)
{
    uint64_t salt = UINT64_C(0x9e3779b97f4a7c15) * (index + 1);
    work->operand = salt;
    work->compare = index % 3 == 2 ? ~word : word;
    if (work->operation == WEFT_OPERATION_FETCH_ADD)
        return word + salt;
    return work->compare == word ? salt : word;
}

bool traffic_atomics(struct end *from, struct end *to, enum weft_operation operation,
                     uint32_t count)
{
    uint64_t olds[END_DEPTH], word = UINT64_C(0xfedcba9876543210);
    uint8_t *target = to->sink + 4096;
    assert(count <= END_DEPTH);
    memset(to->sink, 0, 8192);
    memset(from->sink, 0, 8192);
    memcpy(target, &word, sizeof(word));
    bool done = true;
    for (uint32_t i = 0; i < count; i++) {
        struct weft_work work = end_work(from, to, operation, sizeof(word));
        work.id = i;
        work.memory = from->sink + i * sizeof(word);
        work.remote_address = (uintptr_t)target;
        olds[i] = word;
        word = apply(&work, word, i);
        done = done && ends_post_patiently(from, to, &work);
    }
    done = done && ends_run(from, count, to, 0);
    uint32_t right = 0;
    for (uint32_t i = 0; i < count && done; i++)
        right += from->completions[i].status == WEFT_OK && from->completions[i].id == i &&
                 from->completions[i].operation == operation &&
                 word_at(from->sink + i * sizeof(word)) == olds[i];
    bool held = check(
        done && right == count && word_at(target) == word && word_at(target - sizeof(word)) == 0 &&
            word_at(target + sizeof(word)) == 0 && word_at(from->sink + count * sizeof(word)) == 0,
        "%u %s from %s: %u right, %u completions, first %s; the word is %s", count,
        operation_text(operation), from->name, right, from->completion_count,
        weft_status_text(from->completions[0].status), word_at(target) == word ? "right" : "wrong");
    end_forget(from);
    return held;
}
