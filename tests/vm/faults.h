/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WEFT_TESTS_VM_FAULTS_H
#define WEFT_TESTS_VM_FAULTS_H

#include "tests/vm/end.h"

/* What goes wrong on a connection, one way after another, by what a posts; leaves both without an
 * endpoint. */
void faults(struct end *a, struct end *b);
/* Of verbs: completions of an endpoint that is gone. Leaves both connected. */
void leftovers(struct end *a, struct end *b);
/* What verbs' open and create must refuse, with an error that says what to do. */
void refusals(void);

#endif
