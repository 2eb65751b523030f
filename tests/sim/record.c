/* SPDX-License-Identifier: BSD-3-Clause */
#include "record.h"

#include <stdarg.h>
#include <string.h>

#include "drivers/roce/packet/wire.h"

#define HEADERS_BYTES 96u

void record_init(struct record *record, FILE *out)
{
    memset(record, 0, sizeof(*record));
    record->out = out;
}

static void mix(struct record *record, uint64_t value)
{
    uint64_t hash = (record->hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    record->hash = hash ^ hash >> 31;
}

/* All headers, and the ICRC that stands for the rest. */
static void mix_frame(struct record *record, const uint8_t *data, uint32_t len_bytes)
{
    uint64_t word;
    uint32_t headers = len_bytes < HEADERS_BYTES ? len_bytes : HEADERS_BYTES;
    for (uint32_t i = 0; i + sizeof(word) <= headers; i += sizeof(word)) {
        memcpy(&word, data + i, sizeof(word));
        mix(record, word);
    }
    if (len_bytes < sizeof(word))
        return;
    memcpy(&word, data + len_bytes - sizeof(word), sizeof(word));
    mix(record, word);
}

static void print_line(FILE *out, const struct record_line *line)
{
    static const char *const words[WEFT_SIM_HAPPENING_COUNT] = {
        "sent",      "delivered", "forwarded", "LOST",      "CUT",
        "OVERFLOWN", "STRANDED",  "spent",     "CORRUPTED", "DUPLICATED",
        "REORDERED", "DELAYED",   "MARKED",    "PAUSED",    "RESUMED"};
    const struct weft_sim_trace *trace = &line->trace;
    (void)fprintf(out, "%14.6f us  ", (double)trace->at_ps / 1e6);
    if (line->is_completion)
        (void)fprintf(out,
                      "NIC %u completion: user %llu id %llx operation %d status %d, %u bytes, "
                      "immediate %u\n",
                      line->nic, (unsigned long long)line->completion.user,
                      (unsigned long long)line->completion.id, (int)line->completion.operation,
                      (int)line->completion.status, line->completion.len_bytes,
                      line->completion.immediate);
    else if (line->qpn)
        (void)fprintf(out, "wire %-3u %-10s %5u bytes  opcode %02x qpn %06x psn %06x\n",
                      trace->wire, words[trace->happening], trace->len_bytes, line->opcode,
                      line->qpn, line->psn);
    else
        (void)fprintf(out, "wire %-3u %-10s %5u bytes\n", trace->wire, words[trace->happening],
                      trace->len_bytes);
}

static void keep(struct record *record, const struct record_line *line)
{
    record->lines[record->count++ % RECORD_LAST] = *line;
    if (record->out)
        print_line(record->out, line);
}

void record_trace(void *context, const struct weft_sim_trace *trace)
{
    struct record *record = context;
    struct record_line line = {.trace = *trace};
    mix(record, trace->at_ps);
    mix(record, (uint64_t)trace->happening << 56 | (uint64_t)trace->wire << 24 | trace->len_bytes);
    record->frames += trace->happening == WEFT_SIM_SENT;
    if (trace->data) {
        mix_frame(record, trace->data, trace->len_bytes);
        const uint8_t *bth = trace->data + WEFT_ETHERNET_BYTES + WEFT_IPV4_BYTES + WEFT_UDP_BYTES;
        if (weft_wire_get16(trace->data + 12) == WEFT_ETHERTYPE_IPV4) {
            line.opcode = bth[0];
            line.qpn = weft_wire_get24(bth + 4);
            line.psn = weft_wire_get24(bth + 8);
        }
    }
    keep(record, &line);
}

void record_completion(struct record *record, uint64_t now_ps, uint32_t nic,
                       const struct weft_completion *completion)
{
    struct record_line line = {
        .trace.at_ps = now_ps, .is_completion = true, .completion = *completion, .nic = nic};
    mix(record, now_ps);
    mix(record, (uint64_t)nic << 32 | (uint64_t)completion->status << 16 | completion->operation);
    mix(record, completion->id);
    mix(record, (uint64_t)completion->len_bytes << 32 | completion->immediate);
    record->completions++;
    keep(record, &line);
}

void record_broken(struct record *record, const char *format, ...)
{
    va_list arguments;
    if (record->broken)
        return;
    record->broken = true;
    va_start(arguments, format);
    (void)vsnprintf(record->rule, sizeof(record->rule), format, arguments);
    va_end(arguments);
}

void record_print_last(const struct record *record, FILE *out)
{
    uint64_t count = record->count < RECORD_LAST ? record->count : RECORD_LAST;
    for (uint64_t i = record->count - count; i < record->count; i++)
        print_line(out, &record->lines[i % RECORD_LAST]);
}
