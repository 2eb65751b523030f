/* SPDX-License-Identifier: BSD-3-Clause */
/* Drives a driver through its contract with nothing above it, for tools/bench. Not for users: it
 * ends the process on any failure. */
#ifndef WEFT_TOOLS_BENCH_H
#define WEFT_TOOLS_BENCH_H

#include "fabric/driver.h"

struct bench_options {
    const struct weft_driver *driver;
    const char *devices[2];
    struct weft_ip addresses[2];
    enum weft_operation operation;
    uint32_t size_bytes;
    uint32_t depth;
    uint32_t seconds;
    uint32_t mtu_bytes;
    /* pair: nobody polls at the far end. Right where a device takes an RDMA WRITE by itself, as
     * perftest's server does; a thread there would only hold a processor. */
    bool passive_peer;
    const char *peer;     /* ud-send: what ud-receive printed */
    const char *peer_mac; /* ud-send: of a peer that answers no questions, or NULL */
};

/* One end: a device, its queue, one endpoint and a buffer for it. */
struct bench_end {
    const struct weft_driver *driver;
    struct weft_device *device;
    struct weft_cq *cq;
    struct weft_endpoint *endpoint;
    struct weft_region region;
    uint8_t *buffer;
    uint64_t buffer_bytes;
};

_Noreturn void bench_fail(const char *format, ...) WEFT_FORMAT(1, 2);
uint64_t bench_now_ns(void);
/* Pins the calling thread to the n-th CPU that it may use. */
void bench_pin(uint32_t n);

void bench_start(const struct bench_options *options, uint32_t device_count);
void bench_open(const struct bench_options *options, uint32_t which, enum weft_transport transport,
                struct bench_end *ret_end);
void bench_close(struct bench_end *end);

/* Each prints one line of JSON: what was completed, what arrived, in how long. */
void bench_pair(const struct bench_options *options);
void bench_pingpong(const struct bench_options *options);
void bench_ud_send(const struct bench_options *options);
void bench_ud_receive(const struct bench_options *options);
void bench_handoff(const struct bench_options *options);
void bench_memcpy(const struct bench_options *options);

#endif
