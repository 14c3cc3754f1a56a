/* data.c - reading digits and text, and cutting them into batches.
 *
 * The order of the samples is a shuffle (Fisher and Yates, numbers by
 * SplitMix64, Steele et al. 2014), anew for every pass, so that a run can be
 * repeated, on every machine and device. */
#include "data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

enum { ROWS = 1797, PIXELS = 64 };

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static lb_status no_memory(void)
{
    return lbo_fail(LB_NO_MEMORY, "no memory for the samples");
}

/* ---- digits -------------------------------------------------------------- */

/* "0,0,5,...,LABEL\n": 64 pixels from 0 to 16. */
static bool read_row(const char *line, float *pixels, int64_t *label)
{
    char *end;

    for (int i = 0; i <= PIXELS; i++) {
        const long number = strtol(line, &end, 10);
        if (end == line || number < 0 || number > 16 ||
            *end != (i < PIXELS ? ',' : '\n'))
            return false;
        if (i < PIXELS)
            pixels[i] = (float)number / 16;
        else
            *label = number;
        line = end + 1;
    }
    return *label < 10;
}

static lb_status read_rows(data *d, gzFile file, const char *path)
{
    char line[512];
    int64_t train = 0, test = d->train_count;

    for (int64_t i = 0; i < ROWS; i++) {
        int64_t *const place = i % 5 == 4 ? &test : &train;
        if (gzgets(file, line, sizeof line) == NULL ||
            !read_row(line, d->pixels + *place * PIXELS, &d->labels[*place]))
            return lbo_fail(LB_BAD_ARGUMENT,
                            "%s, line %lld: 65 numbers are wanted", path,
                            (long long)i + 1);
        ++*place;
    }
    return LB_OK;
}

static lb_status open_digits(data *d, const char *folder)
{
    char path[4096];
    gzFile file;
    lb_status status;

    (void)snprintf(path, sizeof path, "%s/digits/digits.csv.gz", folder);
    d->test_count = ROWS / 5;
    d->train_count = ROWS - d->test_count;
    d->classes = 10;
    d->pixels = malloc(ROWS * PIXELS * sizeof *d->pixels);
    d->labels = malloc(ROWS * sizeof *d->labels);
    if (d->pixels == NULL || d->labels == NULL)
        return no_memory();
    file = gzopen(path, "rb");
    if (file == NULL)
        return lbo_fail(LB_NOT_FOUND, "%s cannot be opened", path);
    status = read_rows(d, file, path);
    (void)gzclose(file);
    return status;
}

/* ---- text ---------------------------------------------------------------- */

static lb_status read_text(data *d, FILE *file, const char *path, size_t *size)
{
    if (fseek(file, 0, SEEK_END) != 0)
        return lbo_fail(LB_BAD_ARGUMENT, "%s is no plain file", path);
    const long end = ftell(file);
    rewind(file);
    if (end < 20 * (d->context + 1))
        return lbo_fail(LB_BAD_ARGUMENT, "%s is too short", path);
    *size = (size_t)end;
    d->text = malloc(*size);
    if (d->text == NULL)
        return no_memory();
    if (fread(d->text, 1, *size, file) != *size)
        return lbo_fail(LB_BAD_ARGUMENT, "%s cannot be read", path);
    return LB_OK;
}

/* Characters become numbers, in their order. */
static void number_symbols(data *d, size_t size)
{
    unsigned char number[256] = {0};
    bool seen[256] = {false};

    for (size_t i = 0; i < size; i++)
        seen[d->text[i]] = true;
    for (int c = 0; c < 256; c++)
        if (seen[c]) {
            number[c] = (unsigned char)d->classes;
            d->symbols[d->classes++] = (char)c;
        }
    for (size_t i = 0; i < size; i++)
        d->text[i] = number[d->text[i]];
}

static lb_status open_text(data *d, const char *folder)
{
    char path[4096];
    size_t size = 0;
    FILE *file;
    lb_status status;

    (void)snprintf(path, sizeof path, "%s/text/tinyshakespeare.txt", folder);
    file = fopen(path, "rb");
    if (file == NULL)
        return lbo_fail(LB_NOT_FOUND, "%s cannot be opened", path);
    status = read_text(d, file, path, &size);
    (void)fclose(file);
    if (status != LB_OK)
        return status;
    number_symbols(d, size);
    /* samples side by side, each with the character after it */
    const int64_t samples = ((int64_t)size - 1) / d->context;
    d->test_count = samples / 10;
    d->train_count = samples - d->test_count;
    return LB_OK;
}

/* ---- both ---------------------------------------------------------------- */

lb_status data_open(data *d, data_kind kind, const char *folder,
                    int64_t context, uint64_t seed)
{
    lb_status status;

    memset(d, 0, sizeof *d);
    d->kind = kind;
    d->context = context;
    d->random = seed;
    status =
        kind == DATA_DIGITS ? open_digits(d, folder) : open_text(d, folder);
    if (status != LB_OK)
        return status;
    d->order = malloc((size_t)d->train_count * sizeof *d->order);
    if (d->order == NULL)
        return no_memory();
    for (int64_t i = 0; i < d->train_count; i++)
        d->order[i] = i;
    d->at = d->train_count; /* shuffled before the first batch */
    return LB_OK;
}

void data_close(data *d)
{
    free(d->pixels);
    free(d->labels);
    free(d->text);
    free(d->order);
    memset(d, 0, sizeof *d);
}

static void shuffle(data *d)
{
    for (int64_t i = d->train_count - 1; i > 0; i--) {
        const int64_t k =
            (int64_t)(next_random(&d->random) % (uint64_t)(i + 1));
        const int64_t held = d->order[i];
        d->order[i] = d->order[k];
        d->order[k] = held;
    }
    d->at = 0;
}

static lb_status digits_batch(const data *d, lbo_context *context,
                              const int64_t *samples, int64_t count,
                              lbo_tensor **x, lbo_tensor **y)
{
    float *const pixels = malloc((size_t)count * PIXELS * sizeof *pixels);
    int64_t *const labels = malloc((size_t)count * sizeof *labels);
    lb_status status = pixels && labels ? LB_OK : no_memory();

    for (int64_t i = 0; i < count && status == LB_OK; i++) {
        memcpy(pixels + i * PIXELS, d->pixels + samples[i] * PIXELS,
               PIXELS * sizeof *pixels);
        labels[i] = d->labels[samples[i]];
    }
    if (status == LB_OK)
        status = lbo_from_data(context, LBO_F32, 4, (int64_t[]){count, 1, 8, 8},
                               pixels, x);
    if (status == LB_OK)
        status = lbo_from_data(context, LBO_I64, 1, &count, labels, y);
    free(pixels);
    free(labels);
    return status;
}

static lb_status text_batch(const data *d, lbo_context *context,
                            const int64_t *samples, int64_t count,
                            lbo_tensor **x, lbo_tensor **y)
{
    const int64_t all = count * d->context;
    int64_t *const in = malloc((size_t)all * sizeof *in);
    int64_t *const out = malloc((size_t)all * sizeof *out);
    lb_status status = in && out ? LB_OK : no_memory();

    for (int64_t i = 0; i < all && status == LB_OK; i++) {
        const unsigned char *const from =
            d->text + samples[i / d->context] * d->context + i % d->context;
        in[i] = from[0];
        out[i] = from[1];
    }
    if (status == LB_OK)
        status = lbo_from_data(context, LBO_I64, 2,
                               (int64_t[]){count, d->context}, in, x);
    if (status == LB_OK)
        status = lbo_from_data(context, LBO_I64, 1, &all, out, y);
    free(in);
    free(out);
    return status;
}

static lb_status make_batch(const data *d, lbo_context *context,
                            const int64_t *samples, int64_t count,
                            lbo_tensor **x, lbo_tensor **y)
{
    lb_status status;

    *x = *y = NULL;
    status = (d->kind == DATA_DIGITS ? digits_batch : text_batch)(
        d, context, samples, count, x, y);
    if (status != LB_OK) {
        lbo_tensor_release(*x);
        *x = NULL;
    }
    return status;
}

/* What is left of a pass may be too little for a batch: the next begins. */
void data_skip(data *d, int64_t size)
{
    if (d->at + size > d->train_count)
        shuffle(d);
    d->at += size;
}

lb_status data_next(data *d, lbo_context *context, int64_t size, int64_t first,
                    int64_t count, lbo_tensor **x, lbo_tensor **y)
{
    if (size < 1 || size > d->train_count)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "a batch of %lld samples; there are 1 to %lld",
                        (long long)size, (long long)d->train_count);
    data_skip(d, size);
    return make_batch(d, context, d->order + d->at - size + first, count, x, y);
}

lb_status data_test(data *d, lbo_context *context, int64_t from, int64_t count,
                    lbo_tensor **x, lbo_tensor **y)
{
    int64_t *const samples = malloc((size_t)count * sizeof *samples);
    lb_status status;

    if (samples == NULL)
        return no_memory();
    for (int64_t i = 0; i < count; i++)
        samples[i] = d->train_count + from + i;
    status = make_batch(d, context, samples, count, x, y);
    free(samples);
    return status;
}
