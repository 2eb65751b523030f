/* SPDX-License-Identifier: BSD-3-Clause */
/* Nodes that run a pattern's schedule over driver sim. */
#ifndef WEFT_TESTS_SIM_PATTERN_H
#define WEFT_TESTS_SIM_PATTERN_H

#include "record.h"
#include "scenario.h"

/* Runs the scenario; what is broken is in the record. */
void pattern_run(const struct scenario *scenario, struct record *record);

#endif
