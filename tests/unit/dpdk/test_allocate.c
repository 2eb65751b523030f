/* SPDX-License-Identifier: BSD-3-Clause */
/* Once all is set up the data path of a device allocates and frees nothing: post, progress, poll,
 * on loopback, on a NIC, with faults. What other threads of EAL do is not counted. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

static void check_exchange(const char *const *devices, const struct weft_fault_options *fault)
{
    struct end ends[2];
    ends_start(2);
    allocations = 0;
    for (uint32_t i = 0; i < 2; i++)
        end_open(&ends[i],
                 &(struct end_options){
                     .device = devices[i], .host = i + 1, .buffer_bytes = 20000, .fault = *fault});
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

static const char *const loopback[] = {"loopback", "loopback"};

Test(allocate, nothing_on_loopback)
{
    check_exchange(loopback, &(struct weft_fault_options){0});
}

Test(allocate, nothing_under_faults)
{
    check_exchange(
        loopback,
        &(struct weft_fault_options){
            .drop = 0.02, .corrupt = 0.02, .duplicate = 0.05, .reorder = 0.05, .seed = 3});
}

/* Two memif ports joined in this process: the NICs that need neither hardware nor root. */
Test(allocate, nothing_on_a_nic)
{
    char server[128];
    char client[128];
    (void)snprintf(server, sizeof(server), "net_memif0,role=server,socket=weft-allocate-%d",
                   (int)getpid());
    (void)snprintf(client, sizeof(client), "net_memif1,role=client,socket=weft-allocate-%d",
                   (int)getpid());
    ends_use_real_time();
    check_exchange((const char *const[]){server, client}, &(struct weft_fault_options){0});
}
