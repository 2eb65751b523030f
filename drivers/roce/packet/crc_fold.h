/* SPDX-License-Identifier: BSD-3-Clause */
/* Folding by carry-less multiplication (Gopal et al., "Fast CRC Computation for Generic Polynomials
 * Using PCLMULQDQ", Intel 2009), in the bit-reflected domain: 16 bytes times x^n modulo the
 * polynomial can be added to the 16 bytes that stand n bits further on. For crc_carryless.c and
 * crc_wide.c, whose functions have a target of their own. */
#ifndef WEFT_ROCE_CRC_FOLD_H
#define WEFT_ROCE_CRC_FOLD_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "drivers/roce/packet/crc_kernels.h"

#define WEFT_FOLD_TARGET "pclmul,avx"
#define WEFT_FOLD static inline __attribute__((always_inline, target(WEFT_FOLD_TARGET)))

/* x^(8 n + 32) for the lower 8 bytes and x^(8 n - 32) for the upper ones, modulo the polynomial,
 * bits reversed and one further: for a distance of n bytes. */
#define WEFT_FOLD_16 INT64_C(0x0ccaa009e), INT64_C(0x1751997d0)
#define WEFT_FOLD_32 INT64_C(0x15a546366), INT64_C(0x0f1da05aa)
#define WEFT_FOLD_48 INT64_C(0x174359406), INT64_C(0x03db1ecdc)
#define WEFT_FOLD_64 INT64_C(0x1c6e41596), INT64_C(0x154442bd4)

WEFT_FOLD __m128i weft_fold_load(const uint8_t *bytes)
{
    return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

/* Of a payload, to which somebody may write meanwhile: the compiler must not read it a second time
 * instead of keeping it, or it would sum what it does not send. */
WEFT_FOLD __m128i weft_fold_load_once(const uint8_t *bytes)
{
    __m128i block = weft_fold_load(bytes);
    __asm__("" : "+x"(block));
    return block;
}

WEFT_FOLD void weft_fold_store(uint8_t *bytes, __m128i block)
{
    _mm_storeu_si128((__m128i *)(void *)bytes, block);
}

WEFT_FOLD uint32_t weft_fold_word(const uint8_t *bytes)
{
    uint32_t word;
    memcpy(&word, bytes, sizeof(word));
    /* The compiler would join neighbours to one load. */
    __asm__("" : "+r"(word));
    return word;
}

/* `block` moved on by the distance of `by`, and what stands there. */
WEFT_FOLD __m128i weft_fold(__m128i block, __m128i by, __m128i next)
{
    __m128i low = _mm_clmulepi64_si128(block, by, 0x00);
    __m128i high = _mm_clmulepi64_si128(block, by, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

/* The remainder of 8 bytes (Barrett). */
WEFT_FOLD uint32_t weft_fold_barrett(__m128i block)
{
    const __m128i low_word = _mm_set_epi32(0, 0, 0, -1);
    /* The polynomial, and x^64 over it. */
    const __m128i barrett = _mm_set_epi64x(INT64_C(0x1f7011641), INT64_C(0x1db710641));
    /* Its first word depends on the block's first alone. */
    __m128i quotient = _mm_clmulepi64_si128(block, barrett, 0x10);
    quotient = _mm_clmulepi64_si128(_mm_and_si128(quotient, low_word), barrett, 0x00);
    return (uint32_t)_mm_extract_epi32(_mm_xor_si128(block, quotient), 1);
}

/* The first 4 of 12 bytes moved on to where the other 8 are. */
WEFT_FOLD __m128i weft_fold_12(__m128i block)
{
    const __m128i low_word = _mm_set_epi32(0, 0, 0, -1);
    const __m128i by_8 = _mm_set_epi64x(0, INT64_C(0x163cd6124));
    __m128i first = _mm_clmulepi64_si128(_mm_and_si128(block, low_word), by_8, 0x00);
    return _mm_xor_si128(first, _mm_srli_si128(block, 4));
}

/* The register after these 16 bytes, the state before them being added already. */
WEFT_FOLD uint32_t weft_fold_reduce(__m128i block)
{
    const __m128i by_16 = _mm_set_epi64x(WEFT_FOLD_16);
    __m128i upper = _mm_srli_si128(block, 8);
    block = _mm_xor_si128(_mm_clmulepi64_si128(block, by_16, 0x10), upper);
    return weft_fold_barrett(weft_fold_12(block));
}

/* What the PSN's word adds to the 8 bytes that end the packet. */
WEFT_FOLD __m128i weft_fold_psn(const struct weft_path_kind *kind, uint32_t psn)
{
    __m128i factor = _mm_cvtsi64_si128((int64_t)((uint64_t)kind->psn_factor << 1));
    return _mm_clmulepi64_si128(_mm_cvtsi32_si128((int)psn), factor, 0x00);
}

/* The ICRC, of the payload's products with x^(8 n + 32), n bytes being behind it: 12 bytes. */
WEFT_FOLD uint32_t weft_fold_icrc(const struct weft_path_kind *kind, uint32_t psn, __m128i products)
{
    __m128i block = _mm_xor_si128(weft_fold_12(products), weft_fold_psn(kind, psn));
    return weft_fold_barrett(block) ^ kind->rest_icrc;
}

/* The headers, the PSN's word; returns where the payload goes. */
WEFT_FOLD uint8_t *weft_fold_put_header(const struct weft_path_kind *kind, uint8_t *frame,
                                        uint32_t psn)
{
    memcpy(frame, kind->header, 64);
    if (__builtin_expect(kind->header_bytes > 64, 0))
        memcpy(frame + 64, kind->header + 64, sizeof(kind->header) - 64);
    memcpy(frame + kind->psn_at, &psn, sizeof(psn));
    return frame + kind->header_bytes;
}

/* Sliding windows: 16 bytes from `n` on move a block up by 16 - n bytes, from 16 + n on down by n;
 * zeros come in. */
static const uint8_t weft_fold_shuffles[48] = {
    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
    0,    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,   12,   13,   14,   15,
    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};

WEFT_FOLD __m128i weft_fold_up(__m128i block, uint32_t kept_bytes)
{
    return _mm_shuffle_epi8(block, weft_fold_load(weft_fold_shuffles + kept_bytes));
}

WEFT_FOLD __m128i weft_fold_down(__m128i block, uint32_t dropped_bytes)
{
    return _mm_shuffle_epi8(block, weft_fold_load(weft_fold_shuffles + 16 + dropped_bytes));
}

/* The 16 bytes that end where `end` ends, after `block` and `len_bytes` (1 to 15) more, which are
 * the last of `end`; its other bytes are zero. */
WEFT_FOLD __m128i weft_fold_tail(__m128i block, __m128i end, uint32_t len_bytes)
{
    const __m128i by_16 = _mm_set_epi64x(WEFT_FOLD_16);
    __m128i next = _mm_or_si128(weft_fold_down(block, len_bytes), end);
    return weft_fold(weft_fold_up(block, len_bytes), by_16, next);
}

/* The last 1 to 15 bytes of something that has at least 16, as the last of 16. */
WEFT_FOLD __m128i weft_fold_last(const uint8_t *end, uint32_t len_bytes)
{
    return weft_fold_up(weft_fold_down(weft_fold_load_once(end - 16), 16 - len_bytes), len_bytes);
}

/* Up to four words, `first` and those that follow at `words`, as the last of 16 bytes. They are
 * read as they were written, word by word: a larger read would wait for the stores. */
WEFT_FOLD __m128i weft_fold_words(uint32_t first, const uint8_t *words, uint32_t count)
{
    switch (count) {
    case 1:
        return _mm_set_epi32((int)first, 0, 0, 0);
    case 2:
        return _mm_set_epi32((int)weft_fold_word(words), (int)first, 0, 0);
    case 3:
        return _mm_set_epi32((int)weft_fold_word(words + 4), (int)weft_fold_word(words), (int)first,
                             0);
    default:
        return _mm_set_epi32((int)weft_fold_word(words + 8), (int)weft_fold_word(words + 4),
                             (int)weft_fold_word(words), (int)first);
    }
}

/* Headers of 1 to 8 words, the state added to the first: the 16 bytes before what follows them. */
WEFT_FOLD __m128i weft_fold_header(uint32_t state, const uint8_t *header, uint32_t count)
{
    const __m128i by_16 = _mm_set_epi64x(WEFT_FOLD_16);
    uint32_t first = weft_fold_word(header) ^ state;
    if (count <= 4)
        return weft_fold_words(first, header + 4, count);
    const uint8_t *last = header + (size_t)4 * (count - 4);
    return weft_fold(weft_fold_words(first, header + 4, count - 4), by_16,
                     weft_fold_words(weft_fold_word(last), last + 4, 4));
}

/* Four blocks that follow each other, as one that stands where the last does. */
WEFT_FOLD __m128i weft_fold_join(const __m128i blocks[4])
{
    __m128i all = weft_fold(blocks[0], _mm_set_epi64x(WEFT_FOLD_48), blocks[3]);
    all = weft_fold(blocks[1], _mm_set_epi64x(WEFT_FOLD_32), all);
    return weft_fold(blocks[2], _mm_set_epi64x(WEFT_FOLD_16), all);
}

/* Goes on from `block`, over `len_bytes` more of the 16 or more that it stands for. */
WEFT_FOLD __m128i weft_fold_bytes(__m128i block, const uint8_t *bytes, uint32_t len_bytes)
{
    const __m128i by_16 = _mm_set_epi64x(WEFT_FOLD_16);
    const __m128i by_64 = _mm_set_epi64x(WEFT_FOLD_64);
    const uint8_t *end = bytes + len_bytes;
    if (len_bytes >= 128) {
        __m128i blocks[4] = {weft_fold(block, by_16, weft_fold_load(bytes)),
                             weft_fold_load(bytes + 16), weft_fold_load(bytes + 32),
                             weft_fold_load(bytes + 48)};
        for (bytes += 64; end - bytes >= 64; bytes += 64)
            for (size_t i = 0; i < 4; i++)
                blocks[i] = weft_fold(blocks[i], by_64, weft_fold_load(bytes + 16 * i));
        block = weft_fold_join(blocks);
    }
    for (; end - bytes >= 16; bytes += 16)
        block = weft_fold(block, by_16, weft_fold_load(bytes));
    uint32_t left = (uint32_t)(end - bytes);
    if (!left)
        return block;
    return weft_fold_tail(block, weft_fold_last(end, left), left);
}

/* The payload's last 0 to 15 bytes, and the pad. `before` are the 16 bytes of payload before them,
 * or `whole` is false and there are none. */
struct weft_fold_rest {
    uint8_t *to;
    const uint8_t *from;
    uint32_t len_bytes;
    bool whole;
};

/* By itself: most payloads have none, and are spared its registers. */
static __attribute__((noinline, target(WEFT_FOLD_TARGET))) __m128i
weft_fold_rest(__m128i block, __m128i before, const struct weft_fold_rest *rest)
{
    uint32_t len_bytes = rest->len_bytes;
    uint32_t pad_bytes = (0u - len_bytes) & 3u;
    __m128i last;
    if (!len_bytes)
        return block;
    if (rest->whole) {
        /* What is stored is what is summed, the bytes before included, though it is read twice. */
        last = weft_fold_last(rest->from + len_bytes, len_bytes);
        weft_fold_store(rest->to + len_bytes - 16,
                        _mm_or_si128(weft_fold_down(before, len_bytes), last));
    } else {
        uint8_t copy[16] = {0};
        memcpy(copy, rest->from, len_bytes);
        __asm__("" : "+m"(copy));
        memcpy(rest->to, copy, len_bytes);
        last = weft_fold_up(weft_fold_load(copy), len_bytes);
    }
    if (pad_bytes) {
        memset(rest->to + len_bytes, 0, pad_bytes);
        last = weft_fold_down(last, pad_bytes);
    }
    len_bytes += pad_bytes;
    return len_bytes == 16 ? weft_fold(block, _mm_set_epi64x(WEFT_FOLD_16), last)
                           : weft_fold_tail(block, last, len_bytes);
}

/* The payload from `at` on, less than 64 bytes of it or of any length; what stands before in `to`
 * is there already. */
WEFT_FOLD __m128i weft_fold_copy(__m128i block, uint8_t *to, const uint8_t *from, uint32_t at,
                                 uint32_t len_bytes)
{
    const __m128i by_16 = _mm_set_epi64x(WEFT_FOLD_16);
    /* Stored a moment ago: not read from the payload again. */
    __m128i last = at ? weft_fold_load(to + at - 16) : _mm_setzero_si128();
    for (; len_bytes - at >= 16; at += 16) {
        last = weft_fold_load_once(from + at);
        weft_fold_store(to + at, last);
        block = weft_fold(block, by_16, last);
    }
    if (len_bytes == at)
        return block;
    const struct weft_fold_rest rest = {to + at, from + at, len_bytes - at, at != 0};
    return weft_fold_rest(block, last, &rest);
}

/* The first 32 bytes of a packet, and further masked ones: up to 64 bytes or the packet's end.
 * Returns how far it came. */
struct weft_fold_masked {
    __m128i block;
    uint32_t len_bytes;
};

WEFT_FOLD struct weft_fold_masked weft_fold_masked(const uint8_t *ip, const uint8_t *mask,
                                                   uint32_t len_bytes)
{
    const __m128i by_16 = _mm_set_epi64x(WEFT_FOLD_16);
    const __m128i start = _mm_cvtsi32_si128((int)WEFT_CRC_ICRC_START);
    __m128i blocks[4];
    if (len_bytes >= 64) {
        for (size_t i = 0; i < 4; i++)
            blocks[i] = _mm_or_si128(weft_fold_load(ip + 16 * i), weft_fold_load(mask + 16 * i));
        blocks[0] = _mm_xor_si128(blocks[0], start);
        return (struct weft_fold_masked){weft_fold_join(blocks), 64};
    }
    __m128i block = _mm_xor_si128(_mm_or_si128(weft_fold_load(ip), weft_fold_load(mask)), start);
    uint32_t at = 16;
    for (; len_bytes - at >= 16; at += 16)
        block = weft_fold(block, by_16,
                          _mm_or_si128(weft_fold_load(ip + at), weft_fold_load(mask + at)));
    uint32_t left = len_bytes - at;
    if (left)
        block = weft_fold_tail(block,
                               _mm_or_si128(weft_fold_last(ip + len_bytes, left),
                                            weft_fold_up(weft_fold_load(mask + at), left)),
                               left);
    return (struct weft_fold_masked){block, len_bytes};
}

#endif
