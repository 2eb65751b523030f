/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include "tests/unit/roce/transport/sizes.h"

static void wrap(struct net *net)
{
    for (uint32_t i = 0; i < 2; i++) {
        net->sides[i].qp->initial_psn = 0xfffffe;
        weft_roce_qp_address(net->sides[i].qp, &net->sides[i].address);
    }
}

static void try_mtu(const struct sizes *sizes, uint32_t mtu_bytes, const struct net_faults *faults)
{
    const uint32_t lens[] = {
        0, 1, 3, mtu_bytes - 1, mtu_bytes, mtu_bytes + 1, 65536, SIZES_LARGE_BYTES};
    struct net net;
    net_init(&net, &(struct net_options){.seed = mtu_bytes,
                                         .mtu_bytes = mtu_bytes,
                                         .retry_limit = 255,
                                         .memory_bytes = SIZES_LARGE_BYTES + 64,
                                         .faults = *faults});
    if (sizes->wraps)
        wrap(&net);
    net_connect(&net);
    uint64_t total_bytes = 0;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
        total_bytes += sizes->transfer(&net, lens[i], i);
    cr_assert_eq(weft_roce_qp_counters(net.sides[sizes->receiver].qp)->received_payload_bytes,
                 total_bytes);
    const struct weft_device_counters *counters = weft_roce_port_counters(net.sides[0].port);
    cr_assert_eq(counters->malformed_packets, 0);
    if (!faults->drop)
        cr_assert_eq(counters->retransmitted_packets, 0);
    else
        cr_assert_gt(counters->retransmitted_packets, 0);
    net_fini(&net);
}

void sizes_clean(const struct sizes *sizes)
{
    for (uint32_t mtu_bytes = 256; mtu_bytes <= 4096; mtu_bytes *= 2)
        try_mtu(sizes, mtu_bytes, &(struct net_faults){0});
}

void sizes_lossy(const struct sizes *sizes)
{
    try_mtu(sizes, 1024, &(struct net_faults){.drop = 10, .duplicate = 10, .reorder = 10});
    try_mtu(sizes, 4096, &(struct net_faults){.drop = 20});
}
