/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/control/channels.h"

#include <stdlib.h>

#define ENTRIES_MAX (1u << 24)

void weft_channels_fini(struct weft_channels *channels)
{
    free(channels->entries);
    *channels = (struct weft_channels){0};
}

static bool reserve(struct weft_channels *channels, uint32_t more)
{
    uint64_t needed = (uint64_t)channels->count + more;
    if (needed <= channels->capacity)
        return true;
    uint64_t capacity = needed + needed / 2;
    if (capacity > ENTRIES_MAX)
        return false;
    struct weft_channel_entry *entries =
        realloc(channels->entries, capacity * sizeof(*channels->entries));
    if (!entries)
        return false;
    channels->entries = entries;
    channels->capacity = (uint32_t)capacity;
    return true;
}

enum weft_status weft_channels_add(struct weft_channels *channels, uint32_t agent,
                                   const struct weft_channel_address *addresses, uint32_t count,
                                   const uint32_t *rank_agents, struct weft_error *error)
{
    if (!reserve(channels, count))
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory for the addresses of channels");
    for (uint32_t i = 0; i < count; i++) {
        if (rank_agents[addresses[i].from_rank] != agent)
            return weft_error_set(
                error, WEFT_INVALID,
                "prepared.addresses[%u].from_rank is %u, which is not a rank of this agent", i,
                addresses[i].from_rank);
        channels->entries[channels->count++] =
            (struct weft_channel_entry){.agent = rank_agents[addresses[i].to_rank],
                                        .from_agent = agent,
                                        .address = addresses[i]};
    }
    return WEFT_OK;
}

static int order(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

static int compare(const void *a, const void *b)
{
    const struct weft_channel_entry *one = a;
    const struct weft_channel_entry *other = b;
    int by_agent = order(one->agent, other->agent);
    int by_to = order(one->address.to_rank, other->address.to_rank);
    if (by_agent || by_to)
        return by_agent ? by_agent : by_to;
    int by_from = order(one->address.from_rank, other->address.from_rank);
    return by_from ? by_from : order(one->address.queue_pair, other->address.queue_pair);
}

/* The agent that gave an entry is the one that needs the other direction. */
static bool has_other_direction(const struct weft_channels *channels,
                                const struct weft_channel_entry *entry)
{
    const struct weft_channel_entry wanted = {.agent = entry->from_agent,
                                              .address = {.from_rank = entry->address.to_rank,
                                                          .to_rank = entry->address.from_rank,
                                                          .queue_pair = entry->address.queue_pair}};
    return bsearch(&wanted, channels->entries, channels->count, sizeof(wanted), compare) != NULL;
}

enum weft_status weft_channels_finish(struct weft_channels *channels, struct weft_error *error)
{
    if (channels->count)
        qsort(channels->entries, channels->count, sizeof(*channels->entries), compare);
    for (uint32_t i = 0; i < channels->count; i++) {
        const struct weft_channel_entry *entry = &channels->entries[i];
        if (i && !compare(entry - 1, entry))
            return weft_error_set(
                error, WEFT_INVALID,
                "rank %u gave two addresses of its channel to rank %u on queue pair %u",
                entry->address.from_rank, entry->address.to_rank, entry->address.queue_pair);
        if (!has_other_direction(channels, entry))
            return weft_error_set(
                error, WEFT_INVALID,
                "rank %u has a channel to rank %u on queue pair %u, which has none to rank %u",
                entry->address.from_rank, entry->address.to_rank, entry->address.queue_pair,
                entry->address.from_rank);
    }
    return WEFT_OK;
}

const struct weft_channel_entry *weft_channels_of(const struct weft_channels *channels,
                                                  uint32_t agent, uint32_t *ret_count)
{
    uint32_t low = 0;
    uint32_t high = channels->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (channels->entries[middle].agent < agent)
            low = middle + 1;
        else
            high = middle;
    }
    uint32_t end = low;
    while (end < channels->count && channels->entries[end].agent == agent)
        end++;
    *ret_count = end - low;
    return channels->entries ? &channels->entries[low] : NULL;
}
