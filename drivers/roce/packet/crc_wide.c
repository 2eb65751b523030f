/* SPDX-License-Identifier: BSD-3-Clause */
/* VPCLMULQDQ on registers of 64 bytes: Intel's servers since 2021, AMD's since 2022. */
#include "drivers/roce/packet/crc_kernels.h"

#if defined(__x86_64__)
#include <endian.h>

#include "drivers/roce/packet/crc_fold.h"
#include "drivers/roce/packet/crc_mask.h"

#define TARGET __attribute__((target(WEFT_FOLD_TARGET ",avx512f,avx512vl,vpclmulqdq")))
#define TARGET_FRAME \
    __attribute__((target(WEFT_FOLD_TARGET ",avx2,bmi2,avx512f,avx512vl,avx512bw,vpclmulqdq")))
#define INLINE TARGET static inline __attribute__((always_inline))

/* Below, four registers of 16 bytes do as well. */
#define WIDE_BYTES 256u

INLINE __m512i load(const uint8_t *bytes)
{
    return _mm512_loadu_si512((const void *)bytes);
}

/* As weft_fold_load_once. */
INLINE __m512i load_once(const uint8_t *bytes)
{
    __m512i blocks = load(bytes);
    __asm__("" : "+v"(blocks));
    return blocks;
}

INLINE __m512i fold(__m512i blocks, __m512i by, __m512i next)
{
    __m512i low = _mm512_clmulepi64_epi128(blocks, by, 0x00);
    __m512i high = _mm512_clmulepi64_epi128(blocks, by, 0x11);
    return _mm512_ternarylogic_epi64(low, high, next, 0x96);
}

INLINE __m512i distance(int64_t upper, int64_t lower)
{
    return _mm512_broadcast_i32x4(_mm_set_epi64x(upper, lower));
}

/* Four times 64 bytes that follow each other, as 16 that stand where the last do. */
INLINE __m128i join(const __m512i wide[4])
{
    __m512i all = fold(wide[0], distance(INT64_C(0x12e958ac4), INT64_C(0x1821d8bc0)), wide[3]);
    all = fold(wide[1], distance(INT64_C(0x14a7fe880), INT64_C(0x1e88ef372)), all);
    all = fold(wide[2], distance(WEFT_FOLD_64), all);
    const __m128i blocks[4] = {_mm512_extracti32x4_epi32(all, 0), _mm512_extracti32x4_epi32(all, 1),
                               _mm512_extracti32x4_epi32(all, 2),
                               _mm512_extracti32x4_epi32(all, 3)};
    return weft_fold_join(blocks);
}

/* `len_bytes` is a multiple of 256 that is not 0. */
INLINE __m128i sum_blocks(__m128i block, const uint8_t *bytes, uint32_t len_bytes)
{
    const __m512i by_256 = distance(INT64_C(0x1322d1430), INT64_C(0x11542778a));
    const __m512i by_16 = _mm512_zextsi128_si512(_mm_set_epi64x(WEFT_FOLD_16));
    __m512i wide[4];
    for (size_t i = 0; i < 4; i++)
        wide[i] = load(bytes + 64 * i);
    wide[0] = fold(_mm512_zextsi128_si512(block), by_16, wide[0]);
    for (uint32_t at = 256; at < len_bytes; at += 256)
        for (size_t i = 0; i < 4; i++)
            wide[i] = fold(wide[i], by_256, load(bytes + at + 64 * i));
    return join(wide);
}

INLINE __m128i copy_blocks(__m128i block, uint8_t *to, const uint8_t *from, uint32_t len_bytes)
{
    const __m512i by_256 = distance(INT64_C(0x1322d1430), INT64_C(0x11542778a));
    const __m512i by_16 = _mm512_zextsi128_si512(_mm_set_epi64x(WEFT_FOLD_16));
    __m512i wide[4];
    for (size_t i = 0; i < 4; i++) {
        wide[i] = load_once(from + 64 * i);
        _mm512_storeu_si512(to + 64 * i, wide[i]);
    }
    wide[0] = fold(_mm512_zextsi128_si512(block), by_16, wide[0]);
    for (uint32_t at = 256; at < len_bytes; at += 256) {
        for (size_t i = 0; i < 4; i++) {
            __m512i payload = load_once(from + at + 64 * i);
            _mm512_storeu_si512(to + at + 64 * i, payload);
            wide[i] = fold(wide[i], by_256, payload);
        }
    }
    return join(wide);
}

TARGET static uint32_t add(uint32_t state, const uint8_t *bytes, uint32_t len_bytes)
{
    if (len_bytes < WIDE_BYTES + 16)
        return weft_crc_carryless.add(state, bytes, len_bytes);
    __m128i block = _mm_xor_si128(weft_fold_load(bytes), _mm_cvtsi32_si128((int)state));
    uint32_t wide_bytes = (len_bytes - 16) & ~(WIDE_BYTES - 1);
    block = sum_blocks(block, bytes + 16, wide_bytes);
    return weft_fold_reduce(
        weft_fold_bytes(block, bytes + 16 + wide_bytes, len_bytes - 16 - wide_bytes));
}

TARGET static uint32_t build(uint32_t state, uint8_t *header, uint32_t header_bytes,
                             const uint8_t *payload, uint32_t payload_bytes)
{
    if (payload_bytes < WIDE_BYTES)
        return weft_crc_carryless.build(state, header, header_bytes, payload, payload_bytes);
    __m128i block = weft_fold_header(state, header, header_bytes / 4);
    uint8_t *to = header + header_bytes;
    uint32_t at = payload_bytes & ~(WIDE_BYTES - 1);
    block = copy_blocks(block, to, payload, at);
    return weft_fold_reduce(weft_fold_copy(block, to, payload, at, payload_bytes));
}

TARGET static uint32_t packet(const uint8_t *ip, uint32_t ip_bytes, uint32_t len_bytes)
{
    if (len_bytes < WIDE_BYTES + 64)
        return weft_crc_carryless.packet(ip, ip_bytes, len_bytes);
    const uint8_t *mask = weft_crc_mask[ip_bytes == 40];
    struct weft_fold_masked start = weft_fold_masked(ip, mask, len_bytes);
    uint32_t wide_bytes = (len_bytes - 64) & ~(WIDE_BYTES - 1);
    __m128i block = sum_blocks(start.block, ip + 64, wide_bytes);
    const uint8_t *rest = ip + 64 + wide_bytes;
    return weft_fold_reduce(weft_fold_bytes(block, rest, len_bytes - 64 - wide_bytes));
}

/* x^(8 n + 32) for each 8 bytes of a payload, n being what is behind them: eight from the place on
 * that its length says, in the first half where it is so many times 8 bytes. In the second n is
 * less by 4: its last 4 bytes stand at the start of 8. */
static const int64_t factors[2][16] = {
    {INT64_C(0x1c6e41596), INT64_C(0x03db1ecdc), INT64_C(0x174359406), INT64_C(0x0f1da05aa),
     INT64_C(0x15a546366), INT64_C(0x1751997d0), INT64_C(0x0ccaa009e), INT64_C(0x1db710640)},
    {INT64_C(0x1b2bdfa4c), INT64_C(0x02a283862), INT64_C(0x14e01d2d4), INT64_C(0x1dac4fb5c),
     INT64_C(0x065673b46), INT64_C(0x140d44a2e), INT64_C(0x163cd6124), INT64_C(0x100000000)}};

TARGET_FRAME static void frame(const struct weft_path_kind *kind, uint8_t *to, uint32_t psn_word,
                               const uint8_t *payload)
{
    uint32_t psn = htobe32(psn_word);
    uint8_t *at = weft_fold_put_header(kind, to, psn);
    uint32_t words = (kind->payload_bytes + 3u) / 4;
    __mmask64 mask = _bzhi_u64(~UINT64_C(0), kind->payload_bytes);
    __m512i blocks = _mm512_maskz_loadu_epi8(mask, payload);
    __asm__("" : "+v"(blocks));
    _mm512_storeu_si512(at, blocks);
    const __m512i by = _mm512_loadu_si512(&factors[words & 1][8 - (words + 1) / 2]);
    __m512i products = _mm512_xor_si512(_mm512_clmulepi64_epi128(blocks, by, 0x00),
                                        _mm512_clmulepi64_epi128(blocks, by, 0x11));
    __m256i half =
        _mm256_xor_si256(_mm512_castsi512_si256(products), _mm512_extracti64x4_epi64(products, 1));
    uint32_t icrc = weft_fold_icrc(
        kind, psn, _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1)));
    memcpy(at + 4 * (size_t)words, &icrc, sizeof(icrc));
}

const struct weft_crc_kernel weft_crc_wide = {.name = "VPCLMULQDQ",
                                              .add = add,
                                              .build = build,
                                              .packet = packet,
                                              .frame = frame,
                                              .frame_step_bytes = 1};
#endif
