/* SPDX-License-Identifier: BSD-3-Clause */
/* Eight bytes a step through eight tables (Kounavis and Berry, "Novel table lookup-based algorithms
 * for high-performance CRC generation", 2008): for what is too short for crc_sparse.c. */
#include <endian.h>
#include <string.h>

#include "drivers/roce/packet/crc_kernels.h"
#include "drivers/roce/packet/crc_mask.h"

#define POLYNOMIAL 0xedb88320u

static uint32_t tables[8][256];

/* tables[n][b]: the state after byte b and n zeros. */
void weft_crc_table_init(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t state = byte;
        for (int bit = 0; bit < 8; bit++)
            state = (state >> 1) ^ ((state & 1) ? POLYNOMIAL : 0);
        tables[0][byte] = state;
    }
    for (uint32_t byte = 0; byte < 256; byte++)
        for (int n = 1; n < 8; n++)
            tables[n][byte] = (tables[n - 1][byte] >> 8) ^ tables[0][tables[n - 1][byte] & 0xff];
}

static inline uint64_t get_word(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return le64toh(word);
}

static inline uint32_t step(uint32_t state, uint64_t word)
{
    word ^= state;
    return tables[7][word & 0xff] ^ tables[6][(word >> 8) & 0xff] ^ tables[5][(word >> 16) & 0xff] ^
           tables[4][(word >> 24) & 0xff] ^ tables[3][(word >> 32) & 0xff] ^
           tables[2][(word >> 40) & 0xff] ^ tables[1][(word >> 48) & 0xff] ^ tables[0][word >> 56];
}

static uint32_t add(uint32_t state, const uint8_t *bytes, uint32_t len_bytes)
{
    for (; len_bytes >= 8; bytes += 8, len_bytes -= 8)
        state = step(state, get_word(bytes));
    for (; len_bytes; bytes++, len_bytes--)
        state = (state >> 8) ^ tables[0][(state ^ *bytes) & 0xff];
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

const struct weft_crc_kernel weft_crc_table = {
    .name = "tables", .add = add, .build = build, .packet = packet};
