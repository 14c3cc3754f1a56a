/* shapes.h - the models that are compared, for both sides. They are those of
 * examples/training. */
#ifndef BENCH_OPS_SHAPES_H
#define BENCH_OPS_SHAPES_H

enum {
    BENCH_BATCH = 32,
    BENCH_MLP_HIDDEN = 128,
    BENCH_CNN_WIDTH = 32, /* channels; the second layer has twice as many */
    BENCH_GPT_SYMBOLS = 65,
    BENCH_GPT_SIZE = 128,
    BENCH_GPT_HEADS = 4,
    BENCH_GPT_BLOCKS = 4,
    BENCH_GPT_CONTEXT = 64
};

#endif
