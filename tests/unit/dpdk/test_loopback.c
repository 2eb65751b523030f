/* SPDX-License-Identifier: BSD-3-Clause */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "drivers/dpdk/dpdk.h"
#include "tests/unit/dpdk/ends.h"

static const struct weft_driver *const driver = &weft_driver_dpdk;

static const uint32_t sizes[] = {0, 1, 3, 64, 4095, 4096, 4097, 65539, 1048576, 8388608};
enum {
    SIZES = sizeof(sizes) / sizeof(sizes[0]),
    BUFFER = 8388608
};

static bool folder_left_in(const char *parent)
{
    char path[128];
    struct stat found;
    (void)snprintf(path, sizeof(path), "%s/dpdk/weft-%d", parent, (int)getpid());
    return stat(path, &found) == 0;
}

Test(eal, start_leaves_the_thread_and_the_machine_alone)
{
    cpu_set_t before;
    cpu_set_t after;
    sched_getaffinity(0, sizeof(before), &before);
    /* Only one CPU: what EAL does to the affinity would show. */
    for (size_t cpu = 0, kept = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &before) && kept++)
            CPU_CLR(cpu, &before);
    sched_setaffinity(0, sizeof(before), &before);
    int out = dup(1);
    FILE *said = tmpfile();
    cr_assert(said);
    dup2(fileno(said), 1);
    dup2(fileno(said), 2);
    ends_start(2);
    sched_getaffinity(0, sizeof(after), &after);
    bool left = folder_left_in("/run") || folder_left_in("/tmp");
    struct end end;
    end_open(&end, &(struct end_options){.host = 1, .buffer_bytes = 64});
    end_close(&end);
    driver->stop(NULL);
    fflush(stdout);
    long said_bytes = lseek(fileno(said), 0, SEEK_END);
    dup2(out, 1);
    dup2(out, 2);
    cr_expect(CPU_EQUAL(&before, &after));
    cr_expect_not(left, "EAL's runtime folder stayed");
    cr_expect_eq(said_bytes, 0, "%ld bytes were printed", said_bytes);
}

Test(eal, starts_once)
{
    struct weft_error error = {0};
    const struct weft_driver_start start = {.device_count = 2};
    ends_start(2);
    cr_assert_eq(driver->start(&start, &error), WEFT_EXISTS);
    driver->stop(NULL);
    driver->stop(NULL);
    cr_assert_eq(driver->start(&start, &error), WEFT_EXISTS);
}

Test(eal, refuses_what_makes_no_sense)
{
    struct weft_error error = {0};
    cr_expect_eq(
        driver->start(&(struct weft_driver_start){.device_count = 1, .mtu_bytes = 1500}, &error),
        WEFT_INVALID);
    cr_expect(strstr(error.text, "1500") && strstr(error.text, "1024"));
    cr_expect_eq(driver->start(&(struct weft_driver_start){0}, &error), WEFT_INVALID);
    struct weft_device *device = NULL;
    cr_expect_eq(driver->open(&(struct weft_device_options){.device = "loopback"}, &device, &error),
                 WEFT_INVALID);
    driver->close(NULL);
}

Test(eal, works_for_an_ordinary_user)
{
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        cr_skip_test("cannot become an ordinary user");
    (void)unsetenv("XDG_RUNTIME_DIR");
    struct end ends[2];
    ends_start(2);
    for (uint32_t i = 0; i < 2; i++)
        end_open(&ends[i], &(struct end_options){.host = i + 1, .buffer_bytes = 64});
    ends_connect(ends, 2, ends[0].endpoint, ends[1].endpoint);
    end_close(&ends[0]);
    end_close(&ends[1]);
    driver->stop(NULL);
}

static void two_open(struct end *ends, enum weft_transport transport)
{
    ends_start(2);
    for (uint32_t i = 0; i < 2; i++)
        end_open(&ends[i], &(struct end_options){
                               .host = i + 1, .transport = transport, .buffer_bytes = BUFFER});
}

static void two_close(struct end *ends)
{
    for (uint32_t i = 0; i < 2; i++) {
        const struct weft_device_counters *counters = driver->counters(ends[i].device);
        cr_expect_eq(counters->receive_dropped, 0);
        cr_expect_eq(counters->retransmitted_packets, 0);
        cr_expect_eq(counters->malformed_packets, 0);
        cr_expect_eq(counters->icrc_errors, 0);
        cr_expect_eq(counters->unexpected_packets, 0);
        end_close(&ends[i]);
    }
    driver->stop(NULL);
}

Test(loopback, write_arrives_whole)
{
    struct end ends[2];
    two_open(ends, WEFT_TRANSPORT_RC);
    ends_connect(ends, 2, ends[0].endpoint, ends[1].endpoint);
    for (uint32_t i = 0; i < SIZES; i++) {
        end_fill(&ends[0], i);
        memset(ends[1].buffer, 0, BUFFER);
        const struct weft_work work =
            end_work_to(&ends[0], WEFT_OPERATION_WRITE, sizes[i], &ends[1]);
        cr_assert_eq(driver->post_send(ends[0].endpoint, &work, 1), 1);
        cr_assert_eq(ends_await(ends, 2, &ends[0]).id, sizes[i]);
        cr_assert_eq(memcmp(ends[0].buffer, ends[1].buffer, sizes[i]), 0, "%u bytes", sizes[i]);
        cr_assert(sizes[i] == BUFFER || ends[1].buffer[sizes[i]] == 0, "%u bytes", sizes[i]);
    }
    two_close(ends);
}

static void send_arrives_whole(enum weft_operation operation)
{
    struct end ends[2];
    two_open(ends, WEFT_TRANSPORT_RC);
    ends_connect(ends, 2, ends[0].endpoint, ends[1].endpoint);
    for (uint32_t i = 0; i < SIZES; i++) {
        end_fill(&ends[1], i + 100);
        memset(ends[0].buffer, 0, BUFFER);
        const struct weft_work receive = end_work(&ends[0], WEFT_OPERATION_RECEIVE, BUFFER);
        const struct weft_work work = end_work_to(&ends[1], operation, sizes[i], &ends[0]);
        cr_assert_eq(driver->post_receive(ends[0].endpoint, &receive, 1), 1);
        cr_assert_eq(driver->post_send(ends[1].endpoint, &work, 1), 1);
        struct weft_completion completion = ends_await(ends, 2, &ends[0]);
        cr_assert_eq(completion.len_bytes, sizes[i]);
        cr_assert_eq(completion.user, 7);
        cr_assert_eq(completion.operation, WEFT_OPERATION_RECEIVE);
        cr_assert_eq(completion.has_immediate, operation == WEFT_OPERATION_WRITE_IMMEDIATE);
        cr_assert_eq(memcmp(ends[0].buffer, ends[1].buffer, sizes[i]), 0, "%u bytes", sizes[i]);
        (void)ends_await(ends, 2, &ends[1]);
    }
    two_close(ends);
}

Test(loopback, send_arrives_whole)
{
    send_arrives_whole(WEFT_OPERATION_SEND);
}

Test(loopback, write_with_immediate_arrives_whole)
{
    send_arrives_whole(WEFT_OPERATION_WRITE_IMMEDIATE);
}

Test(loopback, datagram_arrives)
{
    struct end ends[2];
    struct weft_error error = {0};
    two_open(ends, WEFT_TRANSPORT_UD);
    struct weft_endpoint_address address;
    struct weft_destination *destination = NULL;
    driver->endpoint_address(ends[1].endpoint, &address);
    cr_assert_eq(driver->destination_create(ends[0].endpoint, &address, &destination, &error),
                 WEFT_OK, "%s", error.text);
    for (uint32_t round = 0; round < 1000000; round++) {
        if (driver->destination_state(destination, &error) == WEFT_ENDPOINT_READY)
            break;
        ends_round(ends, 2);
    }
    cr_assert_eq(driver->destination_state(destination, &error), WEFT_ENDPOINT_READY, "%s",
                 error.text);
    end_fill(&ends[0], 5);
    const struct weft_work receive =
        end_work(&ends[1], WEFT_OPERATION_RECEIVE, WEFT_GRH_BYTES + 4096);
    struct weft_work work = end_work(&ends[0], WEFT_OPERATION_SEND, 4096);
    work.destination = destination;
    cr_assert_eq(driver->post_receive(ends[1].endpoint, &receive, 1), 1);
    cr_assert_eq(driver->post_send(ends[0].endpoint, &work, 1), 1);
    cr_assert_eq(ends_await(ends, 2, &ends[1]).len_bytes, WEFT_GRH_BYTES + 4096);
    cr_assert_eq(memcmp(ends[0].buffer, ends[1].buffer + WEFT_GRH_BYTES, 4096), 0);
    driver->destination_destroy(ends[0].endpoint, destination);
    two_close(ends);
}

/* What both devices say that they did to frames against what the other had of it. */
Test(loopback, faults_are_survived_and_counted)
{
    struct end ends[2];
    ends_start(2);
    for (uint32_t i = 0; i < 2; i++)
        end_open(&ends[i], &(struct end_options){.host = i + 1,
                                                 .buffer_bytes = BUFFER,
                                                 .fault = {.drop = 0.01,
                                                           .corrupt = 0.01,
                                                           .duplicate = 0.01,
                                                           .reorder = 0.01,
                                                           .delay = 0.01,
                                                           .mark = 0.01,
                                                           .delay_ns = 20000,
                                                           .seed = i}});
    ends_connect(ends, 2, ends[0].endpoint, ends[1].endpoint);
    end_fill(&ends[0], 77);
    struct weft_work work = end_work_to(&ends[0], WEFT_OPERATION_WRITE, BUFFER, &ends[1]);
    cr_assert_eq(driver->post_send(ends[0].endpoint, &work, 1), 1);
    ends_await(ends, 2, &ends[0]);
    cr_expect_eq(memcmp(ends[0].buffer, ends[1].buffer, BUFFER), 0);
    for (uint32_t idle = 0; idle < 100000; idle++)
        ends_round(ends, 2);
    for (uint32_t i = 0; i < 2; i++) {
        const struct weft_device_counters *from = driver->counters(ends[i].device);
        const struct weft_device_counters *to = driver->counters(ends[1 - i].device);
        cr_expect_eq(from->counted, WEFT_COUNTED_ALL);
        cr_expect_eq(to->received_packets,
                     from->sent_packets - from->injected_dropped + from->injected_duplicated);
        cr_expect_eq(to->icrc_errors + to->malformed_packets + to->unexpected_packets,
                     from->injected_corrupted);
    }
    const struct weft_device_counters *sender = driver->counters(ends[0].device);
    cr_expect_gt(sender->retransmitted_packets, 0);
    cr_expect_gt(sender->injected_dropped, 0);
    cr_expect_gt(sender->injected_corrupted, 0);
    cr_expect_gt(sender->injected_duplicated, 0);
    cr_expect_gt(sender->injected_reordered, 0);
    cr_expect_gt(sender->injected_delayed, 0);
    cr_expect_gt(sender->injected_marked, 0);
    for (uint32_t i = 0; i < 2; i++)
        end_close(&ends[i]);
    driver->stop(NULL);
}

Test(loopback, connecting_to_nobody_fails_in_words)
{
    struct end end;
    struct weft_error error = {0};
    ends_start(1);
    end_open(&end, &(struct end_options){.host = 1, .buffer_bytes = 64});
    struct weft_endpoint_address address;
    driver->endpoint_address(end.endpoint, &address);
    address.gid[15] = 99;
    cr_assert_eq(driver->endpoint_connect(end.endpoint, &address, &error), WEFT_OK, "%s",
                 error.text);
    for (uint32_t round = 0; round < 100000000; round++) {
        if (driver->endpoint_state(end.endpoint, &error) == WEFT_ENDPOINT_FAILED)
            break;
        ends_round(&end, 1);
    }
    cr_assert_eq(driver->endpoint_state(end.endpoint, &error), WEFT_ENDPOINT_FAILED);
    cr_expect(strstr(error.text, "10.0.0.99"), "%s", error.text);
    end_close(&end);
    driver->stop(NULL);
}

enum {
    CROWD = 64,
    CROWD_BYTES = 786432
};

/* 63 windows of packets are more than the receiver's ring holds, and one is more than what waits
 * at a sender before its ethdev takes no more. */
Test(loopback, all_to_one_loses_nothing)
{
    static struct end ends[CROWD];
    static struct weft_endpoint *at_receiver[CROWD];
    ends_start(CROWD);
    for (uint32_t i = 0; i < CROWD; i++)
        end_open(&ends[i],
                 &(struct end_options){.host = i + 1,
                                       .endpoints = i ? 1 : CROWD,
                                       .buffer_bytes = i ? CROWD_BYTES : CROWD * CROWD_BYTES});
    for (uint32_t i = 1; i < CROWD; i++) {
        at_receiver[i] = end_endpoint(&ends[0], WEFT_TRANSPORT_RC);
        ends_connect(ends, CROWD, ends[i].endpoint, at_receiver[i]);
        end_fill(&ends[i], i);
    }
    for (uint32_t i = 1; i < CROWD; i++) {
        struct weft_work work = end_work_to(&ends[i], WEFT_OPERATION_WRITE, CROWD_BYTES, &ends[0]);
        work.remote_address += (uint64_t)i * CROWD_BYTES;
        cr_assert_eq(driver->post_send(ends[i].endpoint, &work, 1), 1);
    }
    for (uint32_t i = 1; i < CROWD; i++)
        (void)ends_await(ends, CROWD, &ends[i]);
    uint64_t pauses = 0;
    for (uint32_t i = 0; i < CROWD; i++) {
        const struct weft_device_counters *counters = driver->counters(ends[i].device);
        cr_expect_eq(counters->receive_dropped, 0);
        cr_expect_eq(counters->retransmitted_packets, 0);
        cr_expect_eq(counters->out_of_order_packets, 0);
        pauses += weft_dpdk_pauses(ends[i].device);
        if (i)
            cr_expect_eq(
                memcmp(ends[i].buffer, ends[0].buffer + (size_t)i * CROWD_BYTES, CROWD_BYTES), 0,
                "from %u", i);
    }
    cr_expect_gt(pauses, 0, "the receiver's ring was never full: nothing was tested");
    for (uint32_t i = 1; i < CROWD; i++)
        driver->endpoint_destroy(ends[0].device, at_receiver[i]);
    for (uint32_t i = 0; i < CROWD; i++)
        end_close(&ends[i]);
    driver->stop(NULL);
}

Test(loopback, addresses_are_given_out_and_taken_back)
{
    struct weft_error error = {0};
    struct weft_device *devices[20] = {0};
    struct weft_device *more = NULL;
    ends_start(20);
    const struct weft_device_options options = {
        .device = "loopback", .max_endpoints = 1, .max_regions = 1};
    for (uint32_t i = 0; i < 20; i++)
        cr_assert_eq(driver->open(&options, &devices[i], &error), WEFT_OK, "%s", error.text);
    cr_expect(strstr(driver->describe(devices[19]), "198.18.0.20"), "%s",
              driver->describe(devices[19]));
    cr_expect_eq(driver->open(&options, &more, &error), WEFT_INVALID);
    driver->close(devices[3]);
    cr_expect_eq(driver->open(&options, &devices[3], &error), WEFT_OK, "%s", error.text);
    driver->close(devices[4]);
    struct weft_device_options same = options;
    same.address = (struct weft_ip){.version = 4, .prefix_bits = 15, .bytes = {198, 18, 0, 1}};
    cr_expect_eq(driver->open(&same, &devices[4], &error), WEFT_EXISTS);
    for (uint32_t i = 0; i < 20; i++)
        if (i != 4)
            driver->close(devices[i]);
    driver->stop(NULL);
}

Test(loopback, says_what_it_can)
{
    struct end end;
    struct weft_capabilities can;
    ends_start(1);
    end_open(&end, &(struct end_options){.host = 1, .buffer_bytes = 64});
    driver->capabilities(end.device, &can);
    cr_expect_eq(can.mtu_bytes, 4096);
    cr_expect_eq(can.max_endpoints, 1);
    cr_expect_eq(can.header_bytes, 58);
    cr_expect(can.transports & WEFT_BIT(WEFT_TRANSPORT_UD));
    end_close(&end);
    driver->stop(NULL);
}

static void note(void *context, const struct weft_device_description *device)
{
    bool *found = context;
    if (strcmp(device->name, "loopback") == 0)
        *found = device->hindrance == NULL;
}

Test(list, works_without_start)
{
    bool found = false;
    driver->list(note, &found);
    cr_assert(found);
}
