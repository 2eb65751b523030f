/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices of the DPDK driver with an endpoint each, for tests. */
#ifndef WEFT_TEST_DPDK_ENDS_H
#define WEFT_TEST_DPDK_ENDS_H

#include "fabric/driver.h"

struct end {
    struct weft_device *device;
    struct weft_cq *cq;
    struct weft_endpoint *endpoint;
    struct weft_region region;
    uint8_t *buffer;
    uint64_t buffer_bytes;
};

struct end_options {
    const char *device;
    const char *pcap_path;
    uint32_t host; /* 10.0.0.host */
    uint32_t endpoints;
    enum weft_transport transport;
    uint64_t buffer_bytes;
    struct weft_fault_options fault;
};

void ends_start(uint32_t devices);
void end_open(struct end *end, const struct end_options *options);
/* One more endpoint on the end's completion queue. */
struct weft_endpoint *end_endpoint(struct end *end, enum weft_transport transport);
void end_close(struct end *end);

/* All devices once; returns what they did. The clock of a test goes by rounds. */
uint32_t ends_round(struct end *ends, uint32_t count);
uint64_t ends_now_ns(void);
/* From here on the clock is the system's, for devices whose other half is the kernel. */
void ends_use_real_time(void);

void ends_connect(struct end *ends, uint32_t count, struct weft_endpoint *a,
                  struct weft_endpoint *b);
/* Rounds until the end's queue has a completion, which must be good. */
struct weft_completion ends_await(struct end *ends, uint32_t count, struct end *at);

void end_fill(struct end *end, uint32_t seed);
/* Work on the whole buffer's first bytes. */
struct weft_work end_work(struct end *end, enum weft_operation operation, uint32_t len_bytes);
struct weft_work end_work_to(struct end *end, enum weft_operation operation, uint32_t len_bytes,
                             const struct end *peer);

#endif
