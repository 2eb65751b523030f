/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "fabric/control/control.h"
#include "tools/weft/net/frame.h"

/* Three frames in one piece of memory: "abc", an empty one, "defgh". */
static const uint8_t stream[] = {0, 0, 0, 3, 'a', 'b', 'c', 0,   0,   0,
                                 0, 0, 0, 0, 5,   'd', 'e', 'f', 'g', 'h'};

/* Feeds the stream in pieces of `piece` bytes and writes what comes out, each with a '|'. */
static void run_pieces(size_t piece, char *out)
{
    struct weft_frame_reader reader = {0};
    size_t at = 0;
    while (at < sizeof(stream)) {
        size_t end = at + piece < sizeof(stream) ? at + piece : sizeof(stream);
        while (at < end) {
            size_t used = 0;
            struct weft_error error = {0};
            enum weft_status status =
                weft_frame_reader_take(&reader, stream + at, end - at, &used, &error);
            cr_assert(status == WEFT_OK || status == WEFT_AGAIN);
            cr_assert(used > 0 && used <= end - at);
            at += used;
            if (status == WEFT_OK) {
                memcpy(out, reader.message ? reader.message : (const uint8_t *)"",
                       reader.message_bytes);
                out += reader.message_bytes;
                *out++ = '|';
            }
        }
    }
    *out = '\0';
    cr_expect(!weft_frame_reader_within(&reader));
    weft_frame_reader_fini(&reader);
}

Test(frame, take__any_cut)
{
    for (size_t piece = 1; piece <= sizeof(stream); piece++) {
        char out[64];
        run_pieces(piece, out);
        cr_expect(strcmp(out, "abc||defgh|") == 0, "pieces of %zu: %s", piece, out);
    }
}

Test(frame, within__between_and_in_frames)
{
    static const bool expected[] = {true, true, true, true, true, true, false, true};
    struct weft_frame_reader reader = {0};
    cr_expect(!weft_frame_reader_within(&reader));
    for (size_t i = 0; i < sizeof(expected); i++) {
        size_t used = 0;
        (void)!weft_frame_reader_take(&reader, stream + i, 1, &used, NULL);
        cr_expect(weft_frame_reader_within(&reader) == expected[i], "after byte %zu", i);
    }
    weft_frame_reader_fini(&reader);
}

Test(frame, take__length_limit)
{
    struct weft_frame_reader reader = {0};
    struct weft_error error = {0};
    uint8_t header[WEFT_FRAME_HEADER_BYTES];
    size_t used = 0;

    weft_frame_header(WEFT_FRAME_BYTES_MAX, header);
    cr_expect(weft_frame_reader_take(&reader, header, 4, &used, &error) == WEFT_AGAIN);
    cr_expect(reader.room_bytes == 0, "a promise takes no memory");
    weft_frame_reader_fini(&reader);

    weft_frame_header(WEFT_FRAME_BYTES_MAX + 1, header);
    cr_expect(weft_frame_reader_take(&reader, header, 4, &used, &error) == WEFT_INVALID);
    cr_expect(strstr(error.text, "67108865"), "%s", error.text);
    weft_frame_reader_fini(&reader);
}
