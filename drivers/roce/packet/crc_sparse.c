/* SPDX-License-Identifier: BSD-3-Clause */
/* Shifts and exclusive ors alone, for processors that multiply without carries slowly or not at
 * all, an emulated one for instance.
 *
 * What a message leaves on division by the polynomial does not change where a multiple of the
 * polynomial is added to it. 1 + x^89 + x^117 + x^155 + x^300 is one (the only one of five terms
 * below degree 500): added so that its x^300 meets a one of the message, it clears that one and
 * turns over the bits 145, 183, 211 and 300 places later. All of these are 64 or more, so that a
 * whole word is cleared at once and lands, shifted, in the five words after it, which are in
 * registers. The last words, with what landed in them, go through the tables. The idea is that of
 * Chorba (Russell, "Chorba: a novel CRC32 implementation", arXiv 2412.16398, 2024). */
#include <endian.h>
#include <string.h>

#include "drivers/roce/packet/crc_kernels.h"
#include "drivers/roce/packet/crc_mask.h"

#define PENDING_WORDS 5u
#define PENDING_BYTES 40u
#define UNROLLED_WORDS 8u
#define UNROLLED_BYTES 64u
/* Below, the tables alone do as well. */
#define SPARSE_BYTES 96u

/* What is to be added to the next five words. A word's first bit in the packet is its lowest. */
struct pending {
    uint64_t words[PENDING_WORDS];
};

static inline __attribute__((always_inline)) struct pending clear(struct pending pending,
                                                                  uint64_t word)
{
    const uint64_t *after = pending.words;
    word ^= after[0];
    return (struct pending){{
        after[1],
        after[2] ^ (word << (145 - 128)) ^ (word << (183 - 128)),
        after[3] ^ (word >> (192 - 145)) ^ (word >> (192 - 183)) ^ (word << (211 - 192)),
        after[4] ^ (word >> (256 - 211)) ^ (word << (300 - 256)),
        word >> (320 - 300),
    }};
}

static inline uint64_t get_word(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

/* `bytes` are the last, PENDING_BYTES of them or more. */
static uint32_t finish(const struct pending *pending, const uint8_t *bytes, uint32_t len_bytes)
{
    uint64_t words[PENDING_WORDS];
    for (size_t i = 0; i < PENDING_WORDS; i++)
        words[i] = get_word(bytes + 8 * i) ^ htole64(pending->words[i]);
    uint32_t state = weft_crc_table.add(0, (const uint8_t *)words, PENDING_BYTES);
    return weft_crc_table.add(state, bytes + PENDING_BYTES, len_bytes - PENDING_BYTES);
}

static uint32_t add(uint32_t state, const uint8_t *bytes, uint32_t len_bytes)
{
    if (len_bytes < SPARSE_BYTES)
        return weft_crc_table.add(state, bytes, len_bytes);
    struct pending pending = {{state}};
    for (; len_bytes >= UNROLLED_BYTES + PENDING_BYTES;
         bytes += UNROLLED_BYTES, len_bytes -= UNROLLED_BYTES)
        for (size_t i = 0; i < UNROLLED_WORDS; i++)
            pending = clear(pending, le64toh(get_word(bytes + 8 * i)));
    for (; len_bytes >= 8 + PENDING_BYTES; bytes += 8, len_bytes -= 8)
        pending = clear(pending, le64toh(get_word(bytes)));
    return finish(&pending, bytes, len_bytes);
}

/* Read once: what is copied is what is summed, even if somebody writes to the payload. */
static inline __attribute__((always_inline)) uint64_t copy_word(uint8_t *to, const uint8_t *from)
{
    uint64_t word = get_word(from);
    __asm__("" : "+r"(word));
    memcpy(to, &word, sizeof(word));
    return le64toh(word);
}

static uint32_t build(uint32_t state, uint8_t *header, uint32_t header_bytes,
                      const uint8_t *payload, uint32_t payload_bytes)
{
    if (payload_bytes < SPARSE_BYTES)
        return weft_crc_table.build(state, header, header_bytes, payload, payload_bytes);
    struct pending pending = {{weft_crc_table.add(state, header, header_bytes)}};
    uint8_t *to = header + header_bytes;
    uint32_t left = payload_bytes;
    for (; left >= UNROLLED_BYTES + PENDING_BYTES;
         to += UNROLLED_BYTES, payload += UNROLLED_BYTES, left -= UNROLLED_BYTES)
        for (size_t i = 0; i < UNROLLED_WORDS; i++)
            pending = clear(pending, copy_word(to + 8 * i, payload + 8 * i));
    for (; left >= 8 + PENDING_BYTES; to += 8, payload += 8, left -= 8)
        pending = clear(pending, copy_word(to, payload));
    memcpy(to, payload, left);
    __asm__ volatile("" ::: "memory");
    uint32_t pad_bytes = (0u - payload_bytes) & 3u;
    memset(to + left, 0, pad_bytes);
    return finish(&pending, to, left + pad_bytes);
}

static uint32_t packet(const uint8_t *ip, uint32_t ip_bytes, uint32_t len_bytes)
{
    return weft_crc_masked_packet(weft_crc_table.add, add, ip, ip_bytes, len_bytes);
}

const struct weft_crc_kernel weft_crc_sparse = {
    .name = "shifts", .add = add, .build = build, .packet = packet};
