/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/dpdk/capture.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/dpdk/capture_file.h"
#include "drivers/roce/roce.h"

enum {
    CAPTURES_MAX = 1024
};

/* Records lie at multiples of 16, so that a header never wraps. */
struct record {
    uint64_t time_ns;
    uint32_t len_bytes;       /* that follow */
    uint32_t frame_len_bytes; /* on the line */
};
#define RECORD_BYTES(len_bytes) ((sizeof(struct record) + (len_bytes) + 15u) & ~(uint64_t)15u)

static struct {
    struct weft_capture *captures[CAPTURES_MAX];
    uint32_t count;
} open_now;

enum weft_status weft_capture_open(const struct weft_capture_options *options,
                                   struct weft_capture **ret_capture, struct weft_error *error)
{
    const char *open_path = weft_capture_file_path();
    if (open_path && strcmp(options->path, open_path) != 0)
        return weft_error_set(error, WEFT_INVALID,
                              "one process writes one capture: '%s' is open, '%s' cannot be",
                              open_path, options->path);
    if (open_now.count == CAPTURES_MAX)
        return weft_error_set(error, WEFT_UNSUPPORTED, "at most %d devices can be captured",
                              CAPTURES_MAX);
    struct weft_capture *capture = calloc(1, sizeof(*capture));
    if (capture)
        capture->bytes = aligned_alloc(64, WEFT_CAPTURE_RING_BYTES);
    if (!capture || !capture->bytes) {
        free(capture);
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for the capture");
    }
    enum weft_status status = open_path ? WEFT_OK : weft_capture_file_open(options->path, error);
    if (status) {
        free(capture->bytes);
        free(capture);
        return status;
    }
    capture->utc_offset_ns = options->utc_offset_ns;
    capture->interface = weft_capture_file_interface(options->name);
    open_now.captures[open_now.count++] = capture;
    *ret_capture = capture;
    return WEFT_OK;
}

bool weft_capture_has_room(const struct weft_capture *capture, uint32_t frames)
{
    uint64_t used = atomic_load_explicit(&capture->written, memory_order_relaxed) -
                    atomic_load_explicit(&capture->taken, memory_order_acquire);
    return used + frames * RECORD_BYTES(WEFT_ROCE_FRAME_MAX) <= WEFT_CAPTURE_RING_BYTES;
}

/* Copies into the ring at a count of bytes, in two pieces where the end of the ring is met. */
static void copy_in(struct weft_capture *capture, uint64_t at, const void *data, uint32_t len_bytes)
{
    uint32_t offset = (uint32_t)(at & (WEFT_CAPTURE_RING_BYTES - 1));
    uint32_t first = WEFT_CAPTURE_RING_BYTES - offset;
    if (first > len_bytes)
        first = len_bytes;
    memcpy(capture->bytes + offset, data, first);
    memcpy(capture->bytes, (const uint8_t *)data + first, len_bytes - first);
}

static void copy_out(const struct weft_capture *capture, uint64_t at, void *data,
                     uint32_t len_bytes)
{
    uint32_t offset = (uint32_t)(at & (WEFT_CAPTURE_RING_BYTES - 1));
    uint32_t first = WEFT_CAPTURE_RING_BYTES - offset;
    if (first > len_bytes)
        first = len_bytes;
    memcpy(data, capture->bytes + offset, first);
    memcpy((uint8_t *)data + first, capture->bytes, len_bytes - first);
}

void weft_capture_put(struct weft_capture *capture, const uint8_t *frame, uint32_t len_bytes,
                      uint64_t now_ns)
{
    uint32_t frame_len_bytes = len_bytes;
    /* has_room has counted with frames of RoCE's largest; a foreign one may be longer. */
    if (len_bytes > WEFT_ROCE_FRAME_MAX)
        len_bytes = WEFT_ROCE_FRAME_MAX;
    uint64_t at = atomic_load_explicit(&capture->written, memory_order_relaxed);
    assert(weft_capture_has_room(capture, 1));
    const struct record record = {
        .time_ns = now_ns, .len_bytes = len_bytes, .frame_len_bytes = frame_len_bytes};
    copy_in(capture, at, &record, sizeof(record));
    copy_in(capture, at + sizeof(record), frame, len_bytes);
    atomic_store_explicit(&capture->written, at + RECORD_BYTES(len_bytes), memory_order_release);
}

/* What the writer sees of one ring during one pass. */
struct view {
    struct weft_capture *capture;
    uint64_t end;
    uint64_t until_ns;
    struct record head;
};

/* Takes up the next record; false: there is none. */
static bool load_head(struct view *view)
{
    uint64_t at = atomic_load_explicit(&view->capture->taken, memory_order_relaxed);
    if (at == view->end)
        return false;
    copy_out(view->capture, at, &view->head, sizeof(view->head));
    return true;
}

static void write_head(struct view *view)
{
    uint8_t frame[WEFT_ROCE_FRAME_MAX];
    uint64_t at = atomic_load_explicit(&view->capture->taken, memory_order_relaxed);
    uint32_t len_bytes = view->head.len_bytes;
    assert(len_bytes <= sizeof(frame));
    copy_out(view->capture, at + sizeof(view->head), frame, len_bytes);
    const struct weft_capture_packet packet = {
        .interface = view->capture->interface,
        .time_ns = view->head.time_ns + view->capture->utc_offset_ns,
        .frame = frame,
        .len_bytes = len_bytes,
        .line_len_bytes = view->head.frame_len_bytes,
    };
    weft_capture_file_packet(&packet);
    atomic_store_explicit(&view->capture->taken, at + RECORD_BYTES(len_bytes),
                          memory_order_release);
}

static uint32_t take_views(struct view *views, uint64_t *ret_limit_ns, bool *ret_crowded)
{
    uint64_t limit_ns = UINT64_MAX;
    bool crowded = false;
    uint32_t count = 0;
    for (uint32_t i = 0; i < open_now.count; i++) {
        struct weft_capture *capture = open_now.captures[i];
        struct view *view = &views[count];
        *view = (struct view){.capture = capture};
        /* Its time before its end: what comes between the two is not left out wrongly. */
        view->until_ns = atomic_load_explicit(&capture->until_ns, memory_order_acquire);
        view->end = atomic_load_explicit(&capture->written, memory_order_acquire);
        if (view->until_ns && view->until_ns < limit_ns)
            limit_ns = view->until_ns;
        if (!load_head(view))
            continue;
        crowded |= view->end - atomic_load(&capture->taken) > WEFT_CAPTURE_RING_BYTES / 2;
        count++;
    }
    *ret_limit_ns = limit_ns;
    *ret_crowded = crowded;
    return count;
}

static uint32_t earliest(const struct view *views, uint32_t count)
{
    uint32_t found = 0;
    for (uint32_t i = 1; i < count; i++)
        if (views[i].head.time_ns < views[found].head.time_ns)
            found = i;
    return found;
}

/* Up to the time that every device has passed, so that the file is in order; all, where `all` is
 * asked for, or a ring is half full because a device has stopped being polled. */
static void write_records(bool all)
{
    static struct view views[CAPTURES_MAX];
    uint64_t limit_ns = 0;
    bool crowded = false;
    uint32_t count = take_views(views, &limit_ns, &crowded);
    while (count) {
        uint32_t at = earliest(views, count);
        if (!all && !crowded && views[at].head.time_ns > limit_ns)
            return;
        write_head(&views[at]);
        if (!load_head(&views[at]))
            views[at] = views[--count];
    }
}

enum weft_status weft_capture_write(struct weft_error *error)
{
    write_records(false);
    return weft_capture_file_flush(error);
}

void weft_capture_close(struct weft_capture *capture)
{
    if (!capture)
        return;
    write_records(true);
    /* A failure stays with the file, and stop tells it. */
    enum weft_status flushed = weft_capture_file_flush(NULL);
    (void)flushed;
    for (uint32_t i = 0; i < open_now.count; i++)
        if (open_now.captures[i] == capture)
            open_now.captures[i] = open_now.captures[--open_now.count];
    free(capture->bytes);
    free(capture);
}

enum weft_status weft_capture_stop(struct weft_error *error)
{
    assert(open_now.count == 0);
    return weft_capture_file_close(error);
}
