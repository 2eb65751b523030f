/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "drivers/null/internal.h"

/* What is longer is a message's payload, which nobody reads before its completion. */
#define ORDERED_BYTES_MAX 8192u
#define WORD_BYTES 8u

void weft_null_copy_ordered(uint8_t *to, const uint8_t *from, uint32_t len_bytes)
{
    bool words = !(((uintptr_t)to | len_bytes) % WORD_BYTES) && len_bytes <= ORDERED_BYTES_MAX;
    if (!words) {
        memcpy(to, from, len_bytes);
        return;
    }
    for (uint32_t i = 0; i < len_bytes; i += WORD_BYTES) {
        uint64_t word;
        memcpy(&word, from + i, sizeof(word));
        __atomic_store_n((uint64_t *)(void *)(to + i), word, __ATOMIC_RELEASE);
    }
}
