/* The lines of a file, plain or compressed by xz, as a stream.
 *
 *   1. Bytes are read to `raw`; the first six tell whether they are xz.
 *   2. They are unpacked, or copied, to the end of `text`.
 *   3. A line is what stands there up to the next newline. When there is none,
 *      the rest moves to the front and `text` grows, up to the limit.
 *
 * Memory: one line at most, 64 KiB, and what the decoder takes (limited too).
 * A small file may unpack to a huge one: limits.text ends that. */
#include "lines.h"

#include <errno.h>
#include <inttypes.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>

enum { RAW_SIZE = 1 << 16, DECODER_MIB = 128 };

struct lines {
    FILE *in;
    const char *name;
    line_limits limits;
    lzma_stream decoder;
    bool compressed, started, ended;
    char *text; /* capacity bytes; lines are at from..to */
    size_t from, to, capacity;
    size_t searched; /* there is no newline in from..searched */
    uint64_t number, unpacked;
    size_t raw_from, raw_to;
    uint8_t raw[RAW_SIZE];
};

lines *lines_open(FILE *in, const char *name, line_limits limits)
{
    lines *l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    l->capacity = 2 * RAW_SIZE;
    l->text = malloc(l->capacity);
    if (l->text == NULL) {
        free(l);
        return NULL;
    }
    l->in = in;
    l->name = name;
    l->limits = limits;
    l->decoder = (lzma_stream)LZMA_STREAM_INIT;
    return l;
}

void lines_close(lines *l)
{
    if (l == NULL)
        return;
    lzma_end(&l->decoder);
    free(l->text);
    free(l);
}

uint64_t lines_number(const lines *l)
{
    return l->number;
}

/* What is wrong stands in the line after the one that was read last. */
static bool wrong(const lines *l, fault *why, const char *what)
{
    return fault_set(why, l->name, l->number + 1, "%s", what);
}

static bool read_raw(lines *l, fault *why)
{
    if (l->raw_from < l->raw_to)
        return true;
    l->raw_from = 0;
    l->raw_to = fread(l->raw, 1, RAW_SIZE, l->in);
    return !ferror(l->in) || wrong(l, why, strerror(errno ? errno : EIO));
}

/* ---- Unpacking --------------------------------------------------------- */

static bool start(lines *l, fault *why)
{
    static const uint8_t magic[] = {0xfd, '7', 'z', 'X', 'Z', 0};
    if (!read_raw(l, why))
        return false;
    l->started = true;
    l->compressed =
        l->raw_to >= sizeof magic && memcmp(l->raw, magic, sizeof magic) == 0;
    if (l->compressed &&
        lzma_stream_decoder(&l->decoder, (uint64_t)DECODER_MIB << 20,
                            LZMA_CONCATENATED) != LZMA_OK)
        return wrong(l, why, "out of memory");
    return true;
}

static const char *decoder_message(lzma_ret result)
{
    switch (result) {
    case LZMA_BUF_ERROR:
        return "the compressed data are cut off";
    case LZMA_MEMLIMIT_ERROR:
        return "unpacking needs more than 128 MiB of memory";
    case LZMA_MEM_ERROR:
        return "out of memory";
    case LZMA_OPTIONS_ERROR:
        return "compressed in a way that is not known here";
    default:
        return "the compressed data are damaged";
    }
}

/* Unpacks to at most `room` bytes at `to`; at least one, or the end. */
static bool unpack(lines *l, char *to, size_t room, fault *why)
{
    lzma_stream *d = &l->decoder;
    d->next_out = (uint8_t *)to;
    d->avail_out = room;
    while (d->avail_out == room && !l->ended) {
        if (!read_raw(l, why))
            return false;
        d->next_in = l->raw + l->raw_from;
        d->avail_in = l->raw_to - l->raw_from;
        const lzma_ret result =
            lzma_code(d, d->avail_in ? LZMA_RUN : LZMA_FINISH);
        l->raw_from = l->raw_to - d->avail_in;
        l->ended = result == LZMA_STREAM_END;
        if (result != LZMA_OK && !l->ended)
            return wrong(l, why, decoder_message(result));
    }
    l->to += room - d->avail_out;
    return true;
}

static bool copy(lines *l, char *to, size_t room, fault *why)
{
    if (!read_raw(l, why))
        return false;
    const size_t here = l->raw_to - l->raw_from;
    const size_t size = here < room ? here : room;
    memcpy(to, l->raw + l->raw_from, size);
    l->raw_from += size;
    l->to += size;
    l->ended = size == 0;
    return true;
}

/* ---- Lines ------------------------------------------------------------- */

/* Makes room for more text behind what has not been handed out yet. */
static bool make_room(lines *l, fault *why)
{
    memmove(l->text, l->text + l->from, l->to - l->from);
    l->to -= l->from;
    l->from = 0;
    l->searched = l->to;
    if (l->capacity - l->to >= RAW_SIZE)
        return true;
    char *text = realloc(l->text, 2 * l->capacity);
    if (text == NULL)
        return wrong(l, why, "out of memory");
    l->text = text;
    l->capacity *= 2;
    return true;
}

static bool read_more(lines *l, fault *why)
{
    if (l->to - l->from > l->limits.line)
        return fault_set(why, l->name, l->number + 1,
                         "a line of more than %zu bytes; that is the limit",
                         l->limits.line);
    if ((!l->started && !start(l, why)) || !make_room(l, why))
        return false;
    const size_t before = l->to, room = l->capacity - l->to;
    if (!(l->compressed ? unpack : copy)(l, l->text + l->to, room, why))
        return false;
    l->unpacked += l->to - before;
    if (l->unpacked > l->limits.text)
        return fault_set(why, l->name, l->number + 1,
                         "more than %" PRIu64
                         " bytes of text; that is the limit",
                         l->limits.text);
    return true;
}

/* The end of the next line, reading on for it; NULL at the end of the file, or
 * when something is wrong. */
static char *find_end(lines *l, fault *why, bool *failed)
{
    l->searched = l->from;
    for (;;) {
        char *end = l->to > l->searched ? memchr(l->text + l->searched, '\n',
                                                 l->to - l->searched)
                                        : NULL;
        if (end || l->ended)
            return end;
        if (!read_more(l, why)) {
            *failed = true;
            return NULL;
        }
    }
}

int lines_next(lines *l, char **line, fault *why)
{
    bool failed = false;
    char *end = find_end(l, why, &failed);
    if (failed)
        return -1;
    if (end == NULL && l->from == l->to)
        return 0;
    if (end == NULL) {
        wrong(l, why, "the line has no end; the file seems to be cut off");
        return -1;
    }
    *line = l->text + l->from;
    const size_t size = (size_t)(end - *line);
    if (size > l->limits.line || memchr(*line, '\0', size)) {
        wrong(l, why,
              size > l->limits.line ? "the line is too long"
                                    : "a byte of value 0; a trace is text");
        return -1;
    }
    *end = '\0';
    l->from += size + 1;
    l->number++;
    return 1;
}
