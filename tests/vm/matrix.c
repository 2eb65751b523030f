/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/vm/matrix.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/vm/traffic.h"

#define SIZES 7u

/* How a group of cells went. */
struct tally {
    uint32_t sizes, messages, arrived;
    uint64_t losses;
    bool held;
};

/* rxe (Linux 6.1) that has lost the last packet of a UC WRITE drops all that comes after it: it
 * waits for that packet, whichever message begins. */
static bool gets_stuck(const struct end *to, const struct traffic *traffic)
{
    return strcmp(to->driver->name, "verbs") == 0 && traffic->transport == WEFT_TRANSPORT_UC &&
           (traffic->operation == WEFT_OPERATION_WRITE ||
            traffic->operation == WEFT_OPERATION_WRITE_IMMEDIATE);
}

/* From small to large; returns how many. Without acknowledgements a large message would hardly come
 * whole where packets are lost, and where none are must not outrun the receiver. */
static uint32_t sizes_for(const struct matrix *matrix, const struct end *to,
                          const struct traffic *traffic, uint32_t sizes[SIZES])
{
    uint32_t mtu_bytes = matrix->mtu_bytes, count = 0;
    enum weft_transport transport = traffic->transport;
    sizes[count++] = 0;
    sizes[count++] = 1;
    sizes[count++] = mtu_bytes - 1;
    sizes[count++] = mtu_bytes;
    if (transport == WEFT_TRANSPORT_UD || (matrix->losses && gets_stuck(to, traffic)))
        return count;
    sizes[count++] = mtu_bytes + 1;
    sizes[count++] = 64u << 10;
    if (transport == WEFT_TRANSPORT_RC)
        sizes[count++] = matrix->largest_bytes;
    return count;
}

static uint32_t messages_of(const struct matrix *matrix, uint32_t len_bytes)
{
    if (!matrix->losses)
        return 1;
    if (len_bytes > 64u << 10)
        return 1;
    return len_bytes > matrix->mtu_bytes + 1 ? 16 : TRAFFIC_COUNT_MAX;
}

/* Fresh endpoints each time, for what got lost without acknowledgement leaves receives behind. */
static bool join(struct end *from, struct end *to, const struct matrix *matrix,
                 const struct traffic *traffic, bool first)
{
    bool reliable = traffic->transport == WEFT_TRANSPORT_RC;
    if (!first && (reliable || !matrix->losses))
        return true;
    return ends_join(from, to, traffic->transport);
}

static void run_sizes(struct end *from, struct end *to, const struct matrix *matrix,
                      struct traffic *traffic, struct tally *tally)
{
    uint32_t sizes[SIZES];
    uint32_t count = sizes_for(matrix, to, traffic, sizes);
    for (uint32_t i = 0; i < count && tally->held; i++) {
        uint32_t arrived = 0;
        traffic->len_bytes = sizes[i];
        traffic->count = messages_of(matrix, sizes[i]);
        tally->held =
            join(from, to, matrix, traffic, i == 0) && traffic_run(from, to, traffic, &arrived);
        tally->sizes++;
        tally->messages += traffic->count;
        tally->arrived += arrived;
    }
}

static void run_atomics(struct end *from, struct end *to, const struct matrix *matrix,
                        const struct traffic *traffic, struct tally *tally)
{
    for (uint32_t i = 0; i < (matrix->losses ? 4 : 1) && tally->held; i++) {
        tally->held = join(from, to, matrix, traffic, i == 0) &&
                      traffic_atomics(from, to, traffic->operation, END_DEPTH);
        tally->messages += END_DEPTH;
        tally->arrived += tally->held ? END_DEPTH : 0;
    }
}

static void print(const struct end *from, const struct end *to, const struct matrix *matrix,
                  const struct traffic *traffic, const struct tally *tally)
{
    (void)printf("%s %-6s -> %-6s  %s %-15s  ", tally->held ? "ok" : "not ok", from->name, to->name,
                 transport_text(traffic->transport), operation_text(traffic->operation));
    if (tally->sizes)
        (void)printf("%u sizes to %u B, ", tally->sizes, traffic->len_bytes);
    (void)printf("%u of %u messages", tally->arrived, tally->messages);
    if (matrix->losses)
        (void)printf(", %" PRIu64 " packets lost", tally->losses);
    (void)printf("\n");
}

static bool can(const struct end *end, enum weft_transport transport, enum weft_operation operation)
{
    struct weft_capabilities capabilities;
    end->driver->capabilities(end->device, &capabilities);
    return check((capabilities.transports & WEFT_BIT(transport)) &&
                     (capabilities.operations & WEFT_BIT(operation)),
                 "%s has no %s %s", end->name, transport_text(transport),
                 operation_text(operation));
}

static bool run_group(struct end *from, struct end *to, const struct matrix *matrix,
                      enum weft_transport transport, enum weft_operation operation)
{
    struct traffic traffic = {
        .transport = transport, .operation = operation, .lossy = matrix->losses != NULL};
    struct tally tally = {.held = can(from, transport, operation) && can(to, transport, operation)};
    uint64_t before = matrix->losses ? matrix->losses() : 0;
    if (operation == WEFT_OPERATION_COMPARE_SWAP || operation == WEFT_OPERATION_FETCH_ADD)
        run_atomics(from, to, matrix, &traffic, &tally);
    else
        run_sizes(from, to, matrix, &traffic, &tally);
    tally.losses = matrix->losses ? matrix->losses() - before : 0;
    print(from, to, matrix, &traffic, &tally);
    end_endpoint_destroy(from);
    end_endpoint_destroy(to);
    return tally.held;
}

bool matrix_run(struct end *a, struct end *b, const struct matrix *matrix)
{
    static const struct {
        enum weft_transport transport;
        enum weft_operation operation;
    } groups[] = {
        {WEFT_TRANSPORT_RC, WEFT_OPERATION_SEND},
        {WEFT_TRANSPORT_RC, WEFT_OPERATION_SEND_IMMEDIATE},
        {WEFT_TRANSPORT_RC, WEFT_OPERATION_WRITE},
        {WEFT_TRANSPORT_RC, WEFT_OPERATION_WRITE_IMMEDIATE},
        {WEFT_TRANSPORT_RC, WEFT_OPERATION_READ},
        {WEFT_TRANSPORT_RC, WEFT_OPERATION_COMPARE_SWAP},
        {WEFT_TRANSPORT_RC, WEFT_OPERATION_FETCH_ADD},
        {WEFT_TRANSPORT_UC, WEFT_OPERATION_SEND},
        {WEFT_TRANSPORT_UC, WEFT_OPERATION_SEND_IMMEDIATE},
        {WEFT_TRANSPORT_UC, WEFT_OPERATION_WRITE},
        {WEFT_TRANSPORT_UC, WEFT_OPERATION_WRITE_IMMEDIATE},
        {WEFT_TRANSPORT_UD, WEFT_OPERATION_SEND},
        {WEFT_TRANSPORT_UD, WEFT_OPERATION_SEND_IMMEDIATE},
    };
    bool held = true;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        if (!(matrix->transports & WEFT_BIT(groups[i].transport)))
            continue;
        held &= run_group(a, b, matrix, groups[i].transport, groups[i].operation);
        held &= run_group(b, a, matrix, groups[i].transport, groups[i].operation);
    }
    return held;
}
