/* SPDX-License-Identifier: BSD-3-Clause */
/* Datagrams: each comes intact or not at all, and not more often than the fabric doubled it. The
 * first bytes say which it is. */
#include <string.h>

#include "transport.h"

#define TAG_BYTES 8u

static uint64_t tag_of(uint32_t nic, uint32_t index)
{
    return UINT64_C(0xda7a) << 48 | (uint64_t)nic << 32 | index;
}

/* Every second one has an immediate value: which it is. */
static enum weft_operation operation_of(uint32_t index)
{
    return index & 1 ? WEFT_OPERATION_SEND_IMMEDIATE : WEFT_OPERATION_SEND;
}

void datagrams_draw(struct transport *transport, uint32_t nic)
{
    struct end *end = &transport->ends[nic];
    struct weft_random *random = &transport->random;
    uint32_t mtu_bytes = transport->scenario->mtu_bytes;
    end->datagram_count = (uint32_t)weft_random_below(random, DATAGRAMS_MAX);
    for (uint32_t i = 0; i < end->datagram_count; i++) {
        end->targets[i] = (uint32_t)weft_random_below(random, transport->scenario->nics);
        end->lengths[i] = (uint32_t)draw_between(random, TAG_BYTES, mtu_bytes);
        end->places[i] = place_take(transport, nic, end->lengths[i]);
    }
    end->landing_count =
        (uint32_t)draw_between(random, 1, sizeof(end->landing) / sizeof(end->landing[0]) / 4);
    for (uint32_t i = 0; i < end->landing_count; i++)
        end->landing[i] = place_take(transport, nic, WEFT_GRH_BYTES + mtu_bytes);
}

static bool post_send(struct transport *transport, uint32_t nic, uint32_t index)
{
    struct end *end = &transport->ends[nic];
    struct weft_roce_destination *destination = end->destinations[end->targets[index]];
    struct weft_error error;
    if (weft_roce_destination_state(destination, &error) != WEFT_ENDPOINT_READY)
        return false;
    const uint64_t tag = tag_of(nic, index);
    memcpy(end->memory + end->places[index], &tag, sizeof(tag));
    memcpy(end->shadow + end->places[index], &tag, sizeof(tag));
    const struct weft_work work = {.id = index,
                                   .memory = end->memory + end->places[index],
                                   .lkey = end->region.lkey,
                                   .len_bytes = end->lengths[index],
                                   .operation = operation_of(index),
                                   .immediate = index,
                                   .destination = (struct weft_destination *)(void *)destination};
    if (!weft_roce_post_send(end->qp, &work, 1))
        return false;
    weft_sim_kick(transport->fabric, nic);
    return true;
}

/* All receives come first, so that only the fabric loses datagrams. */
uint32_t datagrams_post(struct transport *transport, uint32_t nic)
{
    struct end *end = &transport->ends[nic];
    uint32_t done = 0;
    for (; end->landings_posted < end->landing_count; done++, end->landings_posted++) {
        const struct weft_work work = {.id = end->landings_posted,
                                       .memory = end->memory + end->landing[end->landings_posted],
                                       .lkey = end->region.lkey,
                                       .len_bytes = WEFT_GRH_BYTES + transport->scenario->mtu_bytes,
                                       .operation = WEFT_OPERATION_RECEIVE};
        if (!weft_roce_post_receive(end->qp, &work, 1))
            break;
    }
    while (end->datagrams_posted < end->datagram_count &&
           post_send(transport, nic, end->datagrams_posted)) {
        end->datagrams_posted++;
        done++;
    }
    return done;
}

static void received(struct transport *transport, uint32_t nic,
                     const struct weft_completion *completion)
{
    struct end *end = &transport->ends[nic];
    uint32_t at = end->landing[completion->id];
    uint64_t tag;
    memcpy(&tag, end->memory + at + WEFT_GRH_BYTES, sizeof(tag));
    uint32_t from = tag >> 32 & 0xffff, index = (uint32_t)tag;
    if (from >= transport->scenario->nics || tag != tag_of(from, index) ||
        index >= transport->ends[from].datagrams_posted ||
        transport->ends[from].targets[index] != nic ||
        completion->len_bytes != WEFT_GRH_BYTES + transport->ends[from].lengths[index] ||
        completion->has_immediate != (operation_of(index) == WEFT_OPERATION_SEND_IMMEDIATE) ||
        (completion->has_immediate && completion->immediate != index)) {
        record_broken(transport->record, "NIC %u: a datagram came that nobody sent there (%llx)",
                      nic, (unsigned long long)tag);
        return;
    }
    transport->ends[from].arrivals[index]++;
    memcpy(end->shadow + at, end->memory + at, WEFT_GRH_BYTES);
    place_copied(transport,
                 &(struct place_rule){nic, at + WEFT_GRH_BYTES,
                                      transport->ends[from].lengths[index], from,
                                      transport->ends[from].places[index]},
                 "a datagram");
}

void datagrams_complete(struct transport *transport, uint32_t nic,
                        const struct weft_completion *completion)
{
    struct end *end = &transport->ends[nic];
    if (completion->status != WEFT_OK)
        record_broken(transport->record, "NIC %u: a datagram's work failed with status %d", nic,
                      (int)completion->status);
    else if (completion->operation == WEFT_OPERATION_RECEIVE)
        received(transport, nic, completion);
    else if (completion->id != end->datagrams_completed++)
        record_broken(transport->record, "NIC %u: datagram %llu completes out of turn", nic,
                      (unsigned long long)completion->id);
}

void datagrams_finish(struct transport *transport)
{
    uint64_t sent = 0, came = 0, most = 0, unheard = 0, doubled = 0, dropped = 0;
    for (uint32_t nic = 0; nic < transport->scenario->nics; nic++) {
        const struct end *end = &transport->ends[nic];
        if (end->datagrams_completed != end->datagrams_posted &&
            !(transport->scenario->harm == SCENARIO_DEAD && transport->scenario->harmed == nic))
            record_broken(transport->record, "NIC %u: %u of %u datagrams are complete", nic,
                          end->datagrams_completed, end->datagrams_posted);
        for (uint32_t i = 0; i < end->datagrams_posted; i++) {
            sent++;
            came += end->arrivals[i];
            unheard += !end->arrivals[i];
            most = end->arrivals[i] > most ? end->arrivals[i] : most;
        }
        unheard += end->datagram_count - end->datagrams_posted;
        dropped += weft_roce_port_counters(end->port)->receive_dropped;
    }
    for (uint32_t i = 0; i < weft_sim_wire_count(transport->fabric); i++) {
        struct weft_sim_wire_counters wire;
        weft_sim_wire_counters(transport->fabric, i, &wire);
        doubled += wire.duplicated;
    }
    for (uint32_t i = 0; i < weft_sim_switch_count(transport->fabric); i++) {
        struct weft_sim_switch_counters at;
        weft_sim_switch_counters(transport->fabric, i, &at);
        dropped += at.overflown;
    }
    if (came > sent + doubled || most > 1 + doubled)
        record_broken(transport->record, "%llu datagrams came of %llu, %llu doubled",
                      (unsigned long long)came, (unsigned long long)sent,
                      (unsigned long long)doubled);
    if (transport->scenario->harm == SCENARIO_CLEAN && !dropped && unheard)
        record_broken(transport->record, "%llu datagrams are lost though nothing went wrong",
                      (unsigned long long)unheard);
}
