/* SPDX-License-Identifier: BSD-3-Clause */
/* What the driver says on a host without RDMA devices. */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "drivers/verbs/verbs.h"

static unsigned lines;

static void look(void *context, const struct weft_device_description *device)
{
    (void)context;
    lines++;
    cr_assert(device->name && device->detail);
    cr_assert(device->hindrance && strstr(device->hindrance, "rdma link add"));
}

static bool host_has_devices(void)
{
    return access("/sys/class/infiniband", F_OK) == 0;
}

Test(driver, says_how_to_get_a_device_where_there_is_none)
{
    if (host_has_devices())
        cr_skip("this host has RDMA devices");
    struct weft_error error = {0};
    struct weft_driver_start start = {.device_count = 1};
    cr_assert_eq(weft_driver_verbs.start(&start, &error), WEFT_NOT_FOUND);
    cr_assert(strstr(error.text, "rdma link add"));
    weft_driver_verbs.list(look, NULL);
    cr_assert_eq(lines, 1);
}

static void refused(const struct weft_device_options *options, const char *remedy)
{
    struct weft_error error = {0};
    struct weft_device *device = NULL;
    cr_assert_eq(weft_driver_verbs.open(options, &device, &error), WEFT_UNSUPPORTED, "%s",
                 error.text);
    cr_assert_null(device);
    cr_assert(strstr(error.text, remedy), "%s", error.text);
}

/* Rather than run without it. */
Test(driver, refuses_what_only_software_does_to_packets)
{
    const struct weft_device_options plain = {
        .device = "mlx5_0", .max_endpoints = 2, .max_regions = 1};
    struct weft_device_options options = plain;
    options.fault.drop = 0.01;
    refused(&options, "give the faults to the dpdk ranks");
    options = plain;
    options.fault.mark = 1;
    refused(&options, "give the faults to the dpdk ranks");
    options = plain;
    options.congestion.control = WEFT_CONGESTION_DCQCN;
    refused(&options, "its vendor's tools");
    options = plain;
    options.vlan_id = 7;
    refused(&options, "type vlan id 7");
    options = plain;
    options.rate_bps = 1000;
    refused(&options, "use the dpdk driver");
}

Test(driver, open_without_devices_fails_whole)
{
    if (host_has_devices())
        cr_skip("this host has RDMA devices");
    struct weft_error error = {0};
    struct weft_device *device = NULL;
    struct weft_device_options options = {.device = "mlx5_0", .max_endpoints = 2, .max_regions = 1};
    cr_assert_eq(weft_driver_verbs.open(&options, &device, &error), WEFT_NOT_FOUND);
    cr_assert_null(device);
    cr_assert(strstr(error.text, "mlx5_0 port 1: no RDMA device"), "%s", error.text);
}
