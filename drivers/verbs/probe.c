/* SPDX-License-Identifier: BSD-3-Clause */
/* What no query tells: queue pairs are made to see whether they can be. */
#include <assert.h>
#include <errno.h>

#include "drivers/verbs/internal.h"

static bool can_make(struct weft_device *device, struct ibv_cq *cq, enum ibv_qp_type type,
                     uint32_t inline_bytes)
{
    struct ibv_qp_init_attr attributes = {
        .send_cq = cq,
        .recv_cq = cq,
        .cap = {.max_send_wr = 64,
                .max_recv_wr = 1,
                .max_send_sge = 1,
                .max_recv_sge = 1,
                .max_inline_data = inline_bytes},
        .qp_type = type,
    };
    struct ibv_qp *qp = ibv_create_qp(device->pd, &attributes);
    if (!qp)
        return false;
    int failed = ibv_destroy_qp(qp);
    assert(!failed);
    return true;
}

/* From large to small. */
static uint32_t inline_bytes(struct weft_device *device, struct ibv_cq *cq)
{
    static const uint32_t sizes[] = {512, 400, 256, 220, 128, 64, 32};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (can_make(device, cq, IBV_QPT_RC, sizes[i]))
            return sizes[i];
    }
    return 0;
}

enum weft_status weft_verbs_probe(struct weft_device *device, struct weft_error *error)
{
    struct ibv_cq *cq = ibv_create_cq(device->context, 1, NULL, NULL, 0);
    if (!cq)
        return weft_verbs_errno_error(error, errno, "making a completion queue");
    device->capabilities.max_inline_bytes = inline_bytes(device, cq);
    if (can_make(device, cq, IBV_QPT_UC, device->capabilities.max_inline_bytes))
        device->capabilities.transports |= WEFT_BIT(WEFT_TRANSPORT_UC);
    int failed = ibv_destroy_cq(cq);
    assert(!failed);
    return WEFT_OK;
}
