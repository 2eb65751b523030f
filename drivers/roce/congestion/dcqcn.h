/* SPDX-License-Identifier: BSD-3-Clause */
/* DCQCN's reaction point: at what rate a queue pair sends, by the congestion notifications (CNPs)
 * that come back (Zhu et al., "Congestion Control for Large-Scale RDMA Deployments", SIGCOMM 2015,
 * section 3). A state machine of its own: no packets, no clock, no division. (The notification
 * point, which sends CNPs, is in flow.c: it is one comparison of times.)
 *
 *   CNP        target = current; current *= 1 - alpha / 2; alpha = (1 - g) alpha + g
 *   no CNP for alpha_period                                alpha = (1 - g) alpha
 *   each increase_period, and each increase_bytes sent, since the last decrease:
 *              one step more of the timer's or the byte counter's; by the counts before it
 *              the larger count below F   fast recovery      target stays
 *              the smaller count above F  hyper increase     target += hyper_rate
 *              else                       additive increase  target += additive_rate
 *              and in each case           current = (current + target) / 2
 *
 * Defaults, where the options have 0:
 *   alpha_period 55 us, increase_period 55 us, increase_bytes 10 MB, F 5, g 1/256, additive rate
 *   40 Mb/s, a CNP each 50 us: what the paper's authors ran on their testbed (section 5).
 *   hyper rate 400 Mb/s: the paper leaves it to QCN, where it is ten times the additive rate.
 *   decrease_period 4 us: what RDMA NICs come with (rate_reduce_monitor_period).
 *   minimum rate 100 Mb/s: that of the HPCC simulator's model; a hundredth of a slow line's rate
 *   where that is less.
 * A start at line rate with alpha 1 (the first CNP halves the rate) is the paper's. */
#ifndef WEFT_ROCE_DCQCN_H
#define WEFT_ROCE_DCQCN_H

#include "fabric/driver.h"

/* alpha is a fraction of it. */
#define WEFT_DCQCN_ALPHA_ONE (UINT64_C(1) << 30)
#define WEFT_DCQCN_NEVER UINT64_MAX
/* Steps that one call makes good at most; what is left then waits for the next call. */
#define WEFT_DCQCN_STEPS_MAX 64u

struct weft_dcqcn {
    uint64_t current_bps;
    uint64_t target_bps;
    uint64_t least_bps; /* the lowest that current ever was */
    uint64_t alpha;
    uint64_t alpha_due_ns;      /* its next decay; NEVER: nothing is left to decay */
    uint64_t increase_due_ns;   /* the timer's next step; NEVER: at line rate */
    uint64_t decrease_again_ns; /* a CNP before it changes no rate */
    uint64_t bytes_left;        /* to the byte counter's next step */
    uint32_t timer_steps;
    uint32_t byte_steps;
};

/* Puts the defaults in; refuses what makes no sense, naming the key of a plan. */
WEFT_CHECKED enum weft_status weft_dcqcn_check(const struct weft_congestion_options *options,
                                               struct weft_congestion_options *ret_filled,
                                               struct weft_error *error);

/* The options of all that follows are filled. */
void weft_dcqcn_init(struct weft_dcqcn *dcqcn, const struct weft_congestion_options *options);

/* Timers up to now. Nothing is lost where it is called late: what is due is caught up on, in order,
 * so a queue pair with nothing to send needs no call. */
void weft_dcqcn_advance(struct weft_dcqcn *dcqcn, const struct weft_congestion_options *options,
                        uint64_t now_ns);
void weft_dcqcn_sent(struct weft_dcqcn *dcqcn, const struct weft_congestion_options *options,
                     uint32_t len_bytes);
/* A CNP has arrived. */
void weft_dcqcn_notified(struct weft_dcqcn *dcqcn, const struct weft_congestion_options *options,
                         uint64_t now_ns);

#endif
