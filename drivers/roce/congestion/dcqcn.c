/* SPDX-License-Identifier: BSD-3-Clause */
#include "drivers/roce/congestion/dcqcn.h"

#include "drivers/roce/congestion/pacer.h"
#include "fabric/base/units.h"
#include "fabric/base/wide.h"

/* Ten times the fastest port there is: what goes beyond is a slip of the pen. */
#define LINE_RATE_MOST_BPS UINT64_C(16000000000000)
#define PERIOD_MOST_NS UINT64_C(10000000000)
#define BYTES_MOST (UINT64_C(1) << 40)
#define STEPS_MOST 1000u
#define ALPHA_SHIFT_MOST 16u

static uint64_t or_default(uint64_t value, uint64_t fallback)
{
    return value ? value : fallback;
}

static uint64_t least_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void fill(struct weft_congestion_options *options)
{
    uint64_t minimum_bps = least_of(100000000, options->line_rate_bps / 100);
    if (minimum_bps < WEFT_PACER_RATE_LEAST_BPS)
        minimum_bps = least_of(WEFT_PACER_RATE_LEAST_BPS, options->line_rate_bps);
    options->minimum_rate_bps = or_default(options->minimum_rate_bps, minimum_bps);
    options->additive_rate_bps = or_default(options->additive_rate_bps, 40000000);
    options->hyper_rate_bps = or_default(options->hyper_rate_bps, 400000000);
    options->alpha_period_ns = or_default(options->alpha_period_ns, 55000);
    options->decrease_period_ns = or_default(options->decrease_period_ns, 4000);
    options->increase_period_ns = or_default(options->increase_period_ns, 55000);
    options->increase_bytes = or_default(options->increase_bytes, 10000000);
    options->fast_recovery_steps = (uint32_t)or_default(options->fast_recovery_steps, 5);
    options->alpha_shift = (uint32_t)or_default(options->alpha_shift, 8);
    options->cnp_period_ns = or_default(options->cnp_period_ns, 50000);
}

static enum weft_status check_rates(const struct weft_congestion_options *options,
                                    struct weft_error *error)
{
    char rate[WEFT_UNITS_TEXT];
    char bound[WEFT_UNITS_TEXT];
    uint64_t steepest_bps = options->additive_rate_bps > options->hyper_rate_bps
                                ? options->additive_rate_bps
                                : options->hyper_rate_bps;
    if (options->minimum_rate_bps > options->line_rate_bps)
        return weft_error_set(error, WEFT_INVALID,
                              "congestion control's minimum-rate %s is more than its line rate %s",
                              weft_format_rate(options->minimum_rate_bps, rate),
                              weft_format_rate(options->line_rate_bps, bound));
    if (options->minimum_rate_bps < WEFT_PACER_RATE_LEAST_BPS)
        return weft_error_set(error, WEFT_INVALID,
                              "congestion control's minimum-rate %s: it must be at least %s",
                              weft_format_rate(options->minimum_rate_bps, rate),
                              weft_format_rate(WEFT_PACER_RATE_LEAST_BPS, bound));
    /* A step beyond the line rate is cut off there, as on a slow line the defaults are. */
    if (steepest_bps > LINE_RATE_MOST_BPS)
        return weft_error_set(
            error, WEFT_INVALID, "congestion control's rate steps of %s: at most %s",
            weft_format_rate(steepest_bps, rate), weft_format_rate(LINE_RATE_MOST_BPS, bound));
    return WEFT_OK;
}

static enum weft_status check_numbers(const struct weft_congestion_options *options,
                                      struct weft_error *error)
{
    const struct {
        const char *key;
        uint64_t value, most;
    } numbers[] = {{"alpha-period", options->alpha_period_ns, PERIOD_MOST_NS},
                   {"decrease-period", options->decrease_period_ns, PERIOD_MOST_NS},
                   {"increase-period", options->increase_period_ns, PERIOD_MOST_NS},
                   {"cnp-period", options->cnp_period_ns, PERIOD_MOST_NS},
                   {"increase-bytes", options->increase_bytes, BYTES_MOST},
                   {"fast-recovery-steps", options->fast_recovery_steps, STEPS_MOST},
                   {"alpha-shift", options->alpha_shift, ALPHA_SHIFT_MOST}};
    for (uint32_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (numbers[i].value > numbers[i].most)
            return weft_error_set(error, WEFT_INVALID,
                                  "congestion control's %s of %llu is out of range: at most %llu",
                                  numbers[i].key, (unsigned long long)numbers[i].value,
                                  (unsigned long long)numbers[i].most);
    }
    return WEFT_OK;
}

enum weft_status weft_dcqcn_check(const struct weft_congestion_options *options,
                                  struct weft_congestion_options *ret_filled,
                                  struct weft_error *error)
{
    struct weft_congestion_options filled = *options;
    if (!filled.line_rate_bps)
        return weft_error_set(error, WEFT_INVALID,
                              "this device's line rate is not known, and DCQCN starts from it; "
                              "give it: congestion: {control: dcqcn, line-rate: 100Gbps}");
    if (filled.line_rate_bps > LINE_RATE_MOST_BPS ||
        filled.line_rate_bps < WEFT_PACER_RATE_LEAST_BPS) {
        char rate[WEFT_UNITS_TEXT];
        return weft_error_set(error, WEFT_INVALID,
                              "congestion control's line-rate %s is out of range: 100kbps to "
                              "16Tbps",
                              weft_format_rate(filled.line_rate_bps, rate));
    }
    fill(&filled);
    enum weft_status status = check_rates(&filled, error);
    if (status == WEFT_OK)
        status = check_numbers(&filled, error);
    if (status == WEFT_OK)
        *ret_filled = filled;
    return status;
}

void weft_dcqcn_init(struct weft_dcqcn *dcqcn, const struct weft_congestion_options *options)
{
    *dcqcn = (struct weft_dcqcn){
        .current_bps = options->line_rate_bps,
        .target_bps = options->line_rate_bps,
        .least_bps = options->line_rate_bps,
        .alpha = WEFT_DCQCN_ALPHA_ONE,
        .alpha_due_ns = WEFT_DCQCN_NEVER,
        .increase_due_ns = WEFT_DCQCN_NEVER,
    };
}

/* Before the step is counted: so there are F steps of fast recovery, as QCN has them. */
static void increase(struct weft_dcqcn *dcqcn, const struct weft_congestion_options *options)
{
    uint32_t steps = options->fast_recovery_steps;
    bool recovering = dcqcn->timer_steps < steps && dcqcn->byte_steps < steps;
    bool hyper = dcqcn->timer_steps > steps && dcqcn->byte_steps > steps;
    if (!recovering)
        dcqcn->target_bps += hyper ? options->hyper_rate_bps : options->additive_rate_bps;
    dcqcn->target_bps = least_of(dcqcn->target_bps, options->line_rate_bps);
    /* Rounded up, so that it arrives. */
    dcqcn->current_bps = (dcqcn->current_bps + dcqcn->target_bps + 1) / 2;
    if (dcqcn->current_bps == options->line_rate_bps)
        dcqcn->increase_due_ns = WEFT_DCQCN_NEVER;
}

static void decay_alpha(struct weft_dcqcn *dcqcn, const struct weft_congestion_options *options)
{
    uint64_t part = dcqcn->alpha >> options->alpha_shift;
    dcqcn->alpha -= part;
    dcqcn->alpha_due_ns = part ? dcqcn->alpha_due_ns + options->alpha_period_ns : WEFT_DCQCN_NEVER;
}

void weft_dcqcn_advance(struct weft_dcqcn *dcqcn, const struct weft_congestion_options *options,
                        uint64_t now_ns)
{
    for (uint32_t i = 0; i < WEFT_DCQCN_STEPS_MAX; i++) {
        if (least_of(dcqcn->alpha_due_ns, dcqcn->increase_due_ns) > now_ns)
            return;
        if (dcqcn->alpha_due_ns <= dcqcn->increase_due_ns) {
            decay_alpha(dcqcn, options);
            continue;
        }
        dcqcn->increase_due_ns += options->increase_period_ns;
        increase(dcqcn, options);
        dcqcn->timer_steps++;
    }
}

void weft_dcqcn_sent(struct weft_dcqcn *dcqcn, const struct weft_congestion_options *options,
                     uint32_t len_bytes)
{
    if (dcqcn->increase_due_ns == WEFT_DCQCN_NEVER)
        return;
    if (dcqcn->bytes_left > len_bytes) {
        dcqcn->bytes_left -= len_bytes;
        return;
    }
    /* A counter shorter than a frame steps once for each frame. */
    uint64_t beyond_bytes = len_bytes - dcqcn->bytes_left;
    dcqcn->bytes_left =
        options->increase_bytes > beyond_bytes ? options->increase_bytes - beyond_bytes : 1;
    increase(dcqcn, options);
    dcqcn->byte_steps++;
}

static void decrease(struct weft_dcqcn *dcqcn, const struct weft_congestion_options *options)
{
    uint64_t cut_bps = (uint64_t)((weft_u128)dcqcn->current_bps * dcqcn->alpha /
                                  ((weft_u128)2 * WEFT_DCQCN_ALPHA_ONE));
    dcqcn->target_bps = dcqcn->current_bps;
    dcqcn->current_bps -= cut_bps;
    if (dcqcn->current_bps < options->minimum_rate_bps)
        dcqcn->current_bps = options->minimum_rate_bps;
    dcqcn->least_bps = least_of(dcqcn->least_bps, dcqcn->current_bps);
    dcqcn->alpha -= dcqcn->alpha >> options->alpha_shift;
    dcqcn->alpha += WEFT_DCQCN_ALPHA_ONE >> options->alpha_shift;
}

void weft_dcqcn_notified(struct weft_dcqcn *dcqcn, const struct weft_congestion_options *options,
                         uint64_t now_ns)
{
    weft_dcqcn_advance(dcqcn, options, now_ns);
    dcqcn->alpha_due_ns = now_ns + options->alpha_period_ns;
    if (now_ns < dcqcn->decrease_again_ns)
        return;
    dcqcn->decrease_again_ns = now_ns + options->decrease_period_ns;
    decrease(dcqcn, options);
    dcqcn->increase_due_ns = now_ns + options->increase_period_ns;
    dcqcn->bytes_left = options->increase_bytes;
    dcqcn->timer_steps = 0;
    dcqcn->byte_steps = 0;
}
