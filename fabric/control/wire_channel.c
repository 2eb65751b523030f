/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/control/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BITS_24 0xffffffu
#define MTU_BYTES_MAX (1u << 20)

/* ---- writing ---- */

struct addresses_out {
    struct weft_channel_address *copies;
    Weft__ChannelAddress *messages;
    Weft__ChannelAddress **pointers;
};

static void addresses_fini(struct addresses_out *out)
{
    free(out->copies);
    free(out->messages);
    free(out->pointers);
}

static void write_address(struct weft_channel_address *address, Weft__ChannelAddress *message)
{
    weft__channel_address__init(message);
    message->from_rank = address->from_rank;
    message->to_rank = address->to_rank;
    message->queue_pair = address->queue_pair;
    message->gid.data = address->endpoint.gid;
    message->gid.len = sizeof(address->endpoint.gid);
    message->qpn = address->endpoint.qpn;
    message->psn = address->endpoint.psn;
    message->qkey = address->endpoint.qkey;
    message->mtu_bytes = address->endpoint.mtu_bytes;
    message->lid = address->endpoint.lid;
    message->read_depth = address->endpoint.read_depth;
    message->slots_address = address->slots_address;
    message->slots_rkey = address->slots_rkey;
    message->depth = address->depth;
}

static enum weft_status write_addresses(const struct weft_channel_address *addresses,
                                        uint32_t count, struct addresses_out *out,
                                        struct weft_error *error)
{
    *out = (struct addresses_out){
        .copies = calloc(count + 1, sizeof(*out->copies)),
        .messages = calloc(count + 1, sizeof(*out->messages)),
        .pointers = calloc(count + 1, sizeof(Weft__ChannelAddress *)),
    };
    if (!out->copies || !out->messages || !out->pointers) {
        addresses_fini(out);
        weft_error_set(error, WEFT_NO_MEMORY, "out of memory for %u channel addresses", count);
        return WEFT_NO_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        out->copies[i] = addresses[i];
        write_address(&out->copies[i], &out->messages[i]);
        out->pointers[i] = &out->messages[i];
    }
    return WEFT_OK;
}

enum weft_status weft_wire_prepared_send(struct weft_wire *wire,
                                         const struct weft_wire_prepared_part *parts,
                                         uint32_t part_count,
                                         const struct weft_channel_address *addresses,
                                         uint32_t count, struct weft_error *error)
{
    struct addresses_out out;
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Prepared message = WEFT__PREPARED__INIT;
    enum weft_status status = write_addresses(addresses, count, &out, error);
    if (status)
        return status;
    Weft__PreparedPart messages[WEFT_JOBS_MAX];
    Weft__PreparedPart *pointers[WEFT_JOBS_MAX];
    for (uint32_t i = 0; i < part_count; i++) {
        weft__prepared_part__init(&messages[i]);
        messages[i].decides = parts[i].decides;
        messages[i].trace_count = parts[i].trace_count;
        pointers[i] = &messages[i];
    }
    message.parts = pointers;
    message.n_parts = part_count;
    message.addresses = out.pointers;
    message.n_addresses = count;
    envelope.body_case = WEFT__ENVELOPE__BODY_PREPARED;
    envelope.prepared = &message;
    status = weft_wire_send(wire, 0, &envelope, error);
    addresses_fini(&out);
    return status;
}

enum weft_status weft_wire_connect_send(struct weft_wire *wire, uint32_t peer,
                                        const struct weft_channel_address *addresses,
                                        uint32_t count, struct weft_error *error)
{
    struct addresses_out out;
    Weft__Envelope envelope = WEFT__ENVELOPE__INIT;
    Weft__Connect message = WEFT__CONNECT__INIT;
    enum weft_status status = write_addresses(addresses, count, &out, error);
    if (status)
        return status;
    message.addresses = out.pointers;
    message.n_addresses = count;
    envelope.body_case = WEFT__ENVELOPE__BODY_CONNECT;
    envelope.connect = &message;
    status = weft_wire_send(wire, peer, &envelope, error);
    addresses_fini(&out);
    return status;
}

/* ---- reading ---- */

static enum weft_status read_address(const Weft__ChannelAddress *message, uint32_t rank_count,
                                     struct weft_channel_address *ret, struct weft_error *error)
{
    const struct {
        const char *field;
        uint64_t value, low, high;
    } ranges[] = {
        {"from_rank", message->from_rank, 0, rank_count - 1},
        {"to_rank", message->to_rank, 0, rank_count - 1},
        {"queue_pair", message->queue_pair, 0, WEFT_QUEUE_PAIRS_MAX - 1},
        {"gid's length", message->gid.len, sizeof(ret->endpoint.gid), sizeof(ret->endpoint.gid)},
        {"qpn", message->qpn, 0, BITS_24},
        {"psn", message->psn, 0, BITS_24},
        {"mtu_bytes", message->mtu_bytes, 0, MTU_BYTES_MAX},
        {"lid", message->lid, 0, UINT16_MAX},
        {"read_depth", message->read_depth, 0, UINT16_MAX},
        {"depth", message->depth, 1, WEFT_CHANNELS_MAX},
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        enum weft_status status =
            weft_wire_range(ranges[i].field, ranges[i].value, ranges[i].low, ranges[i].high, error);
        if (status)
            return status;
    }
    if (message->from_rank == message->to_rank)
        return weft_error_set(error, WEFT_INVALID, "to_rank is %u, as from_rank is",
                              message->to_rank);
    *ret = (struct weft_channel_address){
        .from_rank = message->from_rank,
        .to_rank = message->to_rank,
        .queue_pair = message->queue_pair,
        .endpoint = {.qpn = message->qpn,
                     .psn = message->psn,
                     .qkey = message->qkey,
                     .mtu_bytes = message->mtu_bytes,
                     .lid = (uint16_t)message->lid,
                     .read_depth = (uint16_t)message->read_depth},
        .slots_address = message->slots_address,
        .slots_rkey = message->slots_rkey,
        .depth = message->depth,
    };
    memcpy(ret->endpoint.gid, message->gid.data, sizeof(ret->endpoint.gid));
    return WEFT_OK;
}

enum weft_status weft_wire_addresses_read(const char *field, Weft__ChannelAddress *const *messages,
                                          size_t count, uint32_t rank_count,
                                          struct weft_channel_address **ret_addresses,
                                          struct weft_error *error)
{
    if (count > WEFT_CHANNELS_MAX)
        return weft_error_set(error, WEFT_INVALID, "%s has %zu entries, more than %u", field, count,
                              WEFT_CHANNELS_MAX);
    struct weft_channel_address *addresses = NULL;
    if (count) {
        addresses = calloc(count, sizeof(*addresses));
        if (!addresses)
            return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for %s", field);
    }
    for (size_t i = 0; i < count; i++) {
        enum weft_status status = read_address(messages[i], rank_count, &addresses[i], error);
        if (status) {
            free(addresses);
            (void)weft_error_prefix(error, "%s[%zu].", field, i);
            return status;
        }
    }
    *ret_addresses = addresses;
    return WEFT_OK;
}
