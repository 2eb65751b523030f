/* SPDX-License-Identifier: BSD-3-Clause */
/* Once all is set up nothing is allocated or freed, whatever the wire does. The linker sends the
 * allocator's names here (--wrap). */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "net.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *memory);

static uint64_t calls;

void *__wrap_malloc(size_t size)
{
    calls++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    calls++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    calls++;
    return __real_realloc(memory, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    calls++;
    return __real_aligned_alloc(alignment, size);
}

void __wrap_free(void *memory)
{
    calls++;
    __real_free(memory);
}

Test(allocate, nothing_on_the_data_path)
{
    struct net net;
    calls = 0;
    net_init(&net, &(struct net_options){
                       .seed = 2,
                       .retry_limit = 255,
                       .faults = {.drop = 50, .duplicate = 50, .reorder = 50, .corrupt = 20}});
    cr_assert_gt(calls, 10, "the wrap is in place");
    net_connect(&net);
    calls = 0;
    for (uint32_t i = 0; i < 300; i++) {
        enum weft_operation operation = i & 1 ? WEFT_OPERATION_WRITE : WEFT_OPERATION_SEND;
        struct weft_work work = net_work(&net, 0, operation, 0, 1 + i * 17);
        if (operation == WEFT_OPERATION_SEND)
            net_receive(&net, 1, i, 0, 10000);
        net_send(&net, 0, &work);
        cr_assert_eq(net_wait(&net, 0).status, WEFT_OK);
        if (operation == WEFT_OPERATION_SEND)
            cr_assert_eq(net_wait(&net, 1).status, WEFT_OK);
    }
    /* And to the end: a failure flushes what is posted. */
    struct weft_work work = net_work(&net, 0, WEFT_OPERATION_WRITE, 0, 10);
    work.rkey++;
    net_send(&net, 0, &work);
    cr_assert_eq(net_wait(&net, 0).status, WEFT_REMOTE_ACCESS);
    cr_assert_eq(calls, 0);
    net_fini(&net);
}
