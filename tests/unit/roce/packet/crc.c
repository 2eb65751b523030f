/* SPDX-License-Identifier: BSD-3-Clause */
/* Every kernel that this processor has, against a CRC that works bit by bit. */
#include "drivers/roce/packet/crc.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "fabric/base/random.h"
#include "tests/unit/roce/packet/slow_crc.h"

#define PAGE 4096u

/* `len_bytes` between pages that nobody may touch: what is read or written outside ends the test.
 */
struct fence {
    uint8_t *map;
    uint8_t *start;
    uint32_t len_bytes;
};

static struct fence fence_open(uint32_t pages)
{
    struct fence fence = {.len_bytes = pages * PAGE};
    size_t all = (size_t)(pages + 2) * PAGE;
    fence.map = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(fence.map, MAP_FAILED);
    cr_assert_eq(mprotect(fence.map, PAGE, PROT_NONE), 0);
    cr_assert_eq(mprotect(fence.map + all - PAGE, PAGE, PROT_NONE), 0);
    fence.start = fence.map + PAGE;
    return fence;
}

static void fill(struct weft_random *random, uint8_t *bytes, uint32_t len_bytes)
{
    for (uint32_t i = 0; i < len_bytes; i++)
        bytes[i] = (uint8_t)weft_random_next(random);
}

static const struct weft_crc_kernel *kernel_at(int level)
{
    return weft_crc_kernel((enum weft_crc_level)level);
}

#define EACH_KERNEL(kernel)                                                                    \
    for (int level_ = 0; level_ < WEFT_CRC_LEVELS; level_++)                                   \
        for (const struct weft_crc_kernel *kernel = kernel_at(level_), *once_ = kernel; once_; \
             once_ = NULL)

Test(crc, check_value)
{
    EACH_KERNEL(kernel)
    {
        uint32_t state = kernel->add(~0u, (const uint8_t *)"123456789", 9);
        cr_assert_eq(~state, 0xcbf43926u, "%s", kernel->name);
    }
}

/* Every length to beyond the widest loop, against both fences. */
Test(crc, add_every_length)
{
    struct weft_random random;
    weft_random_seed(&random, 1);
    struct fence fence = fence_open(2);
    fill(&random, fence.start, fence.len_bytes);
    for (uint32_t len_bytes = 0; len_bytes <= 1100; len_bytes++) {
        uint32_t state = (uint32_t)weft_random_next(&random);
        const uint8_t *end = fence.start + fence.len_bytes - len_bytes;
        uint32_t at_start = slow_crc(state, fence.start, len_bytes);
        uint32_t at_end = slow_crc(state, end, len_bytes);
        EACH_KERNEL(kernel)
        {
            cr_assert_eq(kernel->add(state, fence.start, len_bytes), at_start, "%s, %u bytes",
                         kernel->name, len_bytes);
            cr_assert_eq(kernel->add(state, end, len_bytes), at_end, "%s, %u bytes", kernel->name,
                         len_bytes);
        }
    }
}

Test(crc, add_any_alignment)
{
    static uint8_t bytes[9000];
    struct weft_random random;
    weft_random_seed(&random, 2);
    fill(&random, bytes, sizeof(bytes));
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t offset = (uint32_t)weft_random_next(&random) & 127;
        uint32_t len_bytes = (uint32_t)(weft_random_next(&random) % 8800);
        uint32_t expected = slow_crc(i, bytes + offset, len_bytes);
        EACH_KERNEL(kernel)
        cr_assert_eq(kernel->add(i, bytes + offset, len_bytes), expected, "%s, %u bytes at %u",
                     kernel->name, len_bytes, offset);
    }
}

/* The frame holds the header, the payload, zeros to the next word, and nothing else is touched. */
static void check_build(const struct weft_crc_kernel *kernel, uint8_t *frame, uint32_t header_bytes,
                        const uint8_t *payload, uint32_t len_bytes)
{
    static const uint8_t zeros[4];
    uint32_t pad_bytes = (0u - len_bytes) & 3u;
    uint32_t all = header_bytes + len_bytes + pad_bytes;
    uint8_t before[WEFT_CRC_HEADER_MAX];
    memcpy(before, frame, header_bytes);
    frame[-1] = 0xa5;
    memset(frame + header_bytes, 0xee, len_bytes + pad_bytes);
    frame[all] = 0x5a;
    uint32_t state =
        kernel->build(0x12345678u + len_bytes, frame, header_bytes, payload, len_bytes);
    cr_assert_eq(state, slow_crc(0x12345678u + len_bytes, frame, all), "%s, %u and %u bytes",
                 kernel->name, header_bytes, len_bytes);
    cr_assert_arr_eq(frame, before, header_bytes);
    if (len_bytes)
        cr_assert_arr_eq(frame + header_bytes, payload, len_bytes);
    cr_assert_arr_eq(frame + header_bytes + len_bytes, zeros, pad_bytes);
    cr_assert_eq(frame[-1], 0xa5);
    cr_assert_eq(frame[all], 0x5a);
}

Test(crc, build_every_length)
{
    static uint8_t frame[4500];
    struct weft_random random;
    weft_random_seed(&random, 3);
    struct fence fence = fence_open(2);
    fill(&random, fence.start, fence.len_bytes);
    fill(&random, frame, sizeof(frame));
    for (uint32_t len_bytes = 0; len_bytes <= 4100; len_bytes += len_bytes < 600 ? 1 : 61) {
        const uint8_t *end = fence.start + fence.len_bytes - len_bytes;
        for (uint32_t header_bytes = 4; header_bytes <= WEFT_CRC_HEADER_MAX; header_bytes += 4)
            EACH_KERNEL(kernel)
            {
                uint32_t at = 1 + ((len_bytes + header_bytes) & 63);
                check_build(kernel, frame + at, header_bytes, fence.start, len_bytes);
                check_build(kernel, frame + at, header_bytes, end, len_bytes);
            }
    }
    EACH_KERNEL(kernel)
    check_build(kernel, frame + 1, 12, NULL, 0);
}

/* A kind of `len_bytes` of payload behind a PSN and `extension_bytes` of further headers. */
static struct weft_path_kind kind_of(const struct weft_crc_kernel *kernel, uint32_t header_bytes,
                                     uint32_t extension_bytes, uint32_t len_bytes)
{
    struct weft_path_kind kind = {.key = 0x80640000u | len_bytes,
                                  .state = 0x12345678u + len_bytes,
                                  .header_bytes = (uint8_t)header_bytes,
                                  .psn_at = (uint8_t)(header_bytes - extension_bytes - 4)};
    for (uint32_t i = 0; i < header_bytes; i++)
        kind.header[i] = (uint8_t)(i * 37 + 11);
    memset(kind.header + kind.psn_at, 0, 4);
    weft_crc_prepare(kernel, &kind);
    return kind;
}

static void check_frame(const struct weft_crc_kernel *kernel, const struct weft_path_kind *kind,
                        uint32_t psn_word, const uint8_t *payload)
{
    static const uint8_t zeros[4];
    uint8_t frame[256];
    uint32_t len_bytes = kind->key & 0xffff;
    uint32_t pad_bytes = (0u - len_bytes) & 3u;
    const uint8_t psn[4] = {(uint8_t)(psn_word >> 24), (uint8_t)(psn_word >> 16),
                            (uint8_t)(psn_word >> 8), (uint8_t)psn_word};
    memset(frame, 0xee, sizeof(frame));
    kind->build(kind, frame, psn_word, payload);
    cr_assert_arr_eq(frame, kind->header, kind->psn_at);
    cr_assert_arr_eq(frame + kind->psn_at, psn, 4);
    uint32_t at = kind->psn_at + 4u;
    cr_assert_arr_eq(frame + at, kind->header + at, kind->header_bytes - at);
    cr_assert_arr_eq(frame + kind->header_bytes, payload, len_bytes);
    at = kind->header_bytes + len_bytes;
    cr_assert_arr_eq(frame + at, zeros, pad_bytes);
    at += pad_bytes;
    uint32_t icrc;
    memcpy(&icrc, frame + at, sizeof(icrc));
    cr_assert_eq(icrc, ~slow_crc(kind->state, frame + kind->psn_at, at - kind->psn_at),
                 "%s, %u bytes", kernel->name, len_bytes);
    cr_assert_eq(frame[kind->header_bytes + WEFT_KIND_PAYLOAD_MAX + 4], 0xee);
}

/* Every length, with and without DETH, of all header lengths that there are. */
Test(crc, frame_every_length)
{
    struct weft_random random;
    weft_random_seed(&random, 5);
    struct fence fence = fence_open(1);
    fill(&random, fence.start, fence.len_bytes);
    for (uint32_t len_bytes = 0; len_bytes <= WEFT_KIND_PAYLOAD_MAX + 4; len_bytes++)
        for (uint32_t headers = 0; headers < 8; headers++)
            EACH_KERNEL(kernel)
            {
                uint32_t extension_bytes = headers & 1 ? 8 : 0;
                uint32_t header_bytes =
                    54 + extension_bytes + (headers & 2 ? 4 : 0) + (headers & 4 ? 20 : 0);
                struct weft_path_kind kind =
                    kind_of(kernel, header_bytes, extension_bytes, len_bytes);
                bool can = kernel->frame && len_bytes && len_bytes <= WEFT_KIND_PAYLOAD_MAX &&
                           len_bytes % kernel->frame_step_bytes == 0;
                cr_assert_eq(kind.build != NULL, can);
                if (!can)
                    continue;
                const uint8_t *end = fence.start + fence.len_bytes - len_bytes;
                check_frame(kernel, &kind, (uint32_t)weft_random_next(&random), fence.start);
                check_frame(kernel, &kind, (uint32_t)weft_random_next(&random), end);
                check_frame(kernel, &kind, 0xffffffffu, fence.start + 1);
            }
}

/* Somebody writes to the payload meanwhile: what is summed is what stands in the frame. */
struct writer {
    uint8_t *payload;
    uint32_t len_bytes;
    atomic_bool stop;
};

static void *write_on(void *argument)
{
    struct writer *writer = argument;
    for (uint8_t value = 0; !atomic_load(&writer->stop); value++)
        for (uint32_t i = 0; i < writer->len_bytes; i++)
            ((volatile uint8_t *)writer->payload)[i] = value;
    return NULL;
}

Test(crc, build_sums_what_it_sends)
{
    static uint8_t payload[600];
    static uint8_t frame[700];
    struct writer writer = {.payload = payload, .len_bytes = sizeof(payload)};
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, write_on, &writer), 0);
    for (uint32_t i = 0; i < 60000; i++) {
        uint32_t len_bytes = i % sizeof(payload);
        uint32_t all = 12 + ((len_bytes + 3) & ~3u);
        EACH_KERNEL(kernel)
        cr_assert_eq(kernel->build(i, frame, 12, payload, len_bytes), slow_crc(i, frame, all),
                     "%s, %u bytes", kernel->name, len_bytes);
        EACH_KERNEL(kernel)
        {
            if (!kernel->frame)
                continue;
            const struct weft_path_kind kind = kind_of(kernel, 62, 8, 64);
            uint32_t icrc;
            kind.build(&kind, frame, i, payload);
            memcpy(&icrc, frame + 62 + 64, sizeof(icrc));
            cr_assert_eq(icrc, ~slow_crc(kind.state, frame + 50, 12 + 64), "%s", kernel->name);
        }
    }
    atomic_store(&writer.stop, true);
    cr_assert_eq(pthread_join(thread, NULL), 0);
}

static uint32_t slow_packet(const uint8_t *ip, uint32_t ip_bytes, uint32_t len_bytes)
{
    static uint8_t copy[8192];
    memcpy(copy, ip, len_bytes);
    if (ip_bytes == 20) {
        copy[1] = copy[8] = copy[10] = copy[11] = 0xff;
    } else {
        copy[0] |= 0x0f;
        copy[1] = copy[2] = copy[3] = copy[7] = 0xff;
    }
    copy[ip_bytes + 6] = copy[ip_bytes + 7] = copy[ip_bytes + 12] = 0xff;
    return slow_crc(WEFT_CRC_ICRC_START, copy, len_bytes);
}

Test(crc, packet_every_length)
{
    struct weft_random random;
    weft_random_seed(&random, 4);
    struct fence fence = fence_open(2);
    fill(&random, fence.start, fence.len_bytes);
    for (uint32_t ip_bytes = 20; ip_bytes <= 40; ip_bytes += 20)
        for (uint32_t len_bytes = ip_bytes + 20; len_bytes <= 4300;
             len_bytes += len_bytes < 700 ? 1 : 61) {
            const uint8_t *end = fence.start + fence.len_bytes - len_bytes;
            uint32_t at_start = slow_packet(fence.start, ip_bytes, len_bytes);
            uint32_t at_end = slow_packet(end, ip_bytes, len_bytes);
            EACH_KERNEL(kernel)
            {
                cr_assert_eq(kernel->packet(fence.start, ip_bytes, len_bytes), at_start,
                             "%s, %u bytes", kernel->name, len_bytes);
                cr_assert_eq(kernel->packet(end, ip_bytes, len_bytes), at_end, "%s, %u bytes",
                             kernel->name, len_bytes);
            }
        }
}
