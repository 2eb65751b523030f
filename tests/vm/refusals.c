/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "drivers/verbs/verbs.h"
#include "tests/vm/end.h"
#include "tests/vm/faults.h"

static const struct weft_driver *const driver = &weft_driver_verbs;

static void refuses(const struct weft_device_options *options, enum weft_status expected,
                    const char *word)
{
    struct weft_error error = {0};
    struct weft_device *device = NULL;
    enum weft_status status = driver->open(options, &device, &error);
    check(status == expected && !device && strstr(error.text, word),
          "'%s' should be refused with '%s': %s", options->device, word, error.text);
    driver->close(device);
}

static void device_refusals(void)
{
    struct weft_device_options good = {.device = "rxe0", .max_endpoints = 1, .max_regions = 1};
    struct weft_device_options options = good;
    options.device = "rxe9";
    refuses(&options, WEFT_NOT_FOUND, "rxe0, rxe1");
    options.device = "rxe0:2";
    refuses(&options, WEFT_NOT_FOUND, "the device has 1 port");
    options.device = "rxe0:x";
    refuses(&options, WEFT_INVALID, "a port from 1 to 254");
    options = good;
    options.address = (struct weft_ip){.version = 4, .bytes = {10, 9, 8, 7}};
    refuses(&options, WEFT_NOT_FOUND, "::ffff:198.18.1.1");
    options = good;
    options.mtu_bytes = 1500;
    refuses(&options, WEFT_INVALID, "1500 is not a path MTU");
    options = good;
    options.max_regions = UINT32_MAX;
    refuses(&options, WEFT_UNSUPPORTED, "memory regions: 4294967295 requested");
    options = good;
    options.pcap_path = "x.pcap";
    refuses(&options, WEFT_UNSUPPORTED, "x.pcap");
}

static void depth_refusals(void)
{
    struct weft_error error = {0};
    struct weft_device *device = NULL;
    struct weft_cq *cq = NULL;
    struct weft_device_options options = {.device = "rxe0", .max_endpoints = 1, .max_regions = 1};
    struct weft_capabilities capabilities;
    if (!check(driver->open(&options, &device, &error) == WEFT_OK, "open: %s", error.text))
        return;
    driver->capabilities(device, &capabilities);
    check(driver->cq_create(device, capabilities.max_cq_depth + 1, &cq, &error) ==
                  WEFT_UNSUPPORTED &&
              strstr(error.text, "32768 requested, the device has 32767"),
          "queue too deep: %s", error.text);
    check(driver->cq_create(device, 4, &cq, &error) == WEFT_OK, "queue: %s", error.text);
    struct weft_endpoint_options deep = {.cq = cq, .send_depth = UINT32_MAX, .receive_depth = 1};
    struct weft_endpoint_options fair = {.cq = cq, .send_depth = 1, .receive_depth = 1};
    struct weft_endpoint *endpoint = NULL, *second = NULL;
    check(driver->endpoint_create(device, &deep, &endpoint, &error) == WEFT_UNSUPPORTED &&
              strstr(error.text, "send depth: 4294967295 requested"),
          "endpoint too deep: %s", error.text);
    check(driver->endpoint_create(device, &fair, &endpoint, &error) == WEFT_OK, "endpoint: %s",
          error.text);
    check(driver->endpoint_create(device, &fair, &second, &error) == WEFT_UNSUPPORTED &&
              strstr(error.text, "beyond the 1"),
          "one endpoint too many: %s", error.text);
    driver->endpoint_destroy(device, endpoint);
    driver->cq_destroy(device, cq);
    driver->close(device);
}

/* The kernel finds nobody at that address; what another endpoint has to wait for in turn is given
 * up with its endpoint. */
static void nobody_there(void)
{
    struct end end;
    struct weft_error error = {0};
    struct weft_endpoint *second = NULL;
    const struct end_options options = {.name = "rxe0", .driver = driver, .device = "rxe0"};
    if (!end_open(&end, &options) || !end_endpoint(&end, WEFT_TRANSPORT_RC))
        return;
    const struct weft_endpoint_options like = {
        .cq = end.cq, .send_depth = 4, .receive_depth = 4, .read_depth = 1};
    struct weft_endpoint_address peer;
    driver->endpoint_address(end.endpoint, &peer);
    memcpy(peer.gid, (const uint8_t[16]){[10] = 0xff, 0xff, 198, 18, 1, 77}, sizeof(peer.gid));
    check(driver->endpoint_create(end.device, &like, &second, &error) == WEFT_OK &&
              driver->endpoint_connect(end.endpoint, &peer, &error) == WEFT_OK &&
              driver->endpoint_connect(second, &peer, &error) == WEFT_OK &&
              driver->endpoint_state(end.endpoint, &error) == WEFT_ENDPOINT_CONNECTING,
          "connecting to nobody: %s", error.text);
    driver->endpoint_destroy(end.device, second);
    uint64_t deadline_ns = end_patience();
    while (end_patient(deadline_ns) &&
           driver->endpoint_state(end.endpoint, &error) == WEFT_ENDPOINT_CONNECTING)
        end_turn(&end);
    check(driver->endpoint_state(end.endpoint, &error) == WEFT_ENDPOINT_FAILED &&
              strstr(error.text, "no path to ::ffff:198.18.1.77") && strstr(error.text, "ping"),
          "nobody at the address: %s", error.text);
    end_close(&end);
}

void refusals(void)
{
    device_refusals();
    depth_refusals();
    nobody_there();
}
