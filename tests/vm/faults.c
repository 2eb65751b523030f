/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/vm/faults.h"

#include <string.h>

#include "drivers/verbs/verbs.h"

static const struct weft_driver *const driver = &weft_driver_verbs;

/* The sender's endpoint has failed and says so. */
static bool told(const struct end *end, enum weft_status status)
{
    struct weft_error error = {0};
    return driver->endpoint_state(end->endpoint, &error) == WEFT_ENDPOINT_FAILED &&
           error.status == status && strstr(error.text, weft_status_text(status));
}

static void fails(struct end *a, struct end *b, const struct weft_work *work,
                  enum weft_status expected, const char *what)
{
    bool done = end_post(a, work) && ends_run(a, 1, b, 0);
    const struct weft_completion *completion = &a->completions[0];
    check(done && completion->status == expected && completion->id == work->id &&
              completion->operation == work->operation && told(a, expected),
          "%s: %u completions, %s", what, a->completion_count,
          weft_status_text(completion->status));
}

static void wrong_key(struct end *a, struct end *b)
{
    if (!ends_connect(a, b))
        return;
    struct weft_work work = end_work(a, b, WEFT_OPERATION_WRITE, 100);
    work.rkey ^= 0x55;
    work.unsignaled = true; /* a failure is told nevertheless */
    end_clear(b);
    fails(a, b, &work, WEFT_REMOTE_ACCESS, "wrong rkey");
    check(b->memory[END_HALF] == 0, "a write with a wrong rkey reached memory");

    /* What is posted to a failed endpoint comes back. */
    end_forget(a);
    work.unsignaled = false;
    bool done = end_post(a, &work) && ends_run(a, 1, b, 0);
    check(done && a->completions[0].status == WEFT_FLUSHED, "post after a failure");
}

static void beyond_region(struct end *a, struct end *b)
{
    if (!ends_connect(a, b))
        return;
    struct weft_work work = end_work(a, b, WEFT_OPERATION_WRITE, 100);
    work.remote_address = (uintptr_t)b->memory + 2 * END_HALF - 50;
    fails(a, b, &work, WEFT_REMOTE_ACCESS, "write beyond the region");
}

/* IBTA vol. 1, 11.6.2 has it a local protection error; rxe calls it one of the queue pair. */
static void wrong_local_key(struct end *a, struct end *b)
{
    if (!ends_connect(a, b))
        return;
    struct weft_work work = end_work(a, b, WEFT_OPERATION_WRITE, 100);
    work.lkey ^= 0x55;
    bool done = end_post(a, &work) && ends_run(a, 1, b, 0);
    enum weft_status status = a->completions[0].status;
    check(done && (status == WEFT_LOCAL_PROTECTION || status == WEFT_IO) && told(a, status),
          "wrong lkey: %s", weft_status_text(status));
}

/* The receiver has room for less than comes; what it had posted behind is flushed. By the IBTA it
 * is a length error and an invalid request; rxe has an error of the queue pair and of the
 * operation. */
static void short_receive(struct end *a, struct end *b)
{
    if (!ends_connect(a, b))
        return;
    struct weft_work small = end_receive(b, 10), next = end_receive(b, 100);
    struct weft_work work = end_work(a, b, WEFT_OPERATION_SEND, 100);
    end_clear(b);
    bool done = end_post_receive(b, &small) && end_post_receive(b, &next) && end_post(a, &work) &&
                ends_run(a, 1, b, 2);
    enum weft_status sent = a->completions[0].status, received = b->completions[0].status;
    check(done && (sent == WEFT_REMOTE_INVALID_REQUEST || sent == WEFT_REMOTE_OPERATION) &&
              (received == WEFT_LOCAL_LENGTH || received == WEFT_IO) &&
              b->completions[0].id == small.id && b->completions[1].status == WEFT_FLUSHED &&
              b->completions[1].id == next.id,
          "short receive: sender %s, receiver %s, then %s (%u, %u)", weft_status_text(sent),
          weft_status_text(received), weft_status_text(b->completions[1].status),
          a->completion_count, b->completion_count);
    check(b->memory[END_HALF + 10] == 0, "a short receive was overrun");
}

/* A send that comes before its receive waits for it: the NAKs are counted. */
static void late_receive(struct end *a, struct end *b)
{
    if (!ends_connect(a, b))
        return;
    struct weft_work work = end_work(a, b, WEFT_OPERATION_SEND, 100);
    struct weft_work receive = end_receive(b, 100);
    uint64_t before = driver->counters(a->device)->rnr_naks_received;
    bool done = end_post(a, &work);
    uint64_t naks = 0;
    for (uint32_t turn = 0; naks == 0 && turn < 100000; turn++) {
        (void)ends_run(a, 0, b, 0);
        naks = driver->counters(a->device)->rnr_naks_received - before;
    }
    done = done && end_post_receive(b, &receive) && ends_run(a, 1, b, 1);
    check(done && naks > 0 && a->completions[0].status == WEFT_OK &&
              b->completions[0].status == WEFT_OK,
          "receive after its send: %llu NAKs", (unsigned long long)naks);
}

/* Nobody answers: the retries end, and the sender is told. */
static void lost_peer(struct end *a, struct end *b)
{
    if (!ends_connect(a, b))
        return;
    struct weft_work work = end_work(a, b, WEFT_OPERATION_WRITE, 100);
    end_endpoint_destroy(b);
    fails(a, b, &work, WEFT_RETRY_EXCEEDED, "lost peer");
}

/* Completions that nobody took before their endpoint went must not turn up at the next one, which
 * lies in the same place of the device's table. */
static void leftovers(struct end *a, struct end *b)
{
    if (!ends_connect(a, b))
        return;
    struct weft_work work = end_work(a, b, WEFT_OPERATION_WRITE, 100);
    bool posted = true;
    for (uint32_t i = 0; i < END_DEPTH / 2; i++)
        posted = posted && end_post(a, &work);
    /* The last has arrived: the first have completed, and nobody has looked. */
    end_clear(b);
    work.remote_address += 4096;
    a->memory[0] = 0xa5;
    posted = posted && end_post(a, &work) && end_wait_byte(b, 4096, 0xa5);
    driver->endpoint_destroy(a->device, a->endpoint);
    a->endpoint = NULL;
    bool connected = ends_connect(a, b);
    work.id = 4711;
    check(posted && connected && end_post(a, &work) && ends_run(a, 1, b, 0) &&
              a->completions[0].id == 4711 && a->completions[0].status == WEFT_OK,
          "completions of a destroyed endpoint: %u came", a->completion_count);
}

void faults(struct end *a, struct end *b)
{
    wrong_key(a, b);
    beyond_region(a, b);
    wrong_local_key(a, b);
    short_receive(a, b);
    late_receive(a, b);
    lost_peer(a, b);
    leftovers(a, b);
    end_endpoint_destroy(a);
    end_endpoint_destroy(b);
}

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
    refuses(&options, WEFT_UNSUPPORTED, "memory regions: 4294967295 asked");
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
              strstr(error.text, "32768 asked, the device has 32767"),
          "queue too deep: %s", error.text);
    check(driver->cq_create(device, 4, &cq, &error) == WEFT_OK, "queue: %s", error.text);
    struct weft_endpoint_options deep = {.cq = cq, .send_depth = UINT32_MAX, .receive_depth = 1};
    struct weft_endpoint_options fair = {.cq = cq, .send_depth = 1, .receive_depth = 1};
    struct weft_endpoint *endpoint = NULL, *second = NULL;
    check(driver->endpoint_create(device, &deep, &endpoint, &error) == WEFT_UNSUPPORTED &&
              strstr(error.text, "send depth: 4294967295 asked"),
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

void refusals(void)
{
    device_refusals();
    depth_refusals();
}
