/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole text files. */
#ifndef WEFT_TOOLS_FILES_H
#define WEFT_TOOLS_FILES_H

#include "fabric/base/error.h"

/* Reads a plan or a topology. `name` must outlive the source; the caller frees `ret_source->text`
 * with weft_source_fini. */
WEFT_CHECKED enum weft_status weft_source_read(const char *name, struct weft_source *ret_source,
                                               struct weft_error *error);
void weft_source_fini(struct weft_source *source);

/* Writes folder/name through a temporary name: either the whole file appears or none of it. */
WEFT_CHECKED enum weft_status weft_file_write(const char *folder, const char *name,
                                              const char *text, size_t len_bytes,
                                              struct weft_error *error);

#endif
