/* SPDX-License-Identifier: BSD-3-Clause */
/* The verbs driver against the kernel's soft-RoCE: two devices, rxe0 and rxe1, joined by a veth
 * pair as tests/vm/run sets them up. Prints "N passed, N failed". */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "drivers/verbs/verbs.h"
#include "tests/vm/end.h"
#include "tests/vm/faults.h"
#include "tests/vm/matrix.h"
#include "tests/vm/traffic.h"

static const struct weft_driver *const driver = &weft_driver_verbs;

/* What has no byte of the message must be as it was. */
static bool arrived(const struct end *from, const struct end *to, uint32_t len_bytes)
{
    static const uint8_t nothing[64];
    return memcmp(to->sink, from->memory, len_bytes) == 0 &&
           memcmp(to->sink + len_bytes, nothing, sizeof(nothing)) == 0;
}

/* Memory that is not registered, and changed as soon as post has returned. */
static void inlined(struct end *a, struct end *b)
{
    uint8_t local[64];
    memset(local, 0x5a, sizeof(local));
    struct weft_work work = end_work(a, b, WEFT_OPERATION_WRITE, sizeof(local));
    work.memory = local;
    work.lkey = 0;
    work.inlined = true;
    end_clear(b);
    bool posted = end_post(a, &work);
    memset(local, 0, sizeof(local));
    bool done = posted && ends_run(a, 1, b, 0);
    check(done && a->completions[0].status == WEFT_OK && b->sink[0] == 0x5a && b->sink[63] == 0x5a,
          "inline write");
    end_forget(a);
}

/* Four times what the queue holds, none of it signaled: it must not run full for ever, nor complete
 * to the caller. */
static void unsignaled(struct end *a, struct end *b)
{
    struct weft_work work = end_work(a, b, WEFT_OPERATION_WRITE, 8);
    work.unsignaled = true;
    uint32_t posted = 0;
    while (posted < 4 * END_DEPTH && ends_post_patiently(a, b, &work))
        posted++;
    work.unsignaled = false;
    work.id = 99;
    bool done = ends_post_patiently(a, b, &work);
    check(posted == 4 * END_DEPTH && done && ends_run(a, 1, b, 0) && a->completions[0].id == 99,
          "unsignaled writes: %u taken, %u completions", posted, a->completion_count);
    end_forget(a);
}

/* One call with as many as the queue holds, and one more that it must leave. */
static void batch(struct end *a, struct end *b)
{
    struct weft_work sends[END_DEPTH + 1], receives[END_DEPTH + 1];
    for (uint32_t i = 0; i <= END_DEPTH; i++) {
        sends[i] = end_work(a, b, WEFT_OPERATION_SEND, 32);
        receives[i] = end_receive(b, 32);
        sends[i].id = receives[i].id = i;
        sends[i].memory = a->memory + 32 * (uint64_t)i;
        receives[i].memory = b->sink + 32 * (uint64_t)i;
    }
    end_fill(a, 3);
    end_clear(b);
    bool held = driver->post_receive(b->endpoint, receives, END_DEPTH + 1) == END_DEPTH &&
                driver->post_send(a->endpoint, sends, END_DEPTH + 1) == END_DEPTH &&
                ends_run(a, END_DEPTH, b, END_DEPTH) && arrived(a, b, 32 * END_DEPTH);
    for (uint32_t i = 0; held && i < END_DEPTH; i++)
        held = a->completions[i].id == i && b->completions[i].id == i;
    check(held, "batch: %u sent, %u received", a->completion_count, b->completion_count);
    end_forget(a);
    end_forget(b);
}

static uint64_t crossed_packets(const char *interface)
{
    char path[128];
    unsigned long long packets = 0;
    (void)snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/rx_packets", interface);
    FILE *file = fopen(path, "re");
    if (!file || fscanf(file, "%llu", &packets) != 1)
        packets = 0;
    if (file)
        (void)fclose(file);
    return packets;
}

/* rxe would hand packets to itself where it takes the peer for its own: then the interface between
 * them sees none. */
static void wire(struct end *a, struct end *b, uint32_t mtu_bytes)
{
    uint64_t before = crossed_packets("v1");
    uint64_t sent = driver->counters(a->device)->sent_packets;
    uint64_t bytes = driver->counters(a->device)->sent_bytes;
    uint64_t received = driver->counters(b->device)->received_packets;
    (void)traffic_run(
        a, b,
        &(struct traffic){.operation = WEFT_OPERATION_WRITE, .len_bytes = 1 << 20, .count = 1},
        NULL);
    uint64_t packets = (1u << 20) / mtu_bytes;
    uint64_t crossed = crossed_packets("v1") - before;
    sent = end_grown(a, offsetof(struct weft_device_counters, sent_packets), sent, packets);
    received =
        end_grown(b, offsetof(struct weft_device_counters, received_packets), received, packets);
    bytes = driver->counters(a->device)->sent_bytes - bytes;
    check(crossed >= packets, "%llu packets crossed the wire", (unsigned long long)crossed);
    check(sent >= packets && received >= packets && bytes == 1u << 20,
          "counters: %llu packets sent, %llu received, %llu bytes", (unsigned long long)sent,
          (unsigned long long)received, (unsigned long long)bytes);
}

/* To a peer that takes no READs none is sent: the work comes back, and the endpoint says why. */
static void depths(struct end *a, struct end *b)
{
    struct weft_error error = {0};
    struct weft_endpoint_address address;
    if (!end_endpoint(a, WEFT_TRANSPORT_RC) || !end_endpoint(b, WEFT_TRANSPORT_RC))
        return;
    driver->endpoint_address(b->endpoint, &address);
    check(address.read_depth == END_READ_DEPTH, "read depth %u", address.read_depth);
    address.read_depth = 0;
    check(driver->endpoint_connect(a->endpoint, &address, &error) == WEFT_OK, "connect: %s",
          error.text);
    struct weft_work work = end_work(a, b, WEFT_OPERATION_READ, 8);
    bool done = end_post(a, &work) && ends_run(a, 1, b, 0);
    check(done && a->completions[0].status == WEFT_UNSUPPORTED && a->completions[0].id == work.id &&
              driver->endpoint_state(a->endpoint, &error) == WEFT_ENDPOINT_FAILED &&
              strstr(error.text, "no READs or atomics"),
          "READ to a peer that takes none: %s", error.text);
}

static void print_device(void *context, const struct weft_device_description *device)
{
    unsigned *usable = context;
    *usable += device->hindrance == NULL;
    (void)printf("%s: %s%s%s\n", device->name, device->detail, device->hindrance ? "; " : "",
                 device->hindrance ? device->hindrance : "");
}

static bool open_both(struct end *a, struct end *b, uint32_t mtu_bytes)
{
    struct end_options options = {
        .name = "rxe0",
        .driver = driver,
        .device = "rxe0",
        .address = {.version = 4, .prefix_bits = 24, .bytes = {198, 18, 1, 1}},
        .mtu_bytes = mtu_bytes,
    };
    bool opened = end_open(a, &options);
    options.name = "rxe1";
    options.device = "rxe1:1";
    options.address.bytes[3] = 2;
    return end_open(b, &options) && opened;
}

static void run_with(uint32_t mtu_bytes)
{
    struct end a, b;
    if (!open_both(&a, &b, mtu_bytes))
        return;
    (void)printf("%s\n", driver->describe(a.device));
    struct weft_capabilities capabilities;
    driver->capabilities(a.device, &capabilities);
    check(capabilities.mtu_bytes == mtu_bytes && capabilities.line_rate_bps == 0 &&
              capabilities.max_inline_bytes >= 64 && capabilities.max_message_bytes == 8u << 20 &&
              capabilities.operations == WEFT_BIT(WEFT_OPERATION_COUNT) - 1 &&
              capabilities.transports == WEFT_BIT(WEFT_TRANSPORT_COUNT) - 1 &&
              capabilities.max_read_depth == 128,
          "capabilities");
    struct matrix matrix = {.transports = WEFT_BIT(WEFT_TRANSPORT_COUNT) - 1,
                            .mtu_bytes = mtu_bytes,
                            .largest_bytes = 1 << 20};
    if (matrix_run(&a, &b, &matrix) && ends_connect(&a, &b)) {
        inlined(&a, &b);
        unsignaled(&a, &b);
        batch(&a, &b);
        wire(&a, &b, mtu_bytes);
        depths(&a, &b);
        faults(&a, &b);
        leftovers(&a, &b);
    }
    end_close(&a);
    end_close(&b);
}

int main(void)
{
    /* What was found is shown even where the rest crashes. */
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    unsigned usable = 0;
    driver->list(print_device, &usable);
    check(usable >= 2, "%u usable devices listed", usable);
    refusals();
    run_with(4096);
    run_with(512);
    (void)printf("%u passed, %u failed\n", passed_count, failed_count);
    return failed_count ? 1 : 0;
}
