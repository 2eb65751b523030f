/* SPDX-License-Identifier: BSD-3-Clause */
/* One of two devices with what is made on it, and how the two are driven, by one thread. Asks only
 * what fabric/driver.h promises, so the drivers may differ. */
#ifndef WEFT_TESTS_VM_END_H
#define WEFT_TESTS_VM_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fabric/driver.h"

#define END_DEPTH 64u
#define END_READ_DEPTH 16u
/* Of the memory the first half is sent from, the second received into. */
#define END_HALF_DEFAULT (UINT64_C(2) << 20)

struct end_options {
    const struct weft_driver *driver;
    const char *name; /* in what is printed */
    const char *device;
    struct weft_ip address;
    uint32_t mtu_bytes;
    uint64_t half_bytes; /* 0: END_HALF_DEFAULT */
};

struct end {
    const struct weft_driver *driver;
    const char *name;
    uint64_t half_bytes;
    struct weft_device *device;
    struct weft_region region;
    struct weft_cq *cq;
    struct weft_endpoint *endpoint;
    uint8_t *memory;
    uint8_t *sink; /* its second half */
    struct weft_completion completions[256];
    uint32_t completion_count;
};

extern unsigned passed_count, failed_count;

/* Counts a check, and prints it where it failed. Returns whether it holds. */
bool check(bool holds, const char *format, ...) WEFT_FORMAT(2, 3);

bool end_open(struct end *end, const struct end_options *options);
void end_close(struct end *end);
bool end_endpoint(struct end *end, enum weft_transport transport);
void end_endpoint_destroy(struct end *end);
/* Fresh endpoints on both, connected to each other; UD: no more than made. */
bool ends_join(struct end *a, struct end *b, enum weft_transport transport);
/* The same of RC. */
bool ends_connect(struct end *a, struct end *b);
/* UD: the way from one to the other, once it is ready; NULL: it failed a check. */
struct weft_destination *ends_destination(struct end *from, struct end *to);

/* Far longer than anything takes: when it has gone, a test has failed. */
uint64_t end_patience(void);
bool end_patient(uint64_t deadline_ns);
/* One turn of a device, whose completions are kept; false: there was no room for them. */
void end_turn(struct end *end);

/* Runs progress on both until each has so many completions, or the patience is at its end. */
bool ends_run(struct end *a, uint32_t a_count, struct end *b, uint32_t b_count);
void end_forget(struct end *end);

struct weft_work end_work(const struct end *from, const struct end *to,
                          enum weft_operation operation, uint32_t len_bytes);
struct weft_work end_receive(const struct end *to, uint32_t len_bytes);
bool end_post(struct end *end, const struct weft_work *work);
/* Where the queue is full, waits for room. */
bool ends_post_patiently(struct end *a, struct end *b, const struct weft_work *work);
bool end_post_receive(struct end *end, const struct weft_work *work);

/* Random bytes into what is sent from: the first bytes of it, or all. */
void end_fill_some(struct end *end, uint64_t seed, uint64_t len_bytes);
void end_fill(struct end *end, uint64_t seed);
void end_clear(struct end *end);
/* Waits for a byte of what is received into, with no progress on the device. */
bool end_wait_byte(const struct end *end, uint64_t offset, uint8_t value);

/* By how much a counter of the device has grown since `before`; waits until it is `wanted`, for the
 * kernel brings its figures up to date every 12 ms only. */
uint64_t end_grown(const struct end *end, size_t field, uint64_t before, uint64_t wanted);

#endif
