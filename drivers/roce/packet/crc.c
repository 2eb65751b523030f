/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/packet/crc.h"

#include <isa-l/crc.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "drivers/roce/packet/crc_kernels.h"

/* By IP version: type of service or traffic class and flow label, TTL or hop limit, header
 * checksum; UDP checksum; FECN, BECN and what is reserved beside them. */
const uint8_t weft_crc_mask[2][64] = {
    {[1] = 0xff, [8] = 0xff, [10] = 0xff, [11] = 0xff, [26] = 0xff, [27] = 0xff, [32] = 0xff},
    {[0] = 0x0f,
     [1] = 0xff,
     [2] = 0xff,
     [3] = 0xff,
     [7] = 0xff,
     [46] = 0xff,
     [47] = 0xff,
     [52] = 0xff},
};

/* ISA-L inverts its seed and its result, as zlib does. */
static uint32_t isal_add(uint32_t state, const uint8_t *bytes, uint32_t len_bytes)
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

/* The copy first: what is summed is what is sent, even if somebody writes to the payload. */
static uint32_t isal_build(uint32_t state, uint8_t *header, uint32_t header_bytes,
                           const uint8_t *payload, uint32_t payload_bytes)
{
    uint32_t pad_bytes = (0u - payload_bytes) & 3u;
    uint8_t *at = header + header_bytes;
    if (payload_bytes)
        memcpy(at, payload, payload_bytes);
    __asm__ volatile("" ::: "memory");
    memset(at + payload_bytes, 0, pad_bytes);
    return isal_add(state, header, header_bytes + payload_bytes + pad_bytes);
}

static uint32_t isal_packet(const uint8_t *ip, uint32_t ip_bytes, uint32_t len_bytes)
{
    uint8_t headers[WEFT_CRC_MASKED_MAX];
    uint32_t header_bytes = weft_crc_mask_headers(ip, ip_bytes, headers);
    uint32_t state = isal_add(WEFT_CRC_ICRC_START, headers, header_bytes);
    return isal_add(state, ip + header_bytes, len_bytes - header_bytes);
}

static const struct weft_crc_kernel isal = {
    .name = "ISA-L", .add = isal_add, .build = isal_build, .packet = isal_packet};

const struct weft_crc_kernel *weft_crc = &weft_crc_table;

const struct weft_crc_kernel *weft_crc_kernel(enum weft_crc_level level)
{
    if (level == WEFT_CRC_TABLE)
        return &weft_crc_table;
    if (level == WEFT_CRC_SPARSE)
        return &weft_crc_sparse;
    if (level == WEFT_CRC_ISAL)
        return &isal;
#if defined(__x86_64__)
    bool carryless = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("avx");
    if (level == WEFT_CRC_CARRYLESS)
        return carryless ? &weft_crc_carryless : NULL;
    bool wide = carryless && __builtin_cpu_supports("avx512f") &&
                __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("vpclmulqdq");
    if (level == WEFT_CRC_WIDE)
        return wide ? &weft_crc_wide : NULL;
#endif
    return NULL;
}

void weft_crc_prepare(const struct weft_crc_kernel *kernel, struct weft_path_kind *kind)
{
    /* The PSN's word, DETH, the payload. */
    static const uint8_t zeros[WEFT_KIND_PAYLOAD_MAX];
    /* The word that stands for the polynomial 1. */
    static const uint8_t one[4] = {[3] = 0x80};
    uint32_t payload_bytes = kind->key & 0xffff;
    uint32_t padded_bytes = (payload_bytes + 3) & ~3u;
    kind->build = NULL;
    kind->payload_bytes = 0;
    if (!kernel->frame || !payload_bytes || payload_bytes > WEFT_KIND_PAYLOAD_MAX ||
        payload_bytes % kernel->frame_step_bytes != 0)
        return;
    const uint8_t *extension = kind->header + kind->psn_at + 4;
    uint32_t extension_bytes = kind->header_bytes - kind->psn_at - 4u;
    uint32_t rest = kernel->add(kind->state, zeros, 4);
    rest = kernel->add(rest, extension, extension_bytes);
    kind->rest_icrc = ~kernel->add(rest, zeros, padded_bytes);
    uint32_t factor = kernel->add(0, one, 4);
    factor = kernel->add(factor, zeros, extension_bytes);
    kind->psn_factor = kernel->add(factor, zeros, padded_bytes);
    kind->payload_bytes = (uint8_t)payload_bytes;
    kind->build = kernel->frame;
}

#if defined(__x86_64__)
/* qemu without hardware's help multiplies bit by bit, and looks every table entry's address up. */
static bool is_emulated(void)
{
    uint32_t eax = 0;
    uint32_t name[3] = {0};
    if (!__get_cpuid(1, &eax, &name[0], &name[1], &name[2]) || !(name[1] & UINT32_C(0x80000000)))
        return false;
    __cpuid(0x40000000, eax, name[0], name[1], name[2]);
    return memcmp(name, "TCGTCGTCGTCG", sizeof(name)) == 0;
}

static const struct weft_crc_kernel *best(void)
{
    if (is_emulated())
        return &weft_crc_sparse;
    for (int level = WEFT_CRC_WIDE; level >= WEFT_CRC_CARRYLESS; level--) {
        const struct weft_crc_kernel *kernel = weft_crc_kernel((enum weft_crc_level)level);
        if (kernel)
            return kernel;
    }
    return &weft_crc_sparse;
}
#else
/* ISA-L has kernels for other processors. */
static const struct weft_crc_kernel *best(void)
{
    return &isal;
}
#endif

/* This object is linked wherever `weft_crc` is used, so the constructor is too. */
__attribute__((constructor)) static void choose(void)
{
    weft_crc_table_init();
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
    weft_crc = best();
}
