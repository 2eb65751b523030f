/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/verbs/counters.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "drivers/verbs/sysfs.h"

struct counter_file {
    const char *name;
    enum weft_device_counter counter;
    uint64_t unit;
};

static const struct counter_file files[] = {
    /* The port's own, by the InfiniBand architecture: data in words of four bytes. */
    {"counters/port_xmit_data", WEFT_COUNTER_sent_bytes, 4},
    {"counters/port_rcv_data", WEFT_COUNTER_received_bytes, 4},
    {"counters/port_xmit_packets", WEFT_COUNTER_sent_packets, 1},
    {"counters/port_rcv_packets", WEFT_COUNTER_received_packets, 1},
    {"counters/port_rcv_errors", WEFT_COUNTER_malformed_packets, 1},

    /* rxe. It counts a retry, not the packets that go again by it: at least one. */
    {"hw_counters/sent_pkts", WEFT_COUNTER_sent_packets, 1},
    {"hw_counters/rcvd_pkts", WEFT_COUNTER_received_packets, 1},
    {"hw_counters/out_of_seq_request", WEFT_COUNTER_out_of_order_packets, 1},
    {"hw_counters/rcvd_rnr_err", WEFT_COUNTER_rnr_naks_received, 1},
    {"hw_counters/rcvd_seq_err", WEFT_COUNTER_sequence_naks_received, 1},
    {"hw_counters/completer_retry_err", WEFT_COUNTER_retransmitted_packets, 1},

    /* mlx5; duplicate_request is rxe's word too. */
    {"hw_counters/duplicate_request", WEFT_COUNTER_duplicate_packets, 1},
    {"hw_counters/out_of_sequence", WEFT_COUNTER_out_of_order_packets, 1},
    {"hw_counters/rnr_nak_retry_err", WEFT_COUNTER_rnr_naks_received, 1},
    {"hw_counters/packet_seq_err", WEFT_COUNTER_sequence_naks_received, 1},
    {"hw_counters/local_ack_timeout_err", WEFT_COUNTER_timeouts, 1},
    {"hw_counters/roce_adp_retrans", WEFT_COUNTER_retransmitted_packets, 1},
    {"hw_counters/roce_adp_retrans_to", WEFT_COUNTER_timeouts, 1},
    {"hw_counters/out_of_buffer", WEFT_COUNTER_receive_dropped, 1},
    {"hw_counters/rx_icrc_encapsulated", WEFT_COUNTER_icrc_errors, 1},

    /* bnxt_re */
    {"hw_counters/tx_pkts", WEFT_COUNTER_sent_packets, 1},
    {"hw_counters/tx_bytes", WEFT_COUNTER_sent_bytes, 1},
    {"hw_counters/rx_pkts", WEFT_COUNTER_received_packets, 1},
    {"hw_counters/rx_bytes", WEFT_COUNTER_received_bytes, 1},
    {"hw_counters/dup_req", WEFT_COUNTER_duplicate_packets, 1},
    {"hw_counters/oos_drop_count", WEFT_COUNTER_out_of_order_packets, 1},
    {"hw_counters/rnr_naks_rcvd", WEFT_COUNTER_rnr_naks_received, 1},
    {"hw_counters/seq_err_naks_rcvd", WEFT_COUNTER_sequence_naks_received, 1},
    {"hw_counters/to_retransmits", WEFT_COUNTER_timeouts, 1},
};
#define FILE_COUNT (sizeof(files) / sizeof(files[0]))
_Static_assert(FILE_COUNT <= WEFT_VERBS_COUNTER_FILES, "as many bases as files");

static bool read_file(const struct weft_verbs_counters *counters, size_t index, int64_t *ret_value)
{
    char path[WEFT_VERBS_SYSFS_PATH];
    int wrote = snprintf(path, sizeof(path), "%s/%s", counters->port, files[index].name);
    assert(wrote > 0 && (size_t)wrote < sizeof(path));
    return weft_verbs_sysfs_number(path, ret_value) && *ret_value >= 0;
}

void weft_verbs_counters_init(struct weft_verbs_counters *counters, const char *port_directory)
{
    assert(strlen(port_directory) < sizeof(counters->port));
    *counters = (struct weft_verbs_counters){0};
    (void)snprintf(counters->port, sizeof(counters->port), "%s", port_directory);
    for (size_t i = 0; i < FILE_COUNT; i++) {
        if (!read_file(counters, i, &counters->base[i]))
            counters->base[i] = -1;
    }
}

/* The fields are words, in the order of their numbers. */
static uint64_t *field_of(struct weft_device_counters *values, enum weft_device_counter counter)
{
    return (uint64_t *)(void *)values + counter;
}

void weft_verbs_counters_read(struct weft_verbs_counters *counters)
{
    struct weft_device_counters fresh = {0};
    for (size_t i = 0; i < FILE_COUNT; i++) {
        int64_t value;
        if (counters->base[i] < 0)
            continue;
        /* A counter that was reset underneath starts anew, rather than wrap. */
        if (!read_file(counters, i, &value) || value < counters->base[i])
            value = counters->base[i];
        *field_of(&fresh, files[i].counter) +=
            (uint64_t)(value - counters->base[i]) * files[i].unit;
        fresh.counted |= WEFT_BIT(files[i].counter);
    }
    if (!(fresh.counted & WEFT_BIT(WEFT_COUNTER_sent_bytes)))
        fresh.sent_bytes = counters->sent_bytes;
    if (!(fresh.counted & WEFT_BIT(WEFT_COUNTER_received_bytes)))
        fresh.received_bytes = counters->received_bytes;
    fresh.counted |= WEFT_BIT(WEFT_COUNTER_sent_bytes) | WEFT_BIT(WEFT_COUNTER_received_bytes) |
                     WEFT_COUNTED_INJECTED;
    counters->snapshot = fresh;
}
