/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/plan/ranks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabric/base/units.h"
#include "fabric/plan/plan.h"

/* What is being chosen; `taken` has a flag for each rank. */
struct chooser {
    struct weft_rank_choice choice;
    bool *taken;
};

static enum weft_status refuse(const struct weft_yaml_node *node, struct weft_error *error)
{
    return weft_error_at(
        error, &node->where,
        "'%.60s' names no ranks: write how many, such as 8, or which ones, such as 0-3,8",
        node->text);
}

static enum weft_status choose(struct chooser *chooser, const struct weft_yaml_node *node,
                               uint64_t first, uint64_t last, struct weft_error *error)
{
    for (uint64_t rank = first; rank <= last; rank++) {
        if (chooser->taken[rank])
            return weft_error_at(error, &node->where, "rank %llu is named twice",
                                 (unsigned long long)rank);
        chooser->taken[rank] = true;
        chooser->choice.ranks[chooser->choice.count++] = (uint32_t)rank;
    }
    return WEFT_OK;
}

/* "5" or "0-3", which is cut in doing so. */
static enum weft_status choose_range(struct chooser *chooser, const struct weft_yaml_node *node,
                                     char *text, struct weft_error *error)
{
    uint64_t first = 0, last = 0;
    char *dash = strchr(text, '-');
    if (dash)
        *dash = '\0';
    bool good = weft_parse_count(text, &first, NULL) == WEFT_OK;
    good = good && weft_parse_count(dash ? dash + 1 : text, &last, NULL) == WEFT_OK;
    if (!good || first > last)
        return refuse(node, error);
    if (last >= WEFT_RANKS_MAX)
        return weft_error_at(error, &node->where, "a rank must be below %u", WEFT_RANKS_MAX);
    return choose(chooser, node, first, last, error);
}

static char *trim(char *text)
{
    text += strspn(text, " ");
    size_t len_bytes = strlen(text);
    while (len_bytes && text[len_bytes - 1] == ' ')
        text[--len_bytes] = '\0';
    return text;
}

static enum weft_status choose_text(struct chooser *chooser, const struct weft_yaml_node *node,
                                    struct weft_error *error)
{
    if (node->kind != WEFT_YAML_TEXT)
        return weft_error_at(error, &node->where,
                             "a list of ranks contains numbers such as 5 or 0-3");
    char *text = strdup(node->text);
    if (!text)
        return weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    enum weft_status status = WEFT_OK;
    for (char *at = text, *comma = NULL; status == WEFT_OK && at; at = comma ? comma + 1 : NULL) {
        comma = strchr(at, ',');
        if (comma)
            *comma = '\0';
        status = choose_range(chooser, node, trim(at), error);
    }
    free(text);
    return status;
}

static enum weft_status choose_all(struct chooser *chooser, const struct weft_yaml_node *node,
                                   struct weft_error *error)
{
    if (node->kind == WEFT_YAML_TEXT)
        return choose_text(chooser, node, error);
    if (!node->first)
        return weft_error_at(error, &node->where, "a list of ranks must not be empty");
    enum weft_status status = WEFT_OK;
    for (const struct weft_yaml_node *item = node->first; item && !status; item = item->next)
        status = choose_text(chooser, item, error);
    return status;
}

static enum weft_status read_count(const struct weft_yaml_node *node,
                                   struct weft_rank_choice *choice, struct weft_error *error)
{
    uint64_t count = 0;
    enum weft_status status = weft_yaml_read_count(node, &count, error);
    if (status != WEFT_OK)
        return status;
    if (!count || count > WEFT_RANKS_MAX)
        return weft_error_at(error, &node->where, "'ranks' must be from 1 to %u", WEFT_RANKS_MAX);
    choice->count = (uint32_t)count;
    return WEFT_OK;
}

enum weft_status weft_ranks_read(const struct weft_yaml_node *node, void *ret_field,
                                 struct weft_error *error)
{
    struct weft_rank_choice *choice = ret_field;
    if (node->kind == WEFT_YAML_MAP || (node->kind == WEFT_YAML_TEXT && !strpbrk(node->text, "-,")))
        return read_count(node, choice, error);
    struct chooser chooser = {
        .choice = {.ranks = calloc(WEFT_RANKS_MAX, sizeof(*chooser.choice.ranks))},
        .taken = calloc(WEFT_RANKS_MAX, sizeof(*chooser.taken)),
    };
    enum weft_status status = chooser.choice.ranks && chooser.taken
                                  ? choose_all(&chooser, node, error)
                                  : weft_error_set(error, WEFT_NO_MEMORY, "out of memory");
    free(chooser.taken);
    if (status == WEFT_OK)
        *choice = chooser.choice;
    else
        free(chooser.choice.ranks);
    return status;
}

void weft_ranks_write(FILE *out, const uint32_t *ranks, uint32_t count)
{
    for (uint32_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && ranks[end] == ranks[end - 1] + 1; end++)
            ;
        (void)fprintf(out, "%s%u", i ? ", " : "", ranks[i]);
        if (end - i > 1)
            (void)fprintf(out, "-%u", ranks[end - 1]);
    }
}

/* ---- what a test makes of it ---- */

uint32_t weft_test_ranks_needed(const struct weft_test *test)
{
    uint32_t needed = 0;
    for (uint32_t rank = 0; rank < test->options.rank_count; rank++) {
        uint32_t place = weft_test_rank(test, rank);
        needed = place >= needed ? place + 1 : needed;
    }
    return needed;
}

bool weft_test_view(const struct weft_test *test, const struct weft_topology *topology,
                    struct weft_topology *ret_view)
{
    uint32_t count = test->options.rank_count;
    uint32_t *rank_nics = calloc((size_t)count + 1, sizeof(*rank_nics));
    if (!rank_nics)
        return false;
    for (uint32_t rank = 0; rank < count; rank++)
        rank_nics[rank] = topology->rank_nics[weft_test_rank(test, rank)];
    *ret_view = *topology;
    ret_view->rank_count = count;
    ret_view->rank_nics = rank_nics;
    return true;
}
