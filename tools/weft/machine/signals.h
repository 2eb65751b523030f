/* SPDX-License-Identifier: BSD-3-Clause */
/* Which signals end a command in good order. */
#ifndef WEFT_TOOLS_SIGNALS_H
#define WEFT_TOOLS_SIGNALS_H

#include <stdint.h>

#define WEFT_STOP_SIGNALS 3u

/* SIGINT and SIGTERM; SIGHUP too, unless the caller has it ignored, as nohup does. Returns how
 * many. */
uint32_t weft_signals_stop(int numbers[WEFT_STOP_SIGNALS]);

#endif
