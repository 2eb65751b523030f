/* SPDX-License-Identifier: BSD-3-Clause */
/* The null driver with faults that a test chooses. One test a process, so the choice is global. */
#ifndef WEFT_TESTS_FAULTY_H
#define WEFT_TESTS_FAULTY_H

#include "fabric/driver.h"

struct faults {
    /* capabilities; 0: the null driver's */
    uint64_t max_message_bytes;
    uint32_t max_inline_bytes_plus_1;
    uint32_t max_send_depth, max_receive_depth, max_cq_depth, max_endpoints;
    uint32_t lacks_operations;
    /* of so many posts, one is not taken; 0: all are */
    uint32_t refuse_send_of, refuse_receive_of;
    /* the completion of this number and operation fails; 0: none */
    uint32_t fail_at;
    enum weft_operation fail_operation;
    enum weft_status fail_status;
    uint32_t vendor_error;
    /* the bytes that receives say they got are so many more */
    uint32_t longer_by;
    /* what endpoint_state says; NULL: the null driver's */
    const char *endpoint_failure;
    /* endpoint_counters counts whole messages, as verbs does: nothing here until one is whole */
    bool counts_nothing;
};

extern struct faults faults;
/* The driver. */
const struct weft_driver *faulty(void);

#endif
