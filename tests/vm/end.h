/* SPDX-License-Identifier: BSD-3-Clause */
/* One of the two devices of verbs-pair with what is made on it, and how the two are driven. Asks
 * only what fabric/driver.h promises. */
#ifndef WEFT_TESTS_VM_END_H
#define WEFT_TESTS_VM_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fabric/driver.h"

#define END_DEPTH 64u
/* The first half is sent from, the second received into. */
#define END_HALF (UINT64_C(2) << 20)

struct end {
    const char *device_name;
    struct weft_device *device;
    struct weft_region region;
    struct weft_cq *cq;
    struct weft_endpoint *endpoint;
    uint8_t *memory;
    struct weft_completion completions[256];
    uint32_t completion_count;
};

extern unsigned passed_count, failed_count;

/* Counts a check, and prints it where it failed. Returns whether it holds. */
bool check(bool holds, const char *format, ...) WEFT_FORMAT(2, 3);

bool end_open(struct end *end, const char *device, uint32_t mtu_bytes, uint8_t address_last);
void end_close(struct end *end);
bool end_endpoint(struct end *end, enum weft_transport transport);
void end_endpoint_destroy(struct end *end);
/* Fresh RC endpoints on both, connected to each other. */
bool ends_connect(struct end *a, struct end *b);

/* Runs progress on both until each has so many completions more, or ten seconds have gone. */
bool ends_run(struct end *a, uint32_t a_count, struct end *b, uint32_t b_count);
void end_forget(struct end *end);

struct weft_work end_work(const struct end *from, const struct end *to,
                          enum weft_operation operation, uint32_t len_bytes);
struct weft_work end_receive(const struct end *to, uint32_t len_bytes);
bool end_post(struct end *end, const struct weft_work *work);
/* Where the queue is full, waits for room. */
bool ends_post_patiently(struct end *a, struct end *b, const struct weft_work *work);
bool end_post_receive(struct end *end, const struct weft_work *work);

void end_fill(struct end *end, uint64_t seed);
void end_clear(struct end *end);
/* Waits for a byte of what is received into, with no progress on the device. */
bool end_wait_byte(const struct end *end, uint64_t offset, uint8_t value);

/* By how much a counter of the device has grown since `before`; waits until it is `wanted`, for the
 * kernel brings its figures up to date every 12 ms only. */
uint64_t end_grown(const struct end *end, size_t field, uint64_t before, uint64_t wanted);

#endif
