/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/verbs/counters.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char port[] = "/tmp/weft-counters.XXXXXX";

static void make_port(void)
{
    char path[128];
    cr_assert(mkdtemp(port));
    cr_assert(snprintf(path, sizeof(path), "%s/counters", port) > 0 && mkdir(path, 0700) == 0);
    cr_assert(snprintf(path, sizeof(path), "%s/hw_counters", port) > 0 && mkdir(path, 0700) == 0);
}

static void remove_port(void)
{
    char command[128];
    cr_assert(snprintf(command, sizeof(command), "rm -r %s", port) > 0 && system(command) == 0);
}

static void put(const char *name, const char *value)
{
    char path[128];
    cr_assert(snprintf(path, sizeof(path), "%s/%s", port, name) > 0);
    FILE *file = fopen(path, "w");
    cr_assert(file && fprintf(file, "%s\n", value) > 0 && fclose(file) == 0);
}

Test(counters, count_from_the_opening, .init = make_port, .fini = remove_port)
{
    struct weft_verbs_counters counters;
    put("counters/port_xmit_data", "1000");
    put("hw_counters/out_of_sequence", "7");
    put("hw_counters/packet_seq_err", "1");
    weft_verbs_counters_init(&counters, port);
    counters.sent_bytes = 5;
    counters.received_bytes = 6;
    put("counters/port_xmit_data", "1100");
    put("hw_counters/out_of_sequence", "9");
    put("hw_counters/duplicate_request", "50"); /* was not there at the opening */
    weft_verbs_counters_read(&counters);
    cr_assert_eq(counters.snapshot.sent_bytes, 400, "words of four bytes");
    cr_assert_eq(counters.snapshot.received_bytes, 6, "no file: what the completions told");
    cr_assert_eq(counters.snapshot.out_of_order_packets, 2);
    cr_assert_eq(counters.snapshot.sequence_naks_received, 0);
    cr_assert_eq(counters.snapshot.duplicate_packets, 0);
    cr_assert_eq(counters.snapshot.counted,
                 WEFT_BIT(WEFT_COUNTER_sent_bytes) | WEFT_BIT(WEFT_COUNTER_received_bytes) |
                     WEFT_BIT(WEFT_COUNTER_out_of_order_packets) |
                     WEFT_BIT(WEFT_COUNTER_sequence_naks_received) | WEFT_COUNTED_INJECTED);
}

Test(counters, rxe_and_mlx5_by_their_own_names, .init = make_port, .fini = remove_port)
{
    struct weft_verbs_counters counters;
    const char *names[] = {
        "hw_counters/sent_pkts",          "hw_counters/rcvd_pkts",
        "hw_counters/out_of_seq_request", "hw_counters/rcvd_rnr_err",
        "hw_counters/rcvd_seq_err",       "hw_counters/completer_retry_err",
        "hw_counters/duplicate_request",  "hw_counters/local_ack_timeout_err",
        "hw_counters/out_of_buffer",      "hw_counters/rx_icrc_encapsulated",
    };
    char value[16];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        put(names[i], "0");
    weft_verbs_counters_init(&counters, port);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        cr_assert(snprintf(value, sizeof(value), "%zu", i + 1) > 0);
        put(names[i], value);
    }
    weft_verbs_counters_read(&counters);
    const struct weft_device_counters expected = {
        .sent_packets = 1,
        .received_packets = 2,
        .out_of_order_packets = 3,
        .rnr_naks_received = 4,
        .sequence_naks_received = 5,
        .retransmitted_packets = 6,
        .duplicate_packets = 7,
        .timeouts = 8,
        .receive_dropped = 9,
        .icrc_errors = 10,
        .counted = WEFT_BIT(WEFT_COUNTER_sent_bytes) | WEFT_BIT(WEFT_COUNTER_received_bytes) |
                   WEFT_BIT(WEFT_COUNTER_sent_packets) | WEFT_BIT(WEFT_COUNTER_received_packets) |
                   WEFT_BIT(WEFT_COUNTER_out_of_order_packets) |
                   WEFT_BIT(WEFT_COUNTER_rnr_naks_received) |
                   WEFT_BIT(WEFT_COUNTER_sequence_naks_received) |
                   WEFT_BIT(WEFT_COUNTER_retransmitted_packets) |
                   WEFT_BIT(WEFT_COUNTER_duplicate_packets) | WEFT_BIT(WEFT_COUNTER_timeouts) |
                   WEFT_BIT(WEFT_COUNTER_receive_dropped) | WEFT_BIT(WEFT_COUNTER_icrc_errors) |
                   WEFT_COUNTED_INJECTED,
    };
    cr_assert_eq(memcmp(&counters.snapshot, &expected, sizeof(expected)), 0);
}

Test(counters, garbage_and_resets_count_nothing, .init = make_port, .fini = remove_port)
{
    struct weft_verbs_counters counters;
    put("hw_counters/sent_pkts", "100");
    put("hw_counters/rcvd_pkts", "N/A (no PMA)");
    put("hw_counters/rcvd_seq_err", "5");
    weft_verbs_counters_init(&counters, port);
    put("hw_counters/sent_pkts", "3");
    put("hw_counters/rcvd_pkts", "9");
    put("hw_counters/rcvd_seq_err", "");
    weft_verbs_counters_read(&counters);
    cr_assert_eq(counters.snapshot.sent_packets, 0);
    cr_assert_eq(counters.snapshot.received_packets, 0);
    cr_assert_eq(counters.snapshot.sequence_naks_received, 0);
}
