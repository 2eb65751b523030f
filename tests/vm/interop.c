/* SPDX-License-Identifier: BSD-3-Clause */
/* The packet engine against the kernel's soft-RoCE, two implementations of one protocol: on w1 and
 * rxe2 as `tests/vm/run --bare` sets them up. Every operation both ways, first on a clean wire,
 * then what must fail, then on a wire that loses, spoils and doubles packets. One thread drives
 * both. Prints a line a group of cells, and "N passed, N failed". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/dpdk/dpdk.h"
#include "drivers/verbs/verbs.h"
#include "tests/vm/faults.h"
#include "tests/vm/matrix.h"

#define MTU_BYTES 4096u

static bool shell(const char *command)
{
    return check(system(command) == 0, "%s", command);
}

/* "Sent 240 bytes 3 pkt (dropped 1, overlimits 0 requeues 0)" of both interfaces. */
static uint64_t losses(void)
{
    char line[256];
    uint64_t sum = 0;
    FILE *output = popen("tc -s qdisc show dev w0; tc -s qdisc show dev w1", "re");
    while (output && fgets(line, sizeof(line), output)) {
        unsigned long long dropped;
        const char *at = strstr(line, "(dropped ");
        if (at && sscanf(at, "(dropped %llu", &dropped) == 1)
            sum += dropped;
    }
    if (output)
        (void)pclose(output);
    return sum;
}

static const struct family {
    const char *name;
    struct weft_ip engine, rxe;
} families[] = {
    {"IPv4",
     {.version = 4, .prefix_bits = 24, .bytes = {198, 18, 2, 2}},
     {.version = 4, .prefix_bits = 24, .bytes = {198, 18, 2, 1}}},
    {"IPv6",
     {.version = 6, .prefix_bits = 64, .bytes = {0xfd, 0, 1, 0x98, 0, 0x18, 0, 2, [15] = 2}},
     {.version = 6, .prefix_bits = 64, .bytes = {0xfd, 0, 1, 0x98, 0, 0x18, 0, 2, [15] = 1}}},
};

static bool open_both(struct end *engine, struct end *rxe, const struct family *family)
{
    const struct end_options engine_options = {
        .name = "engine",
        .driver = &weft_driver_dpdk,
        .device = "net_af_packet0,iface=w1,qdisc_bypass=0",
        .address = family->engine,
        .mtu_bytes = MTU_BYTES,
        .half_bytes = 9u << 20,
    };
    const struct end_options rxe_options = {
        .name = "rxe",
        .driver = &weft_driver_verbs,
        .device = "rxe2",
        .address = family->rxe,
        .mtu_bytes = MTU_BYTES,
        .half_bytes = 9u << 20,
    };
    bool opened = end_open(engine, &engine_options);
    opened = end_open(rxe, &rxe_options) && opened;
    if (opened)
        (void)printf("over %s\nengine: %s\nrxe: %s\n", family->name,
                     engine->driver->describe(engine->device), rxe->driver->describe(rxe->device));
    return opened;
}

#define EVERY_TRANSPORT (WEFT_BIT(WEFT_TRANSPORT_COUNT) - 1u)

static void on_clean_wire(struct end *engine, struct end *rxe, uint32_t largest_bytes)
{
    const struct matrix matrix = {
        .transports = EVERY_TRANSPORT, .mtu_bytes = MTU_BYTES, .largest_bytes = largest_bytes};
    (void)printf("on a clean wire:\n");
    (void)matrix_run(engine, rxe, &matrix);
}

static void on_wire(struct end *engine, struct end *rxe, const char *netem, uint32_t transports)
{
    const struct matrix matrix = {.transports = transports,
                                  .mtu_bytes = MTU_BYTES,
                                  .largest_bytes = 1u << 20,
                                  .losses = losses};
    char command[256];
    (void)snprintf(command, sizeof(command),
                   "tc qdisc replace dev w0 root netem %s && tc qdisc replace dev w1 root netem %s",
                   netem, netem);
    if (!shell(command))
        return;
    (void)printf("with netem %s each way:\n", netem);
    (void)matrix_run(engine, rxe, &matrix);
}

/* One packet in fifty is lost each way, and some come with a wrong bit. */
static void on_bad_wire(struct end *engine, struct end *rxe)
{
    /* Doubled ones come twice where nothing is acknowledged. */
    on_wire(engine, rxe, "loss 2% corrupt 0.3%", EVERY_TRANSPORT & ~WEFT_BIT(WEFT_TRANSPORT_RC));
    on_wire(engine, rxe, "loss 2% corrupt 0.3% duplicate 0.5%", WEFT_BIT(WEFT_TRANSPORT_RC));
    const struct weft_device_counters *counters = engine->driver->counters(engine->device);
    (void)printf("engine: %llu packets sent again, %llu NAKs, %llu timeouts, %llu ICRC errors\n",
                 (unsigned long long)counters->retransmitted_packets,
                 (unsigned long long)counters->sequence_naks_received,
                 (unsigned long long)counters->timeouts, (unsigned long long)counters->icrc_errors);
    check(losses() > 100 && counters->retransmitted_packets > 0 && counters->icrc_errors > 0,
          "the wire was not bad");
    (void)shell("tc qdisc del dev w0 root; tc qdisc del dev w1 root");
}

static void run_faults(struct end *from, struct end *to)
{
    unsigned before = failed_count;
    faults(from, to);
    (void)printf("%s %-6s -> %-6s  what must fail\n", failed_count == before ? "ok" : "not ok",
                 from->name, to->name);
}

static void run_over(const struct family *family, bool whole)
{
    struct end engine, rxe;
    if (open_both(&engine, &rxe, family)) {
        on_clean_wire(&engine, &rxe, whole ? 8u << 20 : 128u << 10);
        if (whole) {
            run_faults(&engine, &rxe);
            run_faults(&rxe, &engine);
            on_bad_wire(&engine, &rxe);
        }
    }
    end_close(&engine);
    end_close(&rxe);
}

int main(void)
{
    /* What was found is shown even where the rest crashes. */
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    struct weft_error error = {0};
    const struct weft_driver_start start = {.device_count = 1, .worker_count = 1};
    if (check(weft_driver_dpdk.start(&start, &error) == WEFT_OK, "start: %s", error.text)) {
        run_over(&families[0], true);
        run_over(&families[1], false);
    }
    weft_driver_dpdk.stop(NULL);
    (void)printf("%u passed, %u failed\n", passed_count, failed_count);
    return failed_count ? 1 : 0;
}
