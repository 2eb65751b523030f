/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/packet/icrc.h"

#include <criterion/criterion.h>
#include <string.h>

#include "drivers/roce/packet/wire.h"
#include "tests/unit/roce/packet/slow_crc.h"

static uint32_t slow_icrc(const uint8_t *ip, uint32_t ip_bytes, uint32_t len_bytes)
{
    static const uint8_t ones[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint8_t copy[8192];
    memcpy(copy, ip, len_bytes);
    if (ip_bytes == 20) {
        copy[1] = copy[8] = copy[10] = copy[11] = 0xff;
    } else {
        copy[0] |= 0x0f;
        copy[1] = copy[2] = copy[3] = copy[7] = 0xff;
    }
    copy[ip_bytes + 6] = copy[ip_bytes + 7] = copy[ip_bytes + 12] = 0xff;
    return ~slow_crc(slow_crc(~0u, ones, 8), copy, len_bytes);
}

static void check_wire(const uint8_t *ip, uint32_t len_bytes, const uint8_t expected[4])
{
    uint32_t icrc = htole32(weft_icrc_packet(ip, 20, len_bytes));
    cr_assert_arr_eq(&icrc, expected, 4);
}

/* Captured on a ConnectX-4 Lx: a congestion notification. */
Test(icrc, connectx_cnp)
{
    const uint8_t ip[] = {
        0x45, 0xc2, 0x00, 0x3c, 0x71, 0x8c, 0x40, 0x00, 0x40, 0x11, 0x91, 0x61, 0x0a, 0x00,
        0x11, 0x01, 0x0a, 0x00, 0x12, 0x01, 0x00, 0x00, 0x12, 0xb7, 0x00, 0x28, 0x00, 0x00,
        0x81, 0x00, 0xff, 0xff, 0x40, 0x00, 0x01, 0x18, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    };
    check_wire(ip, sizeof(ip), (const uint8_t[]){0x82, 0xfd, 0x00, 0x2a});
}

/* A UC SEND ONLY with two pad bytes, whose ICRC a ConnectX gave as 78f353f3. */
Test(icrc, connectx_uc_send)
{
    const uint8_t ip[] = {
        0x45, 0x01, 0x00, 0x40, 0x04, 0x78, 0x40, 0x00, 0x40, 0x11, 0xb4, 0xd5, 0xc0, 0xa8, 0x00,
        0x07, 0xc0, 0xa8, 0x00, 0x07, 0xc0, 0x00, 0x12, 0xb7, 0x00, 0x2c, 0xac, 0xa2, 0x24, 0x60,
        0xff, 0xff, 0x00, 0x00, 0x00, 0xd3, 0x00, 0xcf, 0x17, 0x10, 0x46, 0x30, 0x81, 0x8b, 0xe2,
        0x89, 0x35, 0xd9, 0x0e, 0x9a, 0x95, 0x50, 0x54, 0x01, 0xbe, 0x88, 0x5e, 0x50, 0x00, 0x00,
    };
    check_wire(ip, sizeof(ip), (const uint8_t[]){0x78, 0xf3, 0x53, 0xf3});
}

/* Every length up to beyond a packet's, against the slow one; both IP versions. */
Test(icrc, against_bitwise)
{
    static uint8_t packet[4300];
    for (uint32_t i = 0; i < sizeof(packet); i++)
        packet[i] = (uint8_t)(i * 37 + (i >> 7));
    for (uint32_t len_bytes = 60; len_bytes < sizeof(packet); len_bytes += len_bytes < 300 ? 1 : 97)
        for (uint32_t ip_bytes = 20; ip_bytes <= 40; ip_bytes += 20)
            cr_assert_eq(weft_icrc_packet(packet, ip_bytes, len_bytes),
                         slow_icrc(packet, ip_bytes, len_bytes), "at %u bytes", len_bytes);
}

/* What a router may change does not count; all else does. */
Test(icrc, masks_what_routers_change)
{
    uint8_t packet[64] = {0x45};
    uint32_t before = weft_icrc_packet(packet, 20, sizeof(packet));
    for (uint32_t i = 0; i < sizeof(packet); i++) {
        bool masked = i == 1 || i == 8 || i == 10 || i == 11 || i == 26 || i == 27 || i == 32;
        packet[i] ^= 0x80;
        cr_assert_eq(weft_icrc_packet(packet, 20, sizeof(packet)) == before, masked, "byte %u", i);
        packet[i] ^= 0x80;
    }
}
