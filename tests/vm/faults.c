/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/vm/faults.h"

#include <string.h>

#include "tests/vm/traffic.h"

/* The sender's endpoint has failed and says so; which words are the driver's. */
static bool told(const struct end *end)
{
    struct weft_error error = {0};
    return end->driver->endpoint_state(end->endpoint, &error) == WEFT_ENDPOINT_FAILED &&
           error.status != WEFT_OK && error.text[0] != '\0';
}

static void fails(struct end *a, struct end *b, const struct weft_work *work,
                  enum weft_status expected, const char *what)
{
    bool done = end_post(a, work) && ends_run(a, 1, b, 0);
    const struct weft_completion *completion = &a->completions[0];
    check(done && completion->status == expected && completion->id == work->id &&
              completion->operation == work->operation && told(a),
          "%s: %u completions, %s", what, a->completion_count,
          weft_status_text(completion->status));
}

/* The responder's queue pair has failed as well: what was posted there comes back. (Flushed; or
 * with the error where it was the one that the bad request would have taken.) */
static void fails_both(struct end *a, struct end *b, const struct weft_work *work,
                       enum weft_status expected, const char *what)
{
    struct weft_work receive = end_receive(b, 0);
    bool posted = end_post_receive(b, &receive);
    bool done = posted && end_post(a, work) && ends_run(a, 1, b, 1);
    const struct weft_completion *completion = &a->completions[0];
    check(done && completion->status == expected && completion->id == work->id &&
              completion->operation == work->operation && told(a) &&
              b->completions[0].id == receive.id &&
              (b->completions[0].status == WEFT_FLUSHED ||
               (b->completions[0].status != WEFT_OK &&
                work->operation == WEFT_OPERATION_WRITE_IMMEDIATE)),
          "%s of %s: %u completions, %s; the other end %u, %s", what,
          operation_text(work->operation), a->completion_count,
          weft_status_text(completion->status), b->completion_count,
          weft_status_text(b->completions[0].status));
}

static struct weft_work work_of(const struct end *a, const struct end *b,
                                enum weft_operation operation)
{
    bool atomic = operation == WEFT_OPERATION_COMPARE_SWAP || operation == WEFT_OPERATION_FETCH_ADD;
    return end_work(a, b, operation, atomic ? 8 : 100);
}

static void wrong_key(struct end *a, struct end *b, enum weft_operation operation)
{
    if (!ends_connect(a, b))
        return;
    struct weft_work work = work_of(a, b, operation);
    work.rkey ^= 0x55;
    work.operand = 1;
    work.unsignaled = true; /* a failure is told nevertheless */
    end_fill_some(a, 1, 4096);
    end_fill_some(b, 2, 4096);
    memset(a->sink, 0, 4096);
    memset(b->sink, 0, 4096);
    fails_both(a, b, &work, WEFT_REMOTE_ACCESS, "wrong rkey");
    check(b->sink[0] == 0 && a->sink[0] == 0, "%s with a wrong rkey reached memory",
          operation_text(operation));

    /* What is posted to a failed endpoint comes back. */
    end_forget(a);
    end_forget(b);
    work.unsignaled = false;
    bool done = end_post(a, &work) && ends_run(a, 1, b, 0);
    check(done && a->completions[0].status == WEFT_FLUSHED, "post after a failure of %s",
          operation_text(operation));
}

static void beyond_region(struct end *a, struct end *b, enum weft_operation operation)
{
    if (!ends_connect(a, b))
        return;
    struct weft_work work = work_of(a, b, operation);
    work.remote_address = (uintptr_t)b->memory + 2 * b->half_bytes - (work.len_bytes > 8 ? 50 : 0);
    fails_both(a, b, &work, WEFT_REMOTE_ACCESS, "beyond the region");
}

/* IBTA vol. 1, 9.4.5: the eight bytes are aligned. rxe's library refuses to post such a work. */
static void misaligned(struct end *a, struct end *b, enum weft_operation operation)
{
    if (!ends_connect(a, b))
        return;
    struct weft_work work = work_of(a, b, operation);
    work.remote_address += 4;
    work.operand = 1;
    memset(b->sink, 0, 64);
    bool done = end_post(a, &work) && ends_run(a, 1, b, 0);
    enum weft_status status = a->completions[0].status;
    check(done && (status == WEFT_REMOTE_INVALID_REQUEST || status == WEFT_IO) && told(a) &&
              b->sink[4] == 0 && b->sink[11] == 0,
          "misaligned %s: %u completions, %s", operation_text(operation), a->completion_count,
          weft_status_text(status));
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
    check(done && (status == WEFT_LOCAL_PROTECTION || status == WEFT_IO) && told(a),
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
    memset(b->sink, 0, 4096);
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
    check(b->sink[10] == 0, "a short receive was overrun");
}

/* A send that comes before its receive waits for it: the NAKs are counted. */
static void late_receive(struct end *a, struct end *b)
{
    if (!ends_connect(a, b))
        return;
    struct weft_work work = end_work(a, b, WEFT_OPERATION_SEND, 100);
    struct weft_work receive = end_receive(b, 100);
    uint64_t before = a->driver->counters(a->device)->rnr_naks_received;
    bool done = end_post(a, &work);
    uint64_t naks = 0;
    for (uint32_t turn = 0; naks == 0 && turn < 100000; turn++) {
        (void)ends_run(a, 0, b, 0);
        naks = a->driver->counters(a->device)->rnr_naks_received - before;
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
void leftovers(struct end *a, struct end *b)
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
    a->driver->endpoint_destroy(a->device, a->endpoint);
    a->endpoint = NULL;
    bool connected = ends_connect(a, b);
    work.id = 4711;
    check(posted && connected && end_post(a, &work) && ends_run(a, 1, b, 0) &&
              a->completions[0].id == 4711 && a->completions[0].status == WEFT_OK,
          "completions of a destroyed endpoint: %u came", a->completion_count);
}

void faults(struct end *a, struct end *b)
{
    static const enum weft_operation remote[] = {
        WEFT_OPERATION_WRITE, WEFT_OPERATION_WRITE_IMMEDIATE, WEFT_OPERATION_READ,
        WEFT_OPERATION_COMPARE_SWAP, WEFT_OPERATION_FETCH_ADD};
    for (size_t i = 0; i < sizeof(remote) / sizeof(remote[0]); i++) {
        wrong_key(a, b, remote[i]);
        beyond_region(a, b, remote[i]);
    }
    misaligned(a, b, WEFT_OPERATION_COMPARE_SWAP);
    misaligned(a, b, WEFT_OPERATION_FETCH_ADD);
    wrong_local_key(a, b);
    short_receive(a, b);
    late_receive(a, b);
    lost_peer(a, b);
    end_endpoint_destroy(a);
    end_endpoint_destroy(b);
}
