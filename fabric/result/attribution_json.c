/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/result/attribution.h"

/* Values that are NULL for want of memory make the whole so. */
static json_t *list_of(json_t *array, bool failed)
{
    if (!failed)
        return array;
    json_decref(array);
    return NULL;
}

static json_int_t whole(uint64_t value)
{
    return value > INT64_MAX ? INT64_MAX : (json_int_t)value;
}

static json_t *rank_or_null(uint32_t rank)
{
    return rank == WEFT_OP_NONE ? json_null() : json_integer(rank);
}

static json_t *step_json(const struct weft_step *step)
{
    static const char *const kinds[WEFT_STEP_KIND_COUNT] = {
        [WEFT_STEP_SEND] = "send",   [WEFT_STEP_REDUCE] = "reduce",
        [WEFT_STEP_CALC] = "calc",   [WEFT_STEP_LATE_RECEIVE] = "late receive",
        [WEFT_STEP_BEGIN] = "begin",
    };
    return json_pack("{sI so ss so sI sI sI sI}", "rank", (json_int_t)step->rank, "op",
                     rank_or_null(step->op), "kind", kinds[step->kind], "peer",
                     rank_or_null(step->peer), "len_bytes", whole(step->len_bytes), "waited_ns",
                     whole(step->waited_ns), "took_ns", whole(step->took_ns), "excess_ns",
                     whole(step->waited_excess_ns + step->took_excess_ns));
}

static json_t *chain_json(const struct weft_chain *chain)
{
    json_t *steps = json_array();
    bool failed = false;
    for (uint32_t i = 0; i < chain->kept_count; i++)
        failed |= json_array_append_new(steps, step_json(&chain->steps[i])) != 0;
    return json_pack("{sI sI sI sI so}", "iteration", whole(chain->iteration), "duration_ns",
                     whole(chain->duration_ns), "rank", (json_int_t)chain->rank, "steps",
                     (json_int_t)chain->step_count, "chain", list_of(steps, failed));
}

json_t *weft_attribution_chains_json(const struct weft_test_result *test)
{
    if (!test->attribution)
        return json_null();
    json_t *array = json_array();
    bool failed = false;
    for (uint32_t i = 0; i < test->attribution->chain_count; i++)
        failed |= json_array_append_new(array, chain_json(&test->attribution->chains[i])) != 0;
    return list_of(array, failed);
}

/* ---- who decides ---- */

static json_t *decider_json(const struct weft_decider *decider)
{
    bool edge = decider->peer != WEFT_OP_NONE;
    uint32_t count = decider->slow + decider->other;
    json_t *object = edge ? json_pack("{sI sI}", "from", (json_int_t)decider->rank, "to",
                                      (json_int_t)decider->peer)
                          : json_pack("{sI}", "rank", (json_int_t)decider->rank);
    json_t *figures =
        json_pack("{sI sI sI sb}", "slow", (json_int_t)decider->slow, "other",
                  (json_int_t)decider->other, "mean_excess_ns",
                  whole(count ? decider->excess_ns / count : 0), "stands_out", decider->stands_out);
    bool failed = !figures || json_object_update(object, figures);
    json_decref(figures);
    return list_of(object, failed);
}

static json_t *deciders_json(const struct weft_attribution *attribution, bool edges)
{
    json_t *array = json_array();
    bool failed = false;
    for (uint32_t i = 0; i < attribution->decider_count; i++) {
        const struct weft_decider *decider = &attribution->deciders[i];
        if ((decider->peer != WEFT_OP_NONE) == edges)
            failed |= json_array_append_new(array, decider_json(decider)) != 0;
    }
    return list_of(array, failed);
}

static json_t *suspect_json(const struct weft_result *result,
                            const struct weft_attribution *attribution)
{
    const struct weft_suspect *suspect = &attribution->suspect;
    char name[WEFT_SUSPECT_TEXT];
    if (!attribution->suspect_count)
        return json_null();
    return json_pack("{ss ss sI sf sf sb}", "name",
                     weft_suspect_name(result->topology, suspect->index, suspect->is_nic, name),
                     "kind", suspect->is_nic ? "nic" : "link", "edges", (json_int_t)suspect->edges,
                     "slowness", suspect->slowness, "confidence", suspect->confidence, "stands_out",
                     suspect->stands_out);
}

json_t *weft_attribution_deciders_json(const struct weft_result *result,
                                       const struct weft_test_result *test)
{
    const struct weft_attribution *attribution = test->attribution;
    if (!attribution)
        return json_null();
    return json_pack("{sI sI sb so so so}", "slow_traced", (json_int_t)attribution->slow_traced,
                     "other_traced", (json_int_t)attribution->other_traced, "in_process",
                     attribution->in_process, "ranks", deciders_json(attribution, false), "edges",
                     deciders_json(attribution, true), "suspect",
                     suspect_json(result, attribution));
}
