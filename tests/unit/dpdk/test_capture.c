/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <pcap/pcap.h>

#include "drivers/dpdk/capture.h"
#include "drivers/dpdk/dpdk.h"
#include "drivers/roce/roce.h"
#include "tests/unit/dpdk/ends.h"

static const struct weft_driver *const driver = &weft_driver_dpdk;

enum {
    BYTES = 4 << 20
};
/* 2033-05-18, 03:33:20 UTC */
#define UTC_NS UINT64_C(2000000000000000000)

static void temporary(char *path)
{
    (void)snprintf(path, 64, "/tmp/weft-capture-XXXXXX");
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    close(file);
}

static void two_open(struct end *ends, const char *path)
{
    ends_start(2);
    for (uint32_t i = 0; i < 2; i++)
        end_open(&ends[i],
                 &(struct end_options){.host = i + 1, .pcap_path = path, .buffer_bytes = BYTES});
}

/* Reads the file back: how many frames, in order of time, each whole. */
static uint64_t count_frames(const char *path, uint64_t *ret_bytes)
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, why);
    cr_assert(pcap, "%s", why);
    struct pcap_pkthdr *header;
    const u_char *frame;
    uint64_t frames = 0;
    uint64_t last_ns = 0;
    int got;
    *ret_bytes = 0;
    while ((got = pcap_next_ex(pcap, &header, &frame)) == 1) {
        uint64_t at_ns = (uint64_t)header->ts.tv_sec * 1000000000u + (uint64_t)header->ts.tv_usec;
        cr_assert_geq(at_ns, last_ns, "frame %lu is out of order", frames);
        cr_assert_eq(header->caplen, header->len);
        last_ns = at_ns;
        frames++;
        *ret_bytes += header->len;
    }
    cr_assert_eq(got, PCAP_ERROR_BREAK, "%s", pcap_geterr(pcap));
    pcap_close(pcap);
    return frames;
}

static void expect_tshark_reads(const char *path)
{
    if (system("command -v tshark >/dev/null") != 0)
        return;
    char command[256];
    char line[64];
    uint32_t operations = 0;
    (void)snprintf(command, sizeof(command),
                   "tshark -r %s -Y infiniband -T fields -e infiniband.bth.opcode 2>/dev/null",
                   path);
    FILE *output = popen(command, "r");
    cr_assert(output);
    while (fgets(line, sizeof(line), output)) {
        long opcode = strtol(line, NULL, 10);
        /* RC WRITE first to last, acknowledge. */
        cr_assert((opcode >= 6 && opcode <= 8) || opcode == 10 || opcode == 17, "%s", line);
        operations++;
    }
    cr_expect_eq(pclose(output), 0);
    cr_expect_gt(operations, 1024);
    (void)snprintf(command, sizeof(command), "tshark -r %s -Y _ws.malformed 2>/dev/null | wc -l",
                   path);
    output = popen(command, "r");
    cr_assert(output && fgets(line, sizeof(line), output));
    cr_expect_eq(strtol(line, NULL, 10), 0, "malformed: %s", line);
    (void)pclose(output);
}

/* 4 MiB are twice what the ring holds: without the control thread it would stand still. */
Test(capture, holds_each_frame_once_and_in_order)
{
    struct end ends[2];
    struct weft_error error = {0};
    char path[64];
    temporary(path);
    two_open(ends, path);
    ends_connect(ends, 2, ends[0].endpoint, ends[1].endpoint);
    end_fill(&ends[0], 1);
    const struct weft_work work = end_work_to(&ends[0], WEFT_OPERATION_WRITE, BYTES, &ends[1]);
    cr_assert_eq(driver->post_send(ends[0].endpoint, &work, 1), 1);
    struct weft_completion completion;
    uint32_t stalled_rounds = 0;
    while (driver->cq_poll(ends[0].cq, &completion, 1) == 0) {
        uint32_t done = ends_round(ends, 2);
        if (done)
            continue;
        stalled_rounds++;
        for (uint32_t i = 0; i < 2; i++)
            cr_assert_eq(driver->service(ends[i].device, &error), WEFT_OK, "%s", error.text);
        cr_assert_lt(stalled_rounds, 1000000);
    }
    cr_expect_eq(completion.status, WEFT_OK);
    cr_expect_gt(stalled_rounds, 0, "the ring was never full: nothing was tested");
    cr_expect_eq(memcmp(ends[0].buffer, ends[1].buffer, BYTES), 0);
    uint64_t sent = 0;
    uint64_t sent_bytes = 0;
    for (uint32_t i = 0; i < 2; i++) {
        const struct weft_device_counters *counters = driver->counters(ends[i].device);
        cr_expect_eq(counters->retransmitted_packets, 0);
        sent += counters->sent_packets;
        sent_bytes += counters->sent_bytes;
    }
    end_close(&ends[0]);
    end_close(&ends[1]);
    uint64_t bytes = 0;
    cr_expect_eq(count_frames(path, &bytes), sent);
    cr_expect_eq(bytes, sent_bytes);
    expect_tshark_reads(path);
    driver->stop(NULL);
    unlink(path);
}

static enum weft_status open_capture(const char *path, struct weft_capture **ret_capture,
                                     struct weft_error *error)
{
    const struct weft_capture_options options = {
        .path = path, .name = "loopback 198.18.0.1", .utc_offset_ns = UTC_NS};
    return weft_capture_open(&options, ret_capture, error);
}

static void put(struct weft_capture *capture, uint64_t now_ns)
{
    static const uint8_t frame[60];
    weft_capture_tick(capture, now_ns);
    weft_capture_put(capture, frame, sizeof(frame), now_ns);
}

/* What one device captured is not written before the others have passed that time. */
Test(capture, waits_for_devices_that_are_behind)
{
    struct weft_error error = {0};
    struct weft_capture *captures[2] = {0};
    char path[64];
    temporary(path);
    for (uint32_t i = 0; i < 2; i++)
        cr_assert_eq(open_capture(path, &captures[i], &error), WEFT_OK, "%s", error.text);
    for (uint32_t i = 0; i < 1000; i++) {
        weft_capture_tick(captures[1], 11 + 10 * i);
        put(captures[0], 20 + 10 * i);
        cr_assert_eq(weft_capture_write(&error), WEFT_OK, "%s", error.text);
        put(captures[1], 15 + 10 * i);
        cr_assert_eq(weft_capture_write(&error), WEFT_OK, "%s", error.text);
    }
    weft_capture_close(captures[0]);
    weft_capture_close(captures[1]);
    uint64_t bytes = 0;
    cr_expect_eq(count_frames(path, &bytes), 2000);
    cr_expect_eq(bytes, UINT64_C(2000) * 60);
    cr_expect_eq(weft_capture_stop(&error), WEFT_OK, "%s", error.text);
    unlink(path);
}

Test(capture, is_one_file_that_can_be_written)
{
    struct weft_error error = {0};
    struct weft_device *device = NULL;
    char path[64];
    temporary(path);
    struct end ends[2];
    two_open(ends, path);
    struct weft_device_options options = {.device = "loopback",
                                          .max_endpoints = 1,
                                          .max_regions = 1,
                                          .pcap_path = "/nonexistent/x.pcap"};
    end_close(&ends[1]);
    cr_expect_eq(driver->open(&options, &device, &error), WEFT_INVALID);
    cr_expect(strstr(error.text, path), "%s", error.text);
    end_close(&ends[0]);
    driver->stop(NULL);
    unlink(path);
}

Test(capture, says_why_it_cannot_be_written)
{
    struct weft_error error = {0};
    struct weft_device *device = NULL;
    ends_start(1);
    const struct weft_device_options options = {.device = "loopback",
                                                .max_endpoints = 1,
                                                .max_regions = 1,
                                                .pcap_path = "/nonexistent/x.pcap"};
    cr_expect_eq(driver->open(&options, &device, &error), WEFT_IO);
    cr_expect(strstr(error.text, "/nonexistent/x.pcap"), "%s", error.text);
    driver->stop(NULL);
}

Test(capture, goes_on_and_reports_when_the_disk_is_full)
{
    struct weft_error error = {0};
    struct weft_capture *capture = NULL;
    if (access("/dev/full", W_OK) != 0)
        cr_skip_test("no /dev/full");
    enum weft_status status = open_capture("/dev/full", &capture, &error);
    cr_assert_eq(status, WEFT_OK, "%s", error.text);
    static const uint8_t frame[4096];
    for (uint32_t round = 0; round < 100; round++) {
        weft_capture_tick(capture, round + 1);
        while (weft_capture_has_room(capture, 1))
            weft_capture_put(capture, frame, sizeof(frame), round + 1);
        status = weft_capture_write(&error);
    }
    cr_expect_eq(status, WEFT_IO);
    cr_expect(strstr(error.text, "/dev/full"), "%s", error.text);
    cr_expect(weft_capture_has_room(capture, 64), "traffic would stand still");
    weft_capture_close(capture);
    cr_expect_eq(weft_capture_stop(&error), WEFT_IO);
    cr_expect(strstr(error.text, "/dev/full"), "%s", error.text);
}

/* What fits into the buffers of a short run meets the full disk only when the file is closed. */
Test(capture, that_fails_at_its_end_says_so)
{
    struct weft_error error = {0};
    struct weft_capture *capture = NULL;
    if (access("/dev/full", W_OK) != 0)
        cr_skip_test("no /dev/full");
    cr_assert_eq(open_capture("/dev/full", &capture, &error), WEFT_OK, "%s", error.text);
    put(capture, 1);
    weft_capture_close(capture);
    cr_expect_eq(weft_capture_stop(&error), WEFT_IO);
    cr_expect(strstr(error.text, "/dev/full"), "%s", error.text);
    cr_expect_eq(weft_capture_stop(&error), WEFT_OK, "told once");
}

/* A jumbo frame of others is cut to what the ring has room for, and says how long it was: cut, and
 * not malformed. */
Test(capture, a_frame_that_was_cut_says_so)
{
    static const uint8_t jumbo[9014];
    struct weft_capture *capture = NULL;
    struct weft_error error = {0};
    char path[64];
    char why[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const u_char *frame;
    temporary(path);
    cr_assert_eq(open_capture(path, &capture, &error), WEFT_OK, "%s", error.text);
    weft_capture_put(capture, jumbo, sizeof(jumbo), 1);
    weft_capture_close(capture);
    cr_expect_eq(weft_capture_stop(&error), WEFT_OK, "%s", error.text);
    pcap_t *pcap = pcap_open_offline(path, why);
    cr_assert(pcap, "%s", why);
    cr_assert_eq(pcap_next_ex(pcap, &header, &frame), 1);
    cr_assert_eq(header->caplen, WEFT_ROCE_FRAME_MAX);
    cr_assert_eq(header->len, sizeof(jumbo));
    pcap_close(pcap);
    (void)unlink(path);
}
