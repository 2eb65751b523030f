/* SPDX-License-Identifier: BSD-3-Clause */
/* Every operation of every transport between two ends, over sizes about the path MTU. Prints a line
 * a transport, operation and direction, "ok ..." or "not ok ...". */
#ifndef WEFT_TESTS_VM_MATRIX_H
#define WEFT_TESTS_VM_MATRIX_H

#include "tests/vm/end.h"

struct matrix {
    uint32_t transports; /* WEFT_BIT(enum weft_transport) */
    uint32_t mtu_bytes;
    uint32_t largest_bytes; /* of RC's messages, beside sizes about the MTU and 64 KiB */
    /* Packets are lost and spoilt on the way, and for RC doubled: how many were lost so far; NULL:
     * none are. Then each size is sent many times. */
    uint64_t (*losses)(void);
};

/* Both ways. False: something failed. */
bool matrix_run(struct end *a, struct end *b, const struct matrix *matrix);

#endif
