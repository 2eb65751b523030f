/* SPDX-License-Identifier: BSD-3-Clause */
/* Once all is set up the data path of a device allocates and frees nothing: post, progress, poll,
 * on loopback, on a NIC, with faults. What other threads of EAL do is not counted. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "drivers/dpdk/dpdk.h"
#include "tests/unit/allocations.h"
#include "tests/unit/dpdk/ends.h"

static const struct weft_driver *const driver = &weft_driver_dpdk;

/* RC messages of all kinds and sizes between two devices. */
static void exchange(struct end *ends, uint32_t messages)
{
    static const enum weft_operation operations[] = {WEFT_OPERATION_WRITE, WEFT_OPERATION_SEND,
                                                     WEFT_OPERATION_WRITE_IMMEDIATE};
    for (uint32_t i = 0; i < messages; i++) {
        enum weft_operation operation = operations[i % 3];
        struct weft_work work = end_work_to(&ends[0], operation, 1 + i * 37 % 20000, &ends[1]);
        struct weft_work receive = end_work(&ends[1], WEFT_OPERATION_RECEIVE, 20000);
        if (operation != WEFT_OPERATION_WRITE)
            cr_assert_eq(driver->post_receive(ends[1].endpoint, &receive, 1), 1);
        cr_assert_eq(driver->post_send(ends[0].endpoint, &work, 1), 1);
        (void)ends_await(ends, 2, &ends[0]);
        if (operation != WEFT_OPERATION_WRITE)
            (void)ends_await(ends, 2, &ends[1]);
    }
}

static void check_exchange(const struct weft_fault_options *fault)
{
    struct end ends[2];
    ends_start(2);
    allocations = 0;
    for (uint32_t i = 0; i < 2; i++)
        end_open(&ends[i],
                 &(struct end_options){.host = i + 1, .buffer_bytes = 20000, .fault = *fault});
    cr_assert_gt(allocations, 4, "the names are taken");
    ends_connect(ends, 2, ends[0].endpoint, ends[1].endpoint);
    exchange(ends, 3);
    allocations = 0;
    exchange(ends, 200);
    cr_assert_eq(allocations, 0);
    for (uint32_t i = 0; i < 2; i++)
        end_close(&ends[i]);
    driver->stop(NULL);
}

Test(allocate, nothing_on_loopback)
{
    check_exchange(&(struct weft_fault_options){0});
}

Test(allocate, nothing_under_faults)
{
    check_exchange(&(struct weft_fault_options){
        .drop = 0.02, .corrupt = 0.02, .duplicate = 0.05, .reorder = 0.05, .seed = 3});
}

/* Datagrams into a NIC that throws them away, and empty frames out of it that nobody wants. */
Test(allocate, nothing_on_a_nic)
{
    struct end end;
    struct weft_error error = {0};
    const struct weft_ip peer = {.version = 4, .bytes = {10, 0, 0, 2}};
    struct weft_endpoint_address address = {
        .gid = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2}, .qpn = 17, .mtu_bytes = 1024};
    struct weft_destination *destination = NULL;
    ends_start(1);
    end_open(&end, &(struct end_options){.device = "net_null0",
                                         .host = 1,
                                         .transport = WEFT_TRANSPORT_UD,
                                         .buffer_bytes = 20000});
    cr_assert_eq(
        weft_dpdk_neighbour_add(end.device, &peer, (const uint8_t[]){2, 0, 0, 0, 0, 2}, &error),
        WEFT_OK, "%s", error.text);
    cr_assert_eq(driver->destination_create(end.endpoint, &address, &destination, &error), WEFT_OK,
                 "%s", error.text);
    struct weft_work work = end_work(&end, WEFT_OPERATION_SEND, 64);
    work.destination = destination;
    (void)ends_round(&end, 1);
    allocations = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        cr_assert_eq(driver->post_send(end.endpoint, &work, 1), 1);
        (void)ends_await(&end, 1, &end);
    }
    cr_assert_eq(allocations, 0);
    cr_assert_gt(driver->counters(end.device)->received_packets, 0);
    driver->destination_destroy(end.endpoint, destination);
    end_close(&end);
    driver->stop(NULL);
}
