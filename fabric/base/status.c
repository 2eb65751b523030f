/* SPDX-License-Identifier: BSD-3-Clause */
#include "fabric/base/status.h"

static const char *const texts[WEFT_STATUS_COUNT] = {
    [WEFT_OK] = "done",
    [WEFT_AGAIN] = "not yet",
    [WEFT_INVALID] = "invalid",
    [WEFT_UNSUPPORTED] = "not supported",
    [WEFT_NOT_FOUND] = "not found",
    [WEFT_EXISTS] = "exists already",
    [WEFT_PERMISSION] = "no permission",
    [WEFT_NO_MEMORY] = "out of memory",
    [WEFT_IO] = "input or output failed",
    [WEFT_TIMEOUT] = "timed out",
    [WEFT_PEER_LOST] = "peer lost",
    [WEFT_FLUSHED] = "flushed: the queue pair is in error",
    [WEFT_LOCAL_LENGTH] = "local length error",
    [WEFT_LOCAL_PROTECTION] = "local protection error",
    [WEFT_REMOTE_INVALID_REQUEST] = "remote invalid request",
    [WEFT_REMOTE_ACCESS] = "remote access error",
    [WEFT_REMOTE_OPERATION] = "remote operation error",
    [WEFT_RETRY_EXCEEDED] = "no acknowledgement: retry limit exceeded",
    [WEFT_RNR_RETRY_EXCEEDED] = "receiver not ready: retry limit exceeded",
};

const char *weft_status_text(enum weft_status status)
{
    if ((unsigned)status >= WEFT_STATUS_COUNT)
        return "unknown status";
    return texts[status];
}
