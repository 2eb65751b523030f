/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/control/wire.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/base/utf8.h"

/* Unpacked, a message takes a few times its bytes: 8 for a packed number of one byte, some 300 for
 * an address of 60. More than this is not a message of ours. */
#define UNPACKED_TIMES 16u
#define UNPACKED_FLOOR_BYTES (64u << 10)
#define UNPACKED_CEILING_BYTES (256u << 20)

#define UTF8_BYTES_MAX 4u

void weft_wire_fini(struct weft_wire *wire)
{
    free(wire->frame);
    wire->frame = NULL;
    wire->capacity_bytes = 0;
}

static bool reserve(struct weft_wire *wire, size_t len_bytes)
{
    if (len_bytes <= wire->capacity_bytes)
        return true;
    uint8_t *frame = realloc(wire->frame, len_bytes);
    if (!frame)
        return false;
    wire->frame = frame;
    wire->capacity_bytes = len_bytes;
    return true;
}

enum weft_status weft_wire_send(struct weft_wire *wire, uint32_t peer,
                                const Weft__Envelope *envelope, struct weft_error *error)
{
    size_t len_bytes = weft__envelope__get_packed_size(envelope);
    if (len_bytes > WEFT_FRAME_BYTES_MAX)
        return weft_error_set(
            error, WEFT_INVALID,
            "the message '%s' would take %zu bytes, more than %u: use fewer ranks for each agent",
            weft_wire_name(envelope->body_case), len_bytes, WEFT_FRAME_BYTES_MAX);
    if (!reserve(wire, WEFT_FRAME_HEADER_BYTES + len_bytes))
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for the message '%s'",
                              weft_wire_name(envelope->body_case));
    weft_frame_header((uint32_t)len_bytes, wire->frame);
    size_t packed_bytes = weft__envelope__pack(envelope, wire->frame + WEFT_FRAME_HEADER_BYTES);
    assert(packed_bytes == len_bytes);
    wire->output.send(wire->output.context, peer, wire->frame,
                      WEFT_FRAME_HEADER_BYTES + packed_bytes);
    return WEFT_OK;
}

const Weft__Envelope *weft_wire_empty(Weft__Envelope__BodyCase body, struct weft_wire_empty *room)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(&weft__envelope__descriptor, (unsigned)body);
    const ProtobufCMessageDescriptor *kind = field->descriptor;
    const ProtobufCMessage *message = &room->message;
    assert(!kind->n_fields && kind->sizeof_message == sizeof(room->message));
    protobuf_c_message_init(kind, &room->message);
    weft__envelope__init(&room->envelope);
    room->envelope.body_case = body;
    /* The packer reads the body's pointer where the descriptor says that it is. */
    memcpy((uint8_t *)&room->envelope + field->offset, &message, sizeof(message));
    return &room->envelope;
}

/* ---- opening ---- */

static void *allocate_within(void *context, size_t len_bytes)
{
    size_t *left_bytes = context;
    if (len_bytes > *left_bytes)
        return NULL;
    *left_bytes -= len_bytes;
    return malloc(len_bytes);
}

static void release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

enum weft_status weft_wire_open(const uint8_t *message, size_t len_bytes,
                                Weft__Envelope **ret_envelope, struct weft_error *error)
{
    if (len_bytes > WEFT_FRAME_BYTES_MAX)
        return weft_error_set(error, WEFT_INVALID, "a message of %zu bytes, more than %u",
                              len_bytes, WEFT_FRAME_BYTES_MAX);
    size_t left_bytes = UNPACKED_FLOOR_BYTES + UNPACKED_TIMES * len_bytes;
    if (left_bytes > UNPACKED_CEILING_BYTES)
        left_bytes = UNPACKED_CEILING_BYTES;
    ProtobufCAllocator allocator = {allocate_within, release, &left_bytes};
    Weft__Envelope *envelope = weft__envelope__unpack(&allocator, len_bytes, message);
    if (!envelope)
        return weft_error_set(error, WEFT_INVALID,
                              "%zu bytes that are not a weft message, or are only a part of one",
                              len_bytes);
    if (envelope->body_case == WEFT__ENVELOPE__BODY__NOT_SET) {
        weft_wire_close(envelope);
        return weft_error_set(error, WEFT_INVALID, "a message of an unknown kind");
    }
    *ret_envelope = envelope;
    return WEFT_OK;
}

void weft_wire_close(Weft__Envelope *envelope)
{
    ProtobufCAllocator allocator = {allocate_within, release, NULL};
    if (envelope)
        weft__envelope__free_unpacked(envelope, &allocator);
}

const char *weft_wire_name(Weft__Envelope__BodyCase body)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(&weft__envelope__descriptor, (unsigned)body);
    return field ? field->name : "nothing";
}

/* ---- checks ---- */

/* The bytes of the character that begins here; 0: it is not one that may be shown. */
static size_t character_bytes(const char *at)
{
    if (*at == '\n' || *at == '\t')
        return 1;
    return weft_utf8_printable(at, strnlen(at, UTF8_BYTES_MAX));
}

bool weft_wire_text_is_clean(const char *text)
{
    while (*text) {
        size_t len_bytes = character_bytes(text);
        if (!len_bytes)
            return false;
        text += len_bytes;
    }
    return true;
}

void weft_wire_text_clean(char *text)
{
    while (*text) {
        size_t len_bytes = character_bytes(text);
        if (!len_bytes)
            *text = '?';
        text += len_bytes ? len_bytes : 1;
    }
}

enum weft_status weft_wire_text(const char *field, const char *text, size_t limit,
                                struct weft_error *error)
{
    if (strlen(text) > limit)
        return weft_error_set(error, WEFT_INVALID, "%s is longer than %zu bytes", field, limit);
    if (!weft_wire_text_is_clean(text))
        return weft_error_set(error, WEFT_INVALID, "%s holds bytes that are not plain UTF-8 text",
                              field);
    return WEFT_OK;
}

enum weft_status weft_wire_copy(const char *field, const char *text, char *into, size_t capacity,
                                struct weft_error *error)
{
    enum weft_status status = weft_wire_text(field, text, capacity - 1, error);
    if (!status)
        (void)snprintf(into, capacity, "%s", text);
    return status;
}

enum weft_status weft_wire_range(const char *field, uint64_t value, uint64_t low, uint64_t high,
                                 struct weft_error *error)
{
    if (value >= low && value <= high)
        return WEFT_OK;
    return weft_error_set(error, WEFT_INVALID,
                          "%s is %" PRIu64 ", not between %" PRIu64 " and %" PRIu64, field, value,
                          low, high);
}

enum weft_status weft_wire_missing(const char *field, struct weft_error *error)
{
    return weft_error_set(error, WEFT_INVALID, "%s is missing", field);
}
