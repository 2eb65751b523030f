/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/verbs/window.h"

#include <criterion/criterion.h>
#include <signal.h>

#include "drivers/verbs/completion.h"
#include "fabric/base/random.h"

Test(window, holds_its_depth_though_slots_are_a_power_of_two)
{
    struct weft_verbs_window window;
    weft_verbs_window_init(&window, 5);
    cr_assert_eq(window.mask, 7);
    for (uint32_t i = 0; i < 5; i++) {
        cr_assert_eq(weft_verbs_window_room(&window), 5 - i);
        cr_assert_eq(weft_verbs_window_take(&window), i);
    }
    cr_assert_eq(weft_verbs_window_room(&window), 0);
}

Test(window, a_completion_releases_all_before_it)
{
    struct weft_verbs_window window;
    weft_verbs_window_init(&window, 8);
    for (uint32_t i = 0; i < 8; i++)
        (void)weft_verbs_window_take(&window);
    weft_verbs_window_release(&window, 2);
    cr_assert_eq(weft_verbs_window_room(&window), 3);
    weft_verbs_window_release(&window, 3);
    cr_assert_eq(weft_verbs_window_room(&window), 4);
    weft_verbs_window_release(&window, 7);
    cr_assert_eq(weft_verbs_window_room(&window), 8);
}

Test(window, a_slot_that_is_not_out_cannot_complete, .signal = SIGABRT)
{
    struct weft_verbs_window window;
    weft_verbs_window_init(&window, 8);
    (void)weft_verbs_window_take(&window);
    weft_verbs_window_release(&window, 1);
}

/* As a device would: it completes in order and tells only of the signaled. Whatever the caller
 * asks, the queue must come free again once all has completed but less than half of it. */
static void never_stuck(uint32_t depth, uint32_t percent_signaled)
{
    struct weft_verbs_window window;
    struct weft_random random;
    bool signaled[64] = {false};
    weft_random_seed(&random, depth);
    weft_verbs_window_init(&window, depth);
    window.head = window.tail = UINT32_MAX - 10; /* the counts wrap */
    uint32_t done = window.head;
    for (uint32_t step = 0; step < 20000; step++) {
        if (weft_verbs_window_room(&window) > 0 && weft_random_below(&random, 2)) {
            bool wanted = weft_random_below(&random, 100) < percent_signaled;
            uint32_t slot = weft_verbs_window_take(&window);
            signaled[slot] = weft_verbs_window_signal(&window, wanted);
            cr_assert(!wanted || signaled[slot]);
        } else if (done != window.head) {
            uint32_t slot = done++ & window.mask;
            if (signaled[slot])
                weft_verbs_window_release(&window, slot);
        }
        if (done == window.head)
            cr_assert_gt(weft_verbs_window_room(&window), depth / 2);
    }
}

Test(window, never_stuck)
{
    for (uint32_t depth = 1; depth <= 64; depth++) {
        never_stuck(depth, 0);
        never_stuck(depth, 50);
        never_stuck(depth, 100);
    }
}

Test(window, what_was_refused_is_given_back_and_the_next_is_signaled)
{
    struct weft_verbs_window window;
    weft_verbs_window_init(&window, 16);
    for (uint32_t i = 0; i < 4; i++) {
        (void)weft_verbs_window_take(&window);
        (void)weft_verbs_window_signal(&window, false);
    }
    weft_verbs_window_untake(&window, 3);
    cr_assert_eq(weft_verbs_window_room(&window), 15);
    cr_assert_eq(weft_verbs_window_take(&window), 1);
    cr_assert(weft_verbs_window_signal(&window, false));
}

Test(tag, keeps_all_its_parts)
{
    const struct weft_verbs_tag tags[] = {
        {.endpoint = 0, .generation = 0, .is_receive = false, .slot = 0},
        {.endpoint = WEFT_VERBS_ENDPOINTS_MAX - 1, .generation = 0, .is_receive = false, .slot = 0},
        {.endpoint = 0, .generation = WEFT_VERBS_GENERATION_MASK, .is_receive = false, .slot = 0},
        {.endpoint = 0, .generation = 0, .is_receive = true, .slot = 0},
        {.endpoint = 0, .generation = 0, .is_receive = false, .slot = UINT32_MAX},
        {.endpoint = 12345, .generation = 678, .is_receive = true, .slot = 91011},
    };
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        struct weft_verbs_tag back = weft_verbs_tag_unpack(weft_verbs_tag_pack(&tags[i]));
        cr_assert_eq(back.endpoint, tags[i].endpoint);
        cr_assert_eq(back.generation, tags[i].generation);
        cr_assert_eq(back.is_receive, tags[i].is_receive);
        cr_assert_eq(back.slot, tags[i].slot);
    }
}

Test(operation, reads_and_atomics_bring_bytes_from_the_peer)
{
    for (unsigned i = 0; i < WEFT_OPERATION_COUNT; i++) {
        enum weft_operation operation = (enum weft_operation)i;
        bool atomic = i == WEFT_OPERATION_COMPARE_SWAP || i == WEFT_OPERATION_FETCH_ADD;
        bool send = i == WEFT_OPERATION_SEND || i == WEFT_OPERATION_SEND_IMMEDIATE;
        cr_assert_eq(weft_verbs_is_atomic(operation), atomic);
        cr_assert_eq(weft_verbs_is_send(operation), send);
        cr_assert_eq(weft_verbs_fetches(operation), atomic || i == WEFT_OPERATION_READ);
    }
}

Test(status, as_libibverbs_names_it)
{
    cr_assert_eq(weft_verbs_status(IBV_WC_SUCCESS), WEFT_OK);
    cr_assert_eq(weft_verbs_status(IBV_WC_WR_FLUSH_ERR), WEFT_FLUSHED);
    cr_assert_eq(weft_verbs_status(IBV_WC_LOC_LEN_ERR), WEFT_LOCAL_LENGTH);
    cr_assert_eq(weft_verbs_status(IBV_WC_LOC_PROT_ERR), WEFT_LOCAL_PROTECTION);
    cr_assert_eq(weft_verbs_status(IBV_WC_LOC_ACCESS_ERR), WEFT_LOCAL_PROTECTION);
    cr_assert_eq(weft_verbs_status(IBV_WC_REM_INV_REQ_ERR), WEFT_REMOTE_INVALID_REQUEST);
    cr_assert_eq(weft_verbs_status(IBV_WC_REM_ACCESS_ERR), WEFT_REMOTE_ACCESS);
    cr_assert_eq(weft_verbs_status(IBV_WC_REM_OP_ERR), WEFT_REMOTE_OPERATION);
    cr_assert_eq(weft_verbs_status(IBV_WC_RETRY_EXC_ERR), WEFT_RETRY_EXCEEDED);
    cr_assert_eq(weft_verbs_status(IBV_WC_RESP_TIMEOUT_ERR), WEFT_RETRY_EXCEEDED);
    cr_assert_eq(weft_verbs_status(IBV_WC_RNR_RETRY_EXC_ERR), WEFT_RNR_RETRY_EXCEEDED);
    cr_assert_eq(weft_verbs_status(IBV_WC_FATAL_ERR), WEFT_IO);
    cr_assert_eq(weft_verbs_status((enum ibv_wc_status)12345), WEFT_IO);
}
