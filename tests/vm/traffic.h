/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of one kind from one end to the other, each compared byte for byte. */
#ifndef WEFT_TESTS_VM_TRAFFIC_H
#define WEFT_TESTS_VM_TRAFFIC_H

#include "tests/vm/end.h"

/* At most so many at a time: the receive queue has room for those that ask after the last. */
#define TRAFFIC_COUNT_MAX 48u

struct traffic {
    enum weft_transport transport;
    enum weft_operation operation;
    uint32_t len_bytes;
    uint32_t count; /* posted one behind another, all outstanding */
    bool lossy;     /* without acknowledgements messages may be missing, but none may be wrong */
};

/* "WRITE_IMMEDIATE", "RC" */
const char *operation_text(enum weft_operation operation);
const char *transport_text(enum weft_transport transport);

/* On endpoints that are joined. Counts one check. Returns whether it holds; then *ret_arrived, if
 * given, is how many messages did. */
bool traffic_run(struct end *from, struct end *to, const struct traffic *traffic,
                 uint32_t *ret_arrived);

/* COMPARE_SWAP or FETCH_ADD, all on one word of the peer's: each done once, in order, and the old
 * value brought back. Counts one check. */
bool traffic_atomics(struct end *from, struct end *to, enum weft_operation operation,
                     uint32_t count);

#endif
