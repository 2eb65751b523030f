/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory of each NIC, and beside it what must be in it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "transport.h"

#define GAP_BYTES 64u

void places_init(struct end *end)
{
    end->memory = arena_take(END_BYTES);
    end->used_bytes = GAP_BYTES;
}

void places_fini(struct end *end)
{
    free(end->shadow);
}

uint32_t place_take(struct transport *transport, uint32_t nic, uint32_t len_bytes)
{
    struct end *end = &transport->ends[nic];
    uint32_t at = end->used_bytes + (uint32_t)weft_random_below(&transport->random, GAP_BYTES);
    at = (at + 7u) & ~7u;
    end->used_bytes = at + len_bytes + GAP_BYTES;
    assert(end->used_bytes + 2 * GAP_BYTES <= END_BYTES);
    return at;
}

void place_copied(struct transport *transport, const struct place_rule *rule, const char *what)
{
    const struct end *from = &transport->ends[rule->source_nic];
    struct end *to = &transport->ends[rule->nic];
    const uint8_t *wanted = from->shadow + rule->source_at;
    if (memcmp(to->memory + rule->at, wanted, rule->len_bytes) != 0)
        record_broken(transport->record,
                      "%s: the %u bytes from NIC %u at %u are not at NIC %u at %u", what,
                      rule->len_bytes, rule->source_nic, rule->source_at, rule->nic, rule->at);
    memmove(to->shadow + rule->at, wanted, rule->len_bytes);
}

void place_doubted(struct transport *transport, const struct place_rule *rule)
{
    assert(transport->rule_count < sizeof(transport->rules) / sizeof(transport->rules[0]));
    transport->rules[transport->rule_count++] = *rule;
}

static void allow(struct transport *transport, const struct place_rule *rule)
{
    struct end *end = &transport->ends[rule->nic];
    for (uint32_t i = 0; i < rule->len_bytes; i++) {
        uint8_t found = end->memory[rule->at + i];
        if (rule->source_nic == NOWHERE ||
            found == transport->ends[rule->source_nic].shadow[rule->source_at + i])
            end->shadow[rule->at + i] = found;
    }
}

void places_check(struct transport *transport)
{
    for (uint32_t i = 0; i < transport->rule_count; i++)
        allow(transport, &transport->rules[i]);
    for (uint32_t nic = 0; nic < transport->scenario->nics; nic++) {
        const struct end *end = &transport->ends[nic];
        if (memcmp(end->memory, end->shadow, end->used_bytes) == 0)
            continue;
        uint32_t at = 0;
        while (end->memory[at] == end->shadow[at])
            at++;
        record_broken(transport->record,
                      "NIC %u: byte %u of its memory is %02x and must be %02x: nobody was to write "
                      "it so",
                      nic, at, end->memory[at], end->shadow[at]);
    }
}
