/* SPDX-License-Identifier: BSD-3-Clause */
/* ISA-L, which has kernels for other processors than x86, too. */
#include <isa-l/crc.h>

#include "drivers/roce/packet/crc_kernels.h"
#include "drivers/roce/packet/crc_mask.h"

/* ISA-L inverts its seed and its result, as zlib does. */
static uint32_t add(uint32_t state, const uint8_t *bytes, uint32_t len_bytes)
{
    state = ~crc32_gzip_refl(~state, bytes, len_bytes);
#if defined(__x86_64__)
    /* ISA-L leaves the upper halves of the vector registers in use, and every SSE instruction after
     * it, the next packet's copy too, would wait for it to end: a third of the time at 4096 B. */
    if (__builtin_cpu_supports("avx"))
        __asm__ volatile("vzeroupper");
#endif
    return state;
}

static uint32_t build(uint32_t state, uint8_t *header, uint32_t header_bytes,
                      const uint8_t *payload, uint32_t payload_bytes)
{
    return add(state, header, weft_crc_copy(header, header_bytes, payload, payload_bytes));
}

static uint32_t packet(const uint8_t *ip, uint32_t ip_bytes, uint32_t len_bytes)
{
    return weft_crc_masked_packet(add, add, ip, ip_bytes, len_bytes);
}

const struct weft_crc_kernel weft_crc_isal = {
    .name = "ISA-L", .add = add, .build = build, .packet = packet};
