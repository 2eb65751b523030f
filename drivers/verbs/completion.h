/* SPDX-License-Identifier: BSD-3-Clause */
/* What a work completion of libibverbs says, in weft's words. Pure. */
#ifndef WEFT_DRIVERS_VERBS_COMPLETION_H
#define WEFT_DRIVERS_VERBS_COMPLETION_H

#include <infiniband/verbs.h>

#include "fabric/driver.h"

enum weft_status weft_verbs_status(enum ibv_wc_status status);

static inline bool weft_verbs_is_send(enum weft_operation operation)
{
    return operation == WEFT_OPERATION_SEND || operation == WEFT_OPERATION_SEND_IMMEDIATE;
}

static inline bool weft_verbs_is_atomic(enum weft_operation operation)
{
    return operation == WEFT_OPERATION_COMPARE_SWAP || operation == WEFT_OPERATION_FETCH_ADD;
}

/* Its bytes come from the peer, and count as received. */
static inline bool weft_verbs_fetches(enum weft_operation operation)
{
    return operation == WEFT_OPERATION_READ || weft_verbs_is_atomic(operation);
}

/* A work request's id holds whose it is: a failed completion tells nothing else for sure. An
 * endpoint that is gone leaves completions behind; by its generation they are known. */
struct weft_verbs_tag {
    uint32_t endpoint;   /* 20 bits: index in the device's table */
    uint32_t generation; /* 11 bits: of that place in the table */
    bool is_receive;
    uint32_t slot; /* 32 bits: in the queue's window */
};
#define WEFT_VERBS_ENDPOINTS_MAX (1u << 20)
#define WEFT_VERBS_GENERATION_MASK ((1u << 11) - 1u)

static inline uint64_t weft_verbs_tag_pack(const struct weft_verbs_tag *tag)
{
    return (uint64_t)tag->endpoint << 44 | (uint64_t)tag->generation << 33 |
           (uint64_t)tag->is_receive << 32 | tag->slot;
}

static inline struct weft_verbs_tag weft_verbs_tag_unpack(uint64_t id)
{
    return (struct weft_verbs_tag){
        .endpoint = (uint32_t)(id >> 44),
        .generation = (uint32_t)(id >> 33) & WEFT_VERBS_GENERATION_MASK,
        .is_receive = id >> 32 & 1,
        .slot = (uint32_t)id,
    };
}

#endif
