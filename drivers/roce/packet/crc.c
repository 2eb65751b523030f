/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/packet/crc.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

const struct weft_crc_kernel *weft_crc = &weft_crc_table;

const struct weft_crc_kernel *weft_crc_kernel(enum weft_crc_level level)
{
    if (level == WEFT_CRC_TABLE)
        return &weft_crc_table;
    if (level == WEFT_CRC_SPARSE)
        return &weft_crc_sparse;
    if (level == WEFT_CRC_ISAL)
        return &weft_crc_isal;
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
    return &weft_crc_isal;
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
