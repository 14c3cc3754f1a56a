/* data.h - what the examples train on: digits and text. */
#ifndef TRAINING_DATA_H
#define TRAINING_DATA_H

#include <latebind/ops.h>

typedef enum data_kind { DATA_DIGITS, DATA_TEXT, DATA_KIND_COUNT } data_kind;

/* One set of samples, on the host.
 *
 * Digits: a sample is a row of 64 pixels (0..1) with its label; every fifth row
 * is kept for the test. Text: a sample is a place in the text, from which
 * `context` characters are read; the last tenth is kept for the test. */
typedef struct data {
    data_kind kind;
    int64_t context; /* text: characters per sample */
    int64_t train_count, test_count;
    int64_t classes;
    float *pixels; /* digits: the rows of the test behind the others */
    int64_t *labels;
    unsigned char *text; /* numbers of symbols */
    char symbols[256];
    uint64_t random; /* the order of the samples */
    int64_t *order;
    int64_t at;
} data;

/* Reads the set from `folder` ("data"). */
lb_status data_open(data *d, data_kind kind, const char *folder,
                    int64_t context, uint64_t seed);
void data_close(data *d);

/* The next `size` samples of the training part in an order that is another one
 * for each pass; of these, those from `first` on, `count` many (a process's
 * share; all: 0, size).
 * x   digits: f32 [count, 1, 8, 8]; text: i64 [count, context]
 * y   i64 [count], [count * context] */
lb_status data_next(data *d, lbo_context *context, int64_t size, int64_t first,
                    int64_t count, lbo_tensor **x, lbo_tensor **y);

/* Passes over a batch of `size`, as data_next would. */
void data_skip(data *d, int64_t size);

/* `count` samples of the test part from number `from` on. */
lb_status data_test(data *d, lbo_context *context, int64_t from, int64_t count,
                    lbo_tensor **x, lbo_tensor **y);

#endif
