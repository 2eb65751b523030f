/* SPDX-License-Identifier: BSD-3-Clause */
/* The contract's defaults: every table is whole, and a driver that names only what has no default
 * carries a schedule. */
#include <criterion/criterion.h>
#include <stddef.h>
#include <string.h>

#include "cluster.h"
#include "drivers/null/null.h"
#include "drivers/registry.h"
#include "fabric/driver/completions.h"
#include "fabric/driver/default.h"

/* The ops from `first` on, up to `end`; all are pointers to functions. */
static void assert_set(const struct weft_driver *driver, size_t first, size_t end)
{
    for (size_t at = first; at < end; at += sizeof(void *)) {
        const void *op;
        memcpy(&op, (const char *)driver + at, sizeof(op));
        cr_assert(op, "%s lacks the op at offset %zu", driver->name, at);
    }
}

static void assert_whole(const struct weft_driver *driver)
{
    cr_assert(driver->name && driver->summary);
    cr_assert_eq(!driver->clock_ns, !driver->advance, "%s has one of two", driver->name);
    assert_set(driver, offsetof(struct weft_driver, start), offsetof(struct weft_driver, clock_ns));
    assert_set(driver, offsetof(struct weft_driver, list),
               offsetof(struct weft_driver, injects_faults));
}

Test(contract, every_op_of_every_driver_is_set)
{
    for (const struct weft_driver *const *at = weft_drivers(); *at; at++)
        assert_whole(*at);
}

/* What a driver must name, here the null driver's, and nothing more. */
static struct weft_driver least(void)
{
    struct weft_driver driver = {WEFT_DRIVER_DEFAULTS, .name = "least", .summary = "what it must"};
    driver.list = weft_driver_null.list;
    driver.open = weft_driver_null.open;
    driver.close = weft_driver_null.close;
    driver.capabilities = weft_driver_null.capabilities;
    driver.progress = weft_driver_null.progress;
    driver.region_register = weft_driver_null.region_register;
    driver.region_deregister = weft_driver_null.region_deregister;
    driver.endpoint_create = weft_driver_null.endpoint_create;
    driver.endpoint_destroy = weft_driver_null.endpoint_destroy;
    driver.endpoint_address = weft_driver_null.endpoint_address;
    driver.endpoint_connect = weft_driver_null.endpoint_connect;
    driver.endpoint_state = weft_driver_null.endpoint_state;
    driver.endpoint_counters = weft_driver_null.endpoint_counters;
    driver.post_send = weft_driver_null.post_send;
    driver.post_receive = weft_driver_null.post_receive;
    return driver;
}

Test(contract, the_least_driver_does_an_all_reduce)
{
    const struct weft_driver driver = least();
    struct cluster cluster;
    const struct cluster_options options = {
        .pattern = "all-reduce",
        .options = {.rank_count = 2, .size_bytes = 4096},
        .driver = &driver,
    };
    assert_whole(&driver);
    cluster_init(&cluster, &options);
    cluster_start(&cluster, WEFT_PHASE_VERIFY);
    cluster_grant(&cluster, 2);
    cr_assert(cluster_reach(&cluster, 2));
    struct weft_verify_result verified = cluster_verify(&cluster);
    cr_assert_gt(verified.compared_bytes, 0);
    cr_assert_eq(verified.wrong_bytes, 0);
    cr_assert_eq(driver.counters(cluster.devices[0])->counted, 0);
    cr_assert_str_eq(driver.describe(cluster.devices[0]), "");
    cluster_fini(&cluster);
}

Test(contract, what_the_defaults_do)
{
    const struct weft_driver driver = least();
    struct weft_error error = {0};
    struct weft_destination *destination = NULL;
    cr_assert_eq(driver.start(&(struct weft_driver_start){0}, &error), WEFT_OK);
    cr_assert_eq(driver.service(NULL, &error), WEFT_OK);
    cr_assert_eq(driver.destination_create(NULL, NULL, &destination, &error), WEFT_UNSUPPORTED);
    cr_assert_null(destination);
    cr_assert_eq(driver.destination_state(NULL, &error), WEFT_ENDPOINT_FAILED);
    driver.destination_destroy(NULL, NULL);
    driver.stop(NULL);
}

/* In order, around the ring's end, and no more than was put. */
Test(contract, completions_come_in_order)
{
    const struct weft_driver driver = least();
    struct weft_error error = {0};
    struct weft_cq *cq = NULL;
    struct weft_completion taken[8];
    cr_assert_eq(driver.cq_create(NULL, 0, &cq, &error), WEFT_INVALID);
    cr_assert_eq(driver.cq_create(NULL, WEFT_DRIVER_DEFAULT_CQ_DEPTH_MAX + 1, &cq, &error),
                 WEFT_INVALID);
    cr_assert_eq(driver.cq_create(NULL, 3, &cq, &error), WEFT_OK);
    struct weft_completions *completions = (struct weft_completions *)(void *)cq;
    uint64_t put = 0, got = 0;
    for (uint32_t round = 0; round < 10; round++) {
        for (uint32_t i = 0; i < 3; i++)
            weft_completions_put(completions, &(struct weft_completion){.id = put++});
        cr_assert_eq(driver.cq_poll(cq, taken, 2), 2);
        cr_assert(taken[0].id == got && taken[1].id == got + 1);
        cr_assert_eq(driver.cq_poll(cq, taken, 8), 1);
        cr_assert_eq(taken[0].id, got + 2);
        got += 3;
        cr_assert_eq(driver.cq_poll(cq, taken, 8), 0);
    }
    driver.cq_destroy(NULL, cq);
    driver.cq_destroy(NULL, NULL);
}

static void refused(struct weft_device_options options, const char *what)
{
    struct weft_error error = {0};
    cr_assert_eq(weft_driver_refuse_packet_options(&options, "least", &error), WEFT_UNSUPPORTED);
    cr_assert(strstr(error.text, what) && strstr(error.text, "least"), "%s", error.text);
}

Test(contract, what_is_done_to_packets_is_refused)
{
    struct weft_error error = {0};
    cr_assert_eq(weft_driver_refuse_packet_options(&(struct weft_device_options){.seed = 7},
                                                   "least", &error),
                 WEFT_OK);
    refused((struct weft_device_options){.pcap_path = "x.pcap"}, "capture");
    refused((struct weft_device_options){.rate_bps = 1}, "pace");
    refused((struct weft_device_options){.congestion.control = WEFT_CONGESTION_DCQCN},
            "congestion");
    refused((struct weft_device_options){.fault.delay = 0.1}, "faults");
}
