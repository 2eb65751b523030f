/* SPDX-License-Identifier: BSD-3-Clause */
/* The verbs driver against the kernel's soft-RoCE: two devices, rxe0 and rxe1, joined by a veth
 * pair as tests/vm/run sets them up. Prints "N passed, N failed". */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "drivers/verbs/verbs.h"
#include "tests/vm/end.h"
#include "tests/vm/faults.h"

static const struct weft_driver *const driver = &weft_driver_verbs;

static const char *const operations[] = {"SEND", "WRITE", "WRITE_IMMEDIATE"};

/* What has no byte of the message must be as it was. */
static bool arrived(const struct end *from, const struct end *to, uint32_t len_bytes)
{
    const uint8_t *sink = to->memory + END_HALF;
    static const uint8_t nothing[64];
    return memcmp(sink, from->memory, len_bytes) == 0 &&
           memcmp(sink + len_bytes, nothing, sizeof(nothing)) == 0;
}

static bool received_well(const struct end *to, enum weft_operation operation, uint32_t len_bytes)
{
    const struct weft_completion *receive = &to->completions[0];
    bool immediate = operation == WEFT_OPERATION_WRITE_IMMEDIATE;
    return receive->status == WEFT_OK && receive->operation == WEFT_OPERATION_RECEIVE &&
           receive->len_bytes == len_bytes && receive->user == 0x77 &&
           receive->has_immediate == immediate &&
           (!immediate || receive->immediate == 0xfeed0000u + (len_bytes & 0xffff));
}

static bool transfer(struct end *from, struct end *to, enum weft_operation operation,
                     uint32_t len_bytes)
{
    bool takes_receive = operation != WEFT_OPERATION_WRITE;
    struct weft_work work = end_work(from, to, operation, len_bytes);
    struct weft_work receive = end_receive(to, operation == WEFT_OPERATION_SEND ? len_bytes : 0);
    uint64_t before = driver->endpoint_counters(to->endpoint)->received_payload_bytes;
    end_fill(from, len_bytes + 1u);
    end_clear(to);
    bool done = (!takes_receive || end_post_receive(to, &receive)) && end_post(from, &work) &&
                ends_run(from, 1, to, takes_receive);
    uint64_t counted = driver->endpoint_counters(to->endpoint)->received_payload_bytes - before;
    const struct weft_completion *sent = &from->completions[0];
    bool held = check(
        done && sent->status == WEFT_OK && sent->operation == operation && sent->id == work.id &&
            sent->user == 0x77 && (!takes_receive || received_well(to, operation, len_bytes)) &&
            arrived(from, to, len_bytes) && counted == (takes_receive ? len_bytes : 0),
        "%s of %u bytes from %s: %u and %u completions, %s", operations[operation], len_bytes,
        from->device_name, from->completion_count, to->completion_count,
        weft_status_text(sent->status));
    end_forget(from);
    end_forget(to);
    return held;
}

/* Ends at the first failure, for it leaves endpoints that cannot do any more. */
static bool transfers(struct end *a, struct end *b, uint32_t mtu_bytes)
{
    const uint32_t sizes[] = {0, 1, mtu_bytes - 1, mtu_bytes, mtu_bytes + 1, 65536, 1 << 20};
    for (unsigned operation = WEFT_OPERATION_SEND; operation <= WEFT_OPERATION_WRITE_IMMEDIATE;
         operation++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            if (!transfer(a, b, (enum weft_operation)operation, sizes[i]) ||
                !transfer(b, a, (enum weft_operation)operation, sizes[i]))
                return false;
        }
    }
    return true;
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
    check(done && a->completions[0].status == WEFT_OK && b->memory[END_HALF] == 0x5a &&
              b->memory[END_HALF + 63] == 0x5a,
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
        receives[i].memory = b->memory + END_HALF + 32 * (uint64_t)i;
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

static void datagram(struct end *a, struct end *b, uint32_t len_bytes)
{
    struct weft_error error = {0};
    struct weft_endpoint_address peer;
    struct weft_destination *destination = NULL;
    if (!end_endpoint(a, WEFT_TRANSPORT_UD) || !end_endpoint(b, WEFT_TRANSPORT_UD))
        return;
    driver->endpoint_address(b->endpoint, &peer);
    enum weft_status made = driver->destination_create(a->endpoint, &peer, &destination, &error);
    if (!check(made == WEFT_OK, "destination: %s", error.text))
        return;
    struct weft_work work = end_work(a, b, WEFT_OPERATION_SEND, len_bytes);
    work.destination = destination;
    struct weft_work receive = end_receive(b, len_bytes + WEFT_GRH_BYTES);
    end_fill(a, 5);
    end_clear(b);
    bool done = end_post_receive(b, &receive) && end_post(a, &work) && ends_run(a, 1, b, 1);
    check(done && a->completions[0].status == WEFT_OK && b->completions[0].status == WEFT_OK &&
              b->completions[0].len_bytes == len_bytes + WEFT_GRH_BYTES &&
              memcmp(b->memory + END_HALF + WEFT_GRH_BYTES, a->memory, len_bytes) == 0,
          "datagram of %u bytes", len_bytes);
    driver->destination_destroy(a->endpoint, destination);
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
    (void)transfer(a, b, WEFT_OPERATION_WRITE, 1 << 20);
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

static void print_device(void *context, const struct weft_device_description *device)
{
    unsigned *usable = context;
    *usable += device->hindrance == NULL;
    (void)printf("%s: %s%s%s\n", device->name, device->detail, device->hindrance ? "; " : "",
                 device->hindrance ? device->hindrance : "");
}

static void run_with(uint32_t mtu_bytes)
{
    struct end a, b;
    bool opened = end_open(&a, "rxe0", mtu_bytes, 1);
    if (!end_open(&b, "rxe1:1", mtu_bytes, 2) || !opened)
        return;
    (void)printf("%s\n", driver->describe(a.device));
    struct weft_capabilities capabilities;
    driver->capabilities(a.device, &capabilities);
    check(capabilities.mtu_bytes == mtu_bytes && capabilities.line_rate_bps == 0 &&
              capabilities.max_inline_bytes >= 64 && capabilities.max_message_bytes == 8u << 20,
          "capabilities");
    if (ends_connect(&a, &b) && transfers(&a, &b, mtu_bytes)) {
        inlined(&a, &b);
        unsignaled(&a, &b);
        batch(&a, &b);
        wire(&a, &b, mtu_bytes);
        faults(&a, &b);
        datagram(&a, &b, 1);
        datagram(&a, &b, mtu_bytes);
    }
    end_close(&a);
    end_close(&b);
}

int main(void)
{
    unsigned usable = 0;
    driver->list(print_device, &usable);
    check(usable >= 2, "%u usable devices listed", usable);
    refusals();
    run_with(4096);
    run_with(512);
    (void)printf("%u passed, %u failed\n", passed_count, failed_count);
    return failed_count ? 1 : 0;
}
