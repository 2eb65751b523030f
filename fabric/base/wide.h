/* SPDX-License-Identifier: BSD-3-Clause */
/* 128-bit whole numbers: a compiler's extension, named once so that it may be used under
 * -Wpedantic. */
#ifndef WEFT_BASE_WIDE_H
#define WEFT_BASE_WIDE_H

__extension__ typedef unsigned __int128 weft_u128;

#endif
