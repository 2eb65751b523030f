/* SPDX-License-Identifier: BSD-3-Clause */
/* End-to-end credits (IBTA vol. 1, 9.7.7.2): an acknowledgement says, in a code of five bits, how
 * many receives are posted beyond the messages it counts. */
#ifndef WEFT_ROCE_CREDIT_H
#define WEFT_ROCE_CREDIT_H

#include "drivers/roce/transport/state.h"

#define WEFT_CREDIT_CODE_MAX 30u /* 32768 */
#define WEFT_CREDIT_UNLIMITED 0x1fu

/* Codes go 0, 1, 2, 3, 4, 6, 8, 12, 16, ...: a power of two, and one and a half of it. */
static inline uint32_t weft_credit_count(uint32_t code)
{
    uint32_t power = code >> 1;
    if (code < 2)
        return code;
    return (1u << power) + ((code & 1) << (power - 1));
}

/* The code of the most credits that are not more than `count`. */
static inline uint32_t weft_credit_code(uint32_t count)
{
    if (count < 2)
        return count;
    uint32_t power = 31u - (uint32_t)__builtin_clz(count);
    uint32_t code = power * 2 + ((count >> (power - 1)) & 1);
    return code < WEFT_CREDIT_CODE_MAX ? code : WEFT_CREDIT_CODE_MAX;
}

/* What the peer says in an acknowledgement or response. A stale one says less than is known. */
static inline void weft_credit_take(struct weft_requester *requester, const uint8_t *aeth)
{
    uint32_t code = aeth[0] & 0x1fu;
    if (code == WEFT_CREDIT_UNLIMITED) {
        requester->credit_unlimited = true;
        return;
    }
    uint32_t limit = (weft_wire_get24(aeth) + weft_credit_count(code)) & WEFT_ROCE_NUMBER_MASK;
    if (weft_psn_distance(requester->credit_limit, limit) > 0)
        requester->credit_limit = limit;
}

/* One message beyond the limit may go: its answer brings news. So may any when nothing else is
 * under way, whatever the peer has said: nothing can stall for ever. */
static inline bool weft_credit_suffices(const struct weft_requester *requester,
                                        const struct weft_send *work)
{
    return requester->credit_unlimited ||
           weft_psn_distance(requester->credit_limit, work->ssn) <= 1 ||
           requester->cursor == requester->completed;
}

/* The word of an AETH that acknowledges. */
static inline uint32_t weft_credit_tell(struct weft_responder *responder)
{
    uint32_t code = weft_credit_code(responder->posted - responder->completed);
    responder->told_limit = responder->msn + weft_credit_count(code);
    responder->told = true;
    return code << 24 | responder->msn;
}

/* The peer was told that there are no receives left. */
static inline bool weft_credit_exhausted(const struct weft_responder *responder)
{
    return responder->told &&
           weft_psn_distance(responder->told_limit & WEFT_ROCE_NUMBER_MASK, responder->msn) >= 0;
}

#endif
