/* SPDX-License-Identifier: BSD-3-Clause */
/* Once all is set up nothing is allocated or freed, whatever the wire does. */
#include <criterion/criterion.h>

#include "tests/unit/allocations.h"
#include "tests/unit/roce/net.h"

static void one_of_each(struct net *net, uint32_t index, uint32_t operations)
{
    enum weft_operation operation = (enum weft_operation)(index % operations);
    bool atomic = operation >= WEFT_OPERATION_COMPARE_SWAP;
    struct weft_work work = net_work(net, 0, operation, 0, atomic ? 8 : 1 + index * 17);
    bool receive = operation != WEFT_OPERATION_WRITE && operation < WEFT_OPERATION_READ;
    if (receive)
        net_receive(net, 1, index, 0, 10000);
    net_send(net, 0, &work);
    cr_assert_eq(net_wait(net, 0).status, WEFT_OK);
    struct weft_completion received = {.status = WEFT_OK};
    if (receive && operations == WEFT_OPERATION_RECEIVE)
        received = net_wait(net, 1);
    cr_assert_eq(received.status, WEFT_OK);
}

static void nothing(enum weft_transport transport, uint32_t operations)
{
    struct net net;
    allocations = 0;
    net_init(&net, &(struct net_options){
                       .seed = 2,
                       .retry_limit = 255,
                       .depth = 512,
                       .transport = transport,
                       .faults = {.drop = 50, .duplicate = 50, .reorder = 50, .corrupt = 20}});
    cr_assert_gt(allocations, 10, "the wrap is in place");
    net_connect(&net);
    allocations = 0;
    for (uint32_t i = 0; i < 500; i++)
        one_of_each(&net, i, operations);
    /* And to the end: a failure flushes what is posted. */
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, 10);
    work.lkey++;
    net_send(&net, 0, &work);
    cr_assert_eq(net_wait(&net, 0).status, WEFT_LOCAL_PROTECTION);
    cr_assert_eq(allocations, 0);
    net_fini(&net);
}

Test(allocate, nothing_on_the_data_path)
{
    nothing(WEFT_TRANSPORT_RC, WEFT_OPERATION_RECEIVE);
    nothing(WEFT_TRANSPORT_UC, WEFT_OPERATION_READ);
}
