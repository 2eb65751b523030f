/* SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "fabric/base/units.h"
#include "fabric/result/attribution.h"

/* So many ranks and edges have a line, and so many links a place on theirs. */
#define LINES_MAX 3u
#define NAMES_MAX 4u

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

/* What is always used together cannot be told apart. */
static bool print_suspects(FILE *out, const struct weft_result *result,
                           const struct weft_attribution *attribution)
{
    uint32_t names = 0;
    for (uint32_t i = 0; i < attribution->suspect_count && names < NAMES_MAX; i++) {
        char name[WEFT_SUSPECT_TEXT];
        const struct weft_suspect *suspect = &attribution->suspects[i];
        if (!suspect->stands_out)
            continue;
        if (!names)
            fprintf(out, "  %-12s%.0f %% of what transfers took too long is on %s ", "slow",
                    suspect->share * 100, attribution->suspects_are_nics ? "NIC" : "link");
        fprintf(out, "%s%s", names++ ? " or " : "",
                weft_suspect_name(result->topology, suspect->index, attribution->suspects_are_nics,
                                  name));
    }
    if (names)
        fprintf(out, "\n");
    return names > 0;
}

void weft_attribution_print(FILE *out, const struct weft_result *result,
                            const struct weft_test_result *test)
{
    const struct weft_attribution *attribution = test->attribution;
    uint32_t traced = attribution ? attribution->slow_traced + attribution->other_traced : 0;
    if (!traced)
        return;
    bool any = print_deciders(out, attribution);
    any = print_suspects(out, result, attribution) || any;
    if (!any)
        fprintf(out, "  %-12sno rank or edge stands out    %u iteration%s traced\n", "decided by",
                traced, plural(traced));
}
