/* SPDX-License-Identifier: BSD-3-Clause */
/* A pacer: when the next packet of one sender may leave, so that its bytes keep to a rate.
 *
 * Every packet has a deadline of its own: the deadline of the packet before plus the time that one
 * takes at the rate. Deadlines are absolute and kept to 2^-31 ns, so neither a late poll nor
 * rounding moves those that follow: over a second the rate is right to well below 0.1 %.
 *
 * Who is polled late finds several packets due at once and catches up, or the rate would be missed
 * by every poll's lateness. How much is bounded: of a lateness beyond the time that
 * WEFT_PACER_BURST_BYTES take, the rest is forgiven. A sender that was descheduled for a while
 * thus sends at most so many bytes (and one packet) at line rate, and loses the rest of that time;
 * to keep the rate on average it must be polled once in the time of so many bytes (5.2 us at
 * 100 Gb/s). 64 KiB is what a NIC sends in one piece under segmentation offload: switches are
 * built to take it.
 *
 * Time in which a sender had nothing to send gives no credit: its next packet leaves at once, and
 * the deadlines start anew there. */
#ifndef WEFT_ROCE_PACER_H
#define WEFT_ROCE_PACER_H

#include <stdbool.h>
#include <stdint.h>

#define WEFT_PACER_BURST_BYTES 65536u
/* Below it the products of a frame's length would not fit 64 bits with a wide margin. */
#define WEFT_PACER_RATE_LEAST_BPS UINT64_C(100000)

#define WEFT_PACER_SHIFT 31u

struct weft_pacer {
    uint64_t rate_bps;
    uint64_t byte_time; /* ns << WEFT_PACER_SHIFT */
    uint64_t slack_ns;  /* lateness that is made good */
    uint64_t due_ns;    /* the next packet's deadline, and a fraction in 2^-31 ns */
    uint64_t due_fraction;
    bool rested; /* it had nothing to send since its last packet */
};

/* From now on; a deadline that is set already stands. One division. */
void weft_pacer_set_rate(struct weft_pacer *pacer, uint64_t rate_bps);

/* The first ns in which the next packet may leave. */
static inline uint64_t weft_pacer_due_ns(const struct weft_pacer *pacer)
{
    return pacer->due_ns + (pacer->due_fraction != 0);
}

/* A packet left, which was due. */
static inline void weft_pacer_sent(struct weft_pacer *pacer, uint32_t len_bytes, uint64_t now_ns)
{
    uint64_t slack_ns = pacer->rested ? 0 : pacer->slack_ns;
    pacer->rested = false;
    if (now_ns > slack_ns && pacer->due_ns < now_ns - slack_ns) {
        pacer->due_ns = now_ns - slack_ns;
        pacer->due_fraction = 0;
    }
    uint64_t time = pacer->due_fraction + pacer->byte_time * len_bytes;
    pacer->due_ns += time >> WEFT_PACER_SHIFT;
    pacer->due_fraction = time & ((UINT64_C(1) << WEFT_PACER_SHIFT) - 1);
}

/* There is nothing to send. */
static inline void weft_pacer_rest(struct weft_pacer *pacer)
{
    pacer->rested = true;
}

#endif
