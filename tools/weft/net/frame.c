/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/net/frame.h"

#include <stdlib.h>
#include <string.h>

#include "fabric/control/control.h"

/* What a reader keeps between frames; a larger one's memory is given back. */
#define KEPT_BYTES (UINT64_C(1) << 20)

void weft_frame_reader_fini(struct weft_frame_reader *reader)
{
    free(reader->message);
    reader->message = NULL;
    reader->header_bytes = 0;
    reader->message_bytes = 0;
    reader->filled_bytes = 0;
    reader->room_bytes = 0;
}

bool weft_frame_reader_within(const struct weft_frame_reader *reader)
{
    bool whole = reader->header_bytes == WEFT_FRAME_HEADER_BYTES &&
                 reader->filled_bytes == reader->message_bytes;
    return reader->header_bytes > 0 && !whole;
}

static void begin(struct weft_frame_reader *reader)
{
    reader->header_bytes = 0;
    reader->message_bytes = 0;
    reader->filled_bytes = 0;
    if (reader->room_bytes > KEPT_BYTES)
        weft_frame_reader_fini(reader);
}

static size_t take_header(struct weft_frame_reader *reader, const uint8_t *bytes, size_t len_bytes)
{
    size_t used = 0;
    while (used < len_bytes && reader->header_bytes < WEFT_FRAME_HEADER_BYTES)
        reader->header[reader->header_bytes++] = bytes[used++];
    if (reader->header_bytes == WEFT_FRAME_HEADER_BYTES)
        for (uint32_t i = 0; i < WEFT_FRAME_HEADER_BYTES; i++)
            reader->message_bytes = reader->message_bytes << 8 | reader->header[i];
    return used;
}

static enum weft_status make_room(struct weft_frame_reader *reader, size_t len_bytes,
                                  struct weft_error *error)
{
    if (len_bytes <= reader->room_bytes)
        return WEFT_OK;
    size_t room = reader->room_bytes ? reader->room_bytes : 4096;
    while (room < len_bytes)
        room *= 2;
    uint8_t *message = realloc(reader->message, room);
    if (!message)
        return weft_error_set(error, WEFT_NO_MEMORY, "no memory for a message of %zu bytes",
                              len_bytes);
    reader->message = message;
    reader->room_bytes = room;
    return WEFT_OK;
}

enum weft_status weft_frame_reader_take(struct weft_frame_reader *reader, const uint8_t *bytes,
                                        size_t len_bytes, size_t *ret_used,
                                        struct weft_error *error)
{
    if (!weft_frame_reader_within(reader) && reader->header_bytes)
        begin(reader);
    size_t used = 0;
    if (reader->header_bytes < WEFT_FRAME_HEADER_BYTES)
        used = take_header(reader, bytes, len_bytes);
    *ret_used = used;
    if (reader->header_bytes < WEFT_FRAME_HEADER_BYTES)
        return WEFT_AGAIN;
    if (reader->message_bytes > WEFT_FRAME_BYTES_MAX)
        return weft_error_set(error, WEFT_INVALID,
                              "announced a message of %u bytes; the limit is %u",
                              reader->message_bytes, WEFT_FRAME_BYTES_MAX);

    size_t take = reader->message_bytes - reader->filled_bytes;
    if (take > len_bytes - used)
        take = len_bytes - used;
    enum weft_status status = make_room(reader, reader->filled_bytes + take, error);
    if (status != WEFT_OK)
        return status;
    if (take)
        memcpy(reader->message + reader->filled_bytes, bytes + used, take);
    reader->filled_bytes += take;
    *ret_used = used + take;
    return reader->filled_bytes == reader->message_bytes ? WEFT_OK : WEFT_AGAIN;
}
