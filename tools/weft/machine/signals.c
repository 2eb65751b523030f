/* SPDX-License-Identifier: BSD-3-Clause */
#include "tools/weft/machine/signals.h"

#include <signal.h>
#include <stddef.h>

uint32_t weft_signals_stop(int numbers[WEFT_STOP_SIGNALS])
{
    struct sigaction hangup;
    uint32_t count = 0;
    numbers[count++] = SIGINT;
    numbers[count++] = SIGTERM;
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
        numbers[count++] = SIGHUP;
    return count;
}
