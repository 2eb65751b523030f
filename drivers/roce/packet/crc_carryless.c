/* SPDX-License-Identifier: BSD-3-Clause */
/* PCLMULQDQ, in the three-operand form of AVX: on every x86 server since 2011. */
#include "drivers/roce/packet/crc_kernels.h"

#if defined(__x86_64__)
#include <endian.h>

#include "drivers/roce/packet/crc_fold.h"
#include "drivers/roce/packet/crc_mask.h"

#define TARGET __attribute__((target(WEFT_FOLD_TARGET)))

TARGET static uint32_t add(uint32_t state, const uint8_t *bytes, uint32_t len_bytes)
{
    if (len_bytes < 16)
        return weft_crc_isal.add(state, bytes, len_bytes);
    __m128i block = _mm_xor_si128(weft_fold_load(bytes), _mm_cvtsi32_si128((int)state));
    return weft_fold_reduce(weft_fold_bytes(block, bytes + 16, len_bytes - 16));
}

/* 64 bytes and more: four blocks at a time. */
TARGET static inline __m128i copy_blocks(__m128i block, uint8_t *to, const uint8_t *from,
                                         uint32_t len_bytes)
{
    const __m128i by_64 = _mm_set_epi64x(WEFT_FOLD_64);
    __m128i blocks[4];
    for (size_t i = 0; i < 4; i++) {
        blocks[i] = weft_fold_load_once(from + 16 * i);
        weft_fold_store(to + 16 * i, blocks[i]);
    }
    blocks[0] = weft_fold(block, _mm_set_epi64x(WEFT_FOLD_16), blocks[0]);
    for (uint32_t at = 64; at < len_bytes; at += 64) {
        for (size_t i = 0; i < 4; i++) {
            __m128i payload = weft_fold_load_once(from + at + 16 * i);
            weft_fold_store(to + at + 16 * i, payload);
            blocks[i] = weft_fold(blocks[i], by_64, payload);
        }
    }
    return weft_fold_join(blocks);
}

TARGET static uint32_t build(uint32_t state, uint8_t *header, uint32_t header_bytes,
                             const uint8_t *payload, uint32_t payload_bytes)
{
    __m128i block = weft_fold_header(state, header, header_bytes / 4);
    uint8_t *to = header + header_bytes;
    uint32_t at = payload_bytes & ~63u;
    if (at)
        block = copy_blocks(block, to, payload, at);
    return weft_fold_reduce(weft_fold_copy(block, to, payload, at, payload_bytes));
}

TARGET static uint32_t packet(const uint8_t *ip, uint32_t ip_bytes, uint32_t len_bytes)
{
    struct weft_fold_masked start = weft_fold_masked(ip, weft_crc_mask[ip_bytes == 40], len_bytes);
    __m128i block = start.block;
    if (len_bytes != start.len_bytes)
        block = weft_fold_bytes(block, ip + start.len_bytes, len_bytes - start.len_bytes);
    return weft_fold_reduce(block);
}

/* For 64 bytes, 16 at a time. */
static const int64_t factors[8] = {INT64_C(0x1c6e41596), INT64_C(0x03db1ecdc), INT64_C(0x174359406),
                                   INT64_C(0x0f1da05aa), INT64_C(0x15a546366), INT64_C(0x1751997d0),
                                   INT64_C(0x0ccaa009e), INT64_C(0x1db710640)};

/* Whole blocks of 16 bytes. */
TARGET static void frame(const struct weft_path_kind *kind, uint8_t *to, uint32_t psn_word,
                         const uint8_t *payload)
{
    uint32_t psn = htobe32(psn_word);
    uint8_t *at = weft_fold_put_header(kind, to, psn);
    const uint8_t *end = payload + kind->payload_bytes;
    const int64_t *factor = factors + 8 - kind->payload_bytes / 8;
    __m128i products = _mm_setzero_si128();
    for (; payload != end; payload += 16, at += 16, factor += 2) {
        __m128i block = weft_fold_load_once(payload);
        weft_fold_store(at, block);
        products =
            weft_fold(block, weft_fold_load((const uint8_t *)(const void *)factor), products);
    }
    uint32_t icrc = weft_fold_icrc(kind, psn, products);
    memcpy(at, &icrc, sizeof(icrc));
}

const struct weft_crc_kernel weft_crc_carryless = {.name = "PCLMULQDQ",
                                                   .add = add,
                                                   .build = build,
                                                   .packet = packet,
                                                   .frame = frame,
                                                   .frame_step_bytes = 16};
#endif
