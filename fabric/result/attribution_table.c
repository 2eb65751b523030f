/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/base/units.h"
#include "fabric/result/attribution.h"

/* So many ranks and edges have a line. */
#define LINES_MAX 3u

static int name_end(const struct weft_topology *topology, const struct weft_link_end *end,
                    char *text, size_t room)
{
    if (end->is_switch)
        return snprintf(text, room, "%s", topology->switches[end->index].name);
    const struct weft_nic *nic = &topology->nics[end->index];
    return snprintf(text, room, "%s/%s", topology->hosts[nic->host].name, nic->name);
}

char *weft_suspect_name(const struct weft_topology *topology, uint32_t index, bool nic,
                        char text[WEFT_SUSPECT_TEXT])
{
    char near[WEFT_SUSPECT_TEXT / 2 - 4], far[WEFT_SUSPECT_TEXT / 2 - 4];
    if (nic) {
        const struct weft_link_end end = {.index = index};
        (void)name_end(topology, &end, text, WEFT_SUSPECT_TEXT);
        return text;
    }
    (void)name_end(topology, &topology->links[index].ends[0], near, sizeof(near));
    (void)name_end(topology, &topology->links[index].ends[1], far, sizeof(far));
    (void)snprintf(text, WEFT_SUSPECT_TEXT, "%s – %s", near, far);
    return text;
}

static const char *plural(uint32_t count)
{
    return count == 1 ? "" : "s";
}

static void print_decider(FILE *out, const char *head, const struct weft_attribution *attribution,
                          const struct weft_decider *decider)
{
    char shown[WEFT_UNITS_TEXT];
    uint32_t count = decider->slow + decider->other;
    fprintf(out, "  %-12srank %u", head, decider->rank);
    if (decider->peer != WEFT_OP_NONE)
        fprintf(out, " → %u", decider->peer);
    fprintf(out, " in %u of the %u slowest", decider->slow, attribution->slow_traced);
    if (attribution->other_traced)
        fprintf(out, ", %u of %u other iteration%s", decider->other, attribution->other_traced,
                plural(attribution->other_traced));
    fprintf(out, ", by %s\n", weft_show_time(count ? decider->excess_ns / count : 0, shown));
}

static bool print_deciders(FILE *out, const struct weft_attribution *attribution)
{
    uint32_t lines = 0;
    for (uint32_t i = 0; i < attribution->decider_count && lines < LINES_MAX; i++) {
        if (!attribution->deciders[i].stands_out)
            continue;
        print_decider(out, lines ? "" : "decided by", attribution, &attribution->deciders[i]);
        lines++;
    }
    return lines > 0;
}

/* Chance is never ruled out, so nothing is surer than this. */
#define SUREST 99.9

static bool print_suspect(FILE *out, const struct weft_result *result,
                          const struct weft_attribution *attribution)
{
    char name[WEFT_SUSPECT_TEXT];
    const struct weft_suspect *suspect = &attribution->suspect;
    if (!attribution->suspect_count || !suspect->stands_out)
        return false;
    double sure = suspect->confidence * 100;
    fprintf(out, "  %-12s%s %s: its messages are on their way %.1f times as long as others'", "slow",
            suspect->is_nic ? "NIC" : "link",
            weft_suspect_name(result->topology, suspect->index, suspect->is_nic, name),
            suspect->slowness);
    fprintf(out, ", over all %u edges (%.1f %% sure)%s\n", suspect->edges,
            sure < SUREST ? sure : SUREST, suspect->polled ? ", or the CPU that polls it" : "");
    return true;
}

/* Why nothing is named. */
static const char *why_nobody(const struct weft_attribution *attribution)
{
    if (attribution->in_process)
        return "this machine: all ranks in one process, no NIC or link between them";
    return "no rank or edge stands out";
}

void weft_attribution_print(FILE *out, const struct weft_result *result,
                            const struct weft_test_result *test)
{
    const struct weft_attribution *attribution = test->attribution;
    uint32_t traced = attribution ? attribution->slow_traced + attribution->other_traced : 0;
    if (!traced)
        return;
    bool any = print_deciders(out, attribution);
    any = print_suspect(out, result, attribution) || any;
    if (!any)
        fprintf(out, "  %-12s%s    %u iteration%s traced\n", "decided by", why_nobody(attribution),
                traced, plural(traced));
}
