/* SPDX-License-Identifier: BSD-3-Clause */
/* What a weft function returns, and the marks that go on declarations. */
#ifndef WEFT_BASE_STATUS_H
#define WEFT_BASE_STATUS_H

/* A status must be looked at: a dropped one is a compiler error. */
#define WEFT_CHECKED __attribute__((warn_unused_result))
#define WEFT_FORMAT(format_index, first_argument) \
    __attribute__((format(printf, format_index, first_argument)))

enum weft_status {
    WEFT_OK = 0,
    WEFT_AGAIN, /* nothing wrong: not yet, or no room now */

    /* The caller's or the user's mistake; nothing was done. */
    WEFT_INVALID,
    WEFT_UNSUPPORTED,
    WEFT_NOT_FOUND,
    WEFT_EXISTS,
    WEFT_PERMISSION,

    /* The world's. */
    WEFT_NO_MEMORY,
    WEFT_IO,
    WEFT_TIMEOUT,
    WEFT_PEER_LOST,

    /* How a posted operation ended, by the names of libibverbs' ibv_wc_status (IBTA vol. 1,
     * 11.6.2). */
    WEFT_FLUSHED,
    WEFT_LOCAL_LENGTH,
    WEFT_LOCAL_PROTECTION,
    WEFT_REMOTE_INVALID_REQUEST,
    WEFT_REMOTE_ACCESS,
    WEFT_REMOTE_OPERATION,
    WEFT_RETRY_EXCEEDED,
    WEFT_RNR_RETRY_EXCEEDED,

    WEFT_STATUS_COUNT
};

/* A few plain words, such as "retry limit exceeded"; never NULL. */
const char *weft_status_text(enum weft_status status);

#endif
