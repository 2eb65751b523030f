/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WEFT_TESTS_VM_FAULTS_H
#define WEFT_TESTS_VM_FAULTS_H

#include "tests/vm/end.h"

/* What goes wrong on a connection, one way after another; leaves both without an endpoint. */
void faults(struct end *a, struct end *b);
/* What open and create must refuse, with an error that says what to do. */
void refusals(void);

#endif
