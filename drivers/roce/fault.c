/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/fault.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/roce/packet/wire.h"
#include "fabric/base/random.h"

#define FRESH_MAX 32u
#define NEVER UINT64_MAX

struct buffer {
    uint32_t len_bytes;
    uint64_t due_ns;
    uint64_t due_frame; /* goes as soon as so many frames were sent in all */
    uint8_t *data;
};

/* In the order in which they were put in, which is that in which they are due: all of a queue wait
 * for the same time. */
struct queue {
    uint32_t first; /* count on */
    uint32_t end;
    uint16_t slots[WEFT_FAULT_HELD_MAX];
};
_Static_assert((WEFT_FAULT_HELD_MAX & (WEFT_FAULT_HELD_MAX - 1)) == 0, "indexes wrap by a mask");

enum wait {
    WAIT_DELAYED = 0,
    WAIT_REORDERED,
    WAIT_DUPLICATES,
    WAIT_COUNT
};

/* Out of 2^53, the whole numbers that a double holds. */
struct chances {
    uint64_t drop, corrupt, duplicate, reorder, delay, mark;
};

struct weft_fault {
    struct chances chances;
    uint64_t delay_ns;
    uint32_t reorder_frames;
    struct weft_random random;
    struct weft_device_counters counters;
    uint64_t sent; /* frames given out */

    /* From the port, and not yet looked at. */
    struct weft_roce_frame fresh[FRESH_MAX];
    uint32_t fresh_first;
    uint32_t fresh_count;

    struct buffer held[WEFT_FAULT_HELD_MAX];
    uint16_t free_slots[WEFT_FAULT_HELD_MAX];
    uint32_t free_count;
    struct queue queues[WAIT_COUNT];
    uint8_t *memory;
};

static uint64_t chance_of(double share)
{
    assert(share >= 0 && share <= 1);
    return (uint64_t)(share * (double)(UINT64_C(1) << 53));
}

static void fill(struct weft_fault *fault, const struct weft_fault_options *options,
                 uint32_t frame_bytes)
{
    fault->chances = (struct chances){
        .drop = chance_of(options->drop),
        .corrupt = chance_of(options->corrupt),
        .duplicate = chance_of(options->duplicate),
        .reorder = chance_of(options->reorder),
        .delay = chance_of(options->delay),
        .mark = chance_of(options->mark),
    };
    fault->delay_ns = options->delay_ns ? options->delay_ns : WEFT_FAULT_DELAY_NS;
    fault->reorder_frames =
        options->reorder_frames ? options->reorder_frames : WEFT_FAULT_REORDER_FRAMES;
    fault->counters.counted = WEFT_COUNTED_INJECTED;
    weft_random_seed(&fault->random, options->seed);
    uint8_t *at = fault->memory;
    for (uint32_t i = 0; i < FRESH_MAX; i++, at += frame_bytes)
        fault->fresh[i] = (struct weft_roce_frame){.data = at, .capacity_bytes = frame_bytes};
    for (uint32_t i = 0; i < WEFT_FAULT_HELD_MAX; i++, at += frame_bytes) {
        fault->held[i].data = at;
        fault->free_slots[i] = (uint16_t)i;
    }
    fault->free_count = WEFT_FAULT_HELD_MAX;
}

enum weft_status weft_fault_create(const struct weft_fault_options *options, uint32_t frame_bytes,
                                   struct weft_fault **ret_fault, struct weft_error *error)
{
    struct weft_fault *fault = calloc(1, sizeof(*fault));
    /* Where few are held back, most of it is never touched, and then it costs nothing. */
    uint8_t *memory = calloc(FRESH_MAX + WEFT_FAULT_HELD_MAX, frame_bytes);
    if (!fault || !memory) {
        free(fault);
        free(memory);
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for frames that faults hold back");
    }
    fault->memory = memory;
    fill(fault, options, frame_bytes);
    *ret_fault = fault;
    return WEFT_OK;
}

void weft_fault_destroy(struct weft_fault *fault)
{
    if (!fault)
        return;
    free(fault->memory);
    free(fault);
}

uint32_t weft_fault_held(const struct weft_fault *fault)
{
    return WEFT_FAULT_HELD_MAX - fault->free_count + fault->fresh_count;
}

const struct weft_device_counters *weft_fault_counters(const struct weft_fault *fault)
{
    return &fault->counters;
}

static bool happens(struct weft_fault *fault, uint64_t chance)
{
    return chance && weft_random_next(&fault->random) >> 11 < chance;
}

/* ---- frames held back ---- */

static bool hold(struct weft_fault *fault, enum wait wait, const struct weft_roce_frame *frame,
                 uint64_t due_ns, uint64_t due_frame)
{
    if (!fault->free_count)
        return false;
    uint16_t slot = fault->free_slots[--fault->free_count];
    struct buffer *buffer = &fault->held[slot];
    memcpy(buffer->data, frame->data, frame->len_bytes);
    buffer->len_bytes = frame->len_bytes;
    buffer->due_ns = due_ns;
    buffer->due_frame = due_frame;
    struct queue *queue = &fault->queues[wait];
    queue->slots[queue->end++ & (WEFT_FAULT_HELD_MAX - 1)] = slot;
    return true;
}

static void give(struct weft_fault *fault, const uint8_t *data, uint32_t len_bytes,
                 struct weft_roce_frame *ret_frame)
{
    assert(len_bytes <= ret_frame->capacity_bytes);
    memcpy(ret_frame->data, data, len_bytes);
    ret_frame->len_bytes = len_bytes;
    fault->sent++;
}

static bool release(struct weft_fault *fault, struct weft_roce_frame *ret_frame, uint64_t now_ns)
{
    for (uint32_t wait = 0; wait < WAIT_COUNT; wait++) {
        struct queue *queue = &fault->queues[wait];
        if (queue->first == queue->end)
            continue;
        uint16_t slot = queue->slots[queue->first & (WEFT_FAULT_HELD_MAX - 1)];
        const struct buffer *buffer = &fault->held[slot];
        if (buffer->due_ns > now_ns && buffer->due_frame > fault->sent)
            continue;
        give(fault, buffer->data, buffer->len_bytes, ret_frame);
        fault->free_slots[fault->free_count++] = slot;
        queue->first++;
        return true;
    }
    return false;
}

/* ---- what is done to a frame ---- */

/* Where the IP header of a RoCE packet is; NULL: it is something else. */
static uint8_t *ip_of(const struct weft_roce_frame *frame, uint32_t *ret_ip_bytes)
{
    uint32_t at = WEFT_ETHERNET_BYTES;
    uint16_t ethertype = weft_wire_get16(frame->data + 12);
    if (ethertype == WEFT_ETHERTYPE_VLAN) {
        ethertype = weft_wire_get16(frame->data + 16);
        at += WEFT_VLAN_TAG_BYTES;
    }
    bool ipv4 = ethertype == WEFT_ETHERTYPE_IPV4;
    if (!ipv4 && ethertype != WEFT_ETHERTYPE_IPV6)
        return NULL;
    uint8_t *ip = frame->data + at;
    *ret_ip_bytes = ipv4 ? WEFT_IPV4_BYTES : WEFT_IPV6_BYTES;
    uint8_t protocol = ipv4 ? ip[9] : ip[6];
    return protocol == WEFT_IP_PROTOCOL_UDP ? ip : NULL;
}

/* The low two bits of the traffic class; the ICRC leaves it out, IPv4's checksum does not. */
static void mark(uint8_t *ip, uint32_t ip_bytes)
{
    if (ip_bytes == WEFT_IPV6_BYTES) {
        ip[1] |= 0x30;
        return;
    }
    ip[1] |= 3;
    weft_wire_put16(ip + 10, 0);
    uint32_t sum = 0;
    for (uint32_t at = 0; at < WEFT_IPV4_BYTES; at += 2)
        sum += weft_wire_get16(ip + at);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    weft_wire_put16(ip + 10, (uint16_t)~sum);
}

/* Is there a checksum that a turned bit of this byte breaks? IPv4's header has its own; of IPv6's
 * none covers what routers change, and of the rest the ICRC leaves out the UDP checksum and the
 * BTH's congestion bits. */
static bool is_covered(uint32_t at, uint32_t ip_bytes)
{
    if (ip_bytes == WEFT_IPV6_BYTES && (at < 4 || at == 7))
        return false;
    bool udp_checksum = at == ip_bytes + 6 || at == ip_bytes + 7;
    return !udp_checksum && at != ip_bytes + WEFT_UDP_BYTES + 4;
}

/* Not what pads a short frame. */
static void corrupt(struct weft_fault *fault, uint8_t *ip, uint32_t ip_bytes)
{
    uint32_t len_bytes =
        ip_bytes == WEFT_IPV4_BYTES ? weft_wire_get16(ip + 2) : ip_bytes + weft_wire_get16(ip + 4);
    uint64_t bit;
    do {
        bit = weft_random_below(&fault->random, (uint64_t)len_bytes * 8);
    } while (!is_covered((uint32_t)(bit >> 3), ip_bytes));
    ip[bit >> 3] ^= (uint8_t)(1u << (bit & 7));
}

/* True: the frame does not go now. */
static bool is_held(struct weft_fault *fault, const struct weft_roce_frame *frame, uint64_t now_ns)
{
    bool delay = happens(fault, fault->chances.delay);
    bool reorder = happens(fault, fault->chances.reorder);
    if (delay && hold(fault, WAIT_DELAYED, frame, now_ns + fault->delay_ns, NEVER)) {
        fault->counters.injected_delayed++;
        return true;
    }
    if (!delay && reorder &&
        hold(fault, WAIT_REORDERED, frame, now_ns + WEFT_FAULT_REORDER_NS,
             fault->sent + fault->reorder_frames)) {
        fault->counters.injected_reordered++;
        return true;
    }
    return false;
}

/* True: the frame goes now. */
static bool suffer(struct weft_fault *fault, const struct weft_roce_frame *frame, uint64_t now_ns)
{
    uint32_t ip_bytes = 0;
    uint8_t *ip = ip_of(frame, &ip_bytes);
    if (!ip)
        return true;
    if (happens(fault, fault->chances.drop)) {
        fault->counters.injected_dropped++;
        return false;
    }
    if (happens(fault, fault->chances.duplicate) &&
        hold(fault, WAIT_DUPLICATES, frame, now_ns, NEVER))
        fault->counters.injected_duplicated++;
    if (happens(fault, fault->chances.mark)) {
        mark(ip, ip_bytes);
        fault->counters.injected_marked++;
    }
    if (happens(fault, fault->chances.corrupt)) {
        corrupt(fault, ip, ip_bytes);
        fault->counters.injected_corrupted++;
    }
    return !is_held(fault, frame, now_ns);
}

uint32_t weft_fault_transmit(struct weft_fault *fault, struct weft_roce_port *port,
                             struct weft_roce_frame *frames, uint32_t count, uint64_t now_ns)
{
    bool asked = false;
    uint32_t filled = 0;
    while (filled < count) {
        if (release(fault, &frames[filled], now_ns)) {
            filled++;
            continue;
        }
        if (!fault->fresh_count && !asked) {
            uint32_t room = count - filled < FRESH_MAX ? count - filled : FRESH_MAX;
            fault->fresh_first = 0;
            fault->fresh_count = weft_roce_transmit(port, fault->fresh, room, now_ns);
            asked = true;
        }
        if (!fault->fresh_count)
            break;
        const struct weft_roce_frame *fresh = &fault->fresh[fault->fresh_first++];
        fault->fresh_count--;
        if (suffer(fault, fresh, now_ns)) {
            give(fault, fresh->data, fresh->len_bytes, &frames[filled]);
            filled++;
        }
    }
    return filled;
}
