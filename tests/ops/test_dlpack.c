/* DLPack: what goes out shows the same bytes, what comes in is given back once.
 * The structs are filled and read here as a foreign library would. */
#include "tensors.h"

#include "latebind/ops/dlpack.h"

/* ---- out ----------------------------------------------------------------- */

static const struct {
    lbo_dtype dtype;
    uint8_t code, bits;
} codes[] = {{LBO_BOOL, 6, 8},  {LBO_U8, 1, 8},   {LBO_I8, 0, 8},
             {LBO_I32, 0, 32},  {LBO_I64, 0, 64}, {LBO_F16, 2, 16},
             {LBO_BF16, 4, 16}, {LBO_F32, 2, 32}, {LBO_F64, 2, 64}};

/* As a receiver finds an element. */
static const char *dl_place(const lbo_dl_tensor *dl, const int64_t *index)
{
    int64_t at = (int64_t)dl->byte_offset;

    for (int32_t i = 0; i < dl->ndim; i++)
        at += index[i] * dl->strides[i] * (dl->dtype.bits / 8);
    return (const char *)dl->data + at;
}

static void check_shown(const lbo_tensor *x, const lbo_dl_tensor *dl)
{
    int64_t index[4] = {0};

    assert_int_equal(dl->device.type, 1);
    assert_int_equal(dl->device.id, 0);
    assert_int_equal(dl->ndim, x->ndim);
    assert_int_equal(dl->dtype.lanes, 1);
    assert_memory_equal(dl->shape, x->dims, x->ndim * sizeof(int64_t));
    if (x->size > 0)
        do
            assert_ptr_equal(dl_place(dl, index), naive_place(x, index));
        while (next_index(x->ndim, x->dims, index));
}

static void what_goes_out_shows_the_same_elements(void **state)
{
    world *const w = *state;

    for (int round = 0; round < 200; round++) {
        const size_t ndim = (size_t)pick(w, 0, 4), type = (size_t)round % 9;
        lbo_dl_versioned *now;
        lbo_dl_managed *before;
        int64_t shape[4];
        random_shape(w, ndim, 4, shape);
        lbo_tensor *const x = random_view(w, codes[type].dtype, ndim, shape);
        assert_ok(lbo_to_dlpack(x, &before));
        assert_ok(lbo_to_dlpack_versioned(x, &now));
        check_shown(x, &before->tensor);
        check_shown(x, &now->tensor);
        assert_int_equal(now->tensor.dtype.code, codes[type].code);
        assert_int_equal(now->tensor.dtype.bits, codes[type].bits);
        assert_int_equal(now->version.major, 1);
        assert_int_equal(now->flags, 0);
        lbo_tensor_release(x); /* the structs keep it */
        before->deleter(before);
        assert_memory_equal(now->tensor.shape, shape, ndim * sizeof *shape);
        now->deleter(now);
    }
}

static void what_is_read_only_goes_out_as_such_or_not_at_all(void **state)
{
    world *const w = *state;
    float numbers[2] = {1, 2};
    lbo_dl_versioned *now;
    lbo_dl_managed *before = NULL;
    lbo_device *cpu;
    lbo_tensor *x;

    assert_ok(lbo_device_find(w->library, "cpu", &cpu));
    assert_ok(lbo_tensor_wrap(w->library, cpu, numbers, sizeof numbers, 0,
                              LBO_F32, 1, SHAPE(2), NULL, LBO_READ_ONLY, NULL,
                              NULL, &x));
    assert_status(LB_READ_ONLY, lbo_to_dlpack(x, &before));
    assert_null(before);
    assert_ok(lbo_to_dlpack_versioned(x, &now));
    assert_int_equal(now->flags, LBO_DL_READ_ONLY);
    now->deleter(now);
    lbo_tensor_release(x);
    assert_status(LB_BAD_ARGUMENT, lbo_to_dlpack(NULL, &before));
    assert_status(LB_BAD_ARGUMENT, lbo_to_dlpack_versioned(x = NULL, &now));
}

/* ---- in ------------------------------------------------------------------ */

static int deleted;

static void count_legacy(lbo_dl_managed *self)
{
    (void)self;
    deleted++;
}

static void count_versioned(lbo_dl_versioned *self)
{
    (void)self;
    deleted++;
}

static float memory[24];

static lbo_dl_tensor foreign(int32_t ndim, int64_t *shape, int64_t *strides)
{
    for (int i = 0; i < 24; i++)
        memory[i] = (float)i;
    return (lbo_dl_tensor){.data = memory,
                           .device = {LBO_DL_CPU, 0},
                           .ndim = ndim,
                           .dtype = {LBO_DL_FLOAT, 32, 1},
                           .shape = shape,
                           .strides = strides};
}

static void what_comes_in_is_given_back_with_the_last_view(void **state)
{
    world *const w = *state;
    int64_t shape[] = {2, 3};
    lbo_dl_versioned now = {.version = {1, 7},
                            .deleter = count_versioned,
                            .tensor = foreign(2, shape, NULL)};
    lbo_dl_managed before = {.tensor = now.tensor, .deleter = count_legacy};
    lbo_tensor *x, *y, *view = NULL;

    deleted = 0;
    assert_ok(lbo_from_dlpack_versioned(w->library, &now, &x));
    assert_ok(lbo_from_dlpack(w->library, &before, &y));
    assert_ptr_equal(x->data, memory);
    assert_numbers(y, 0, 1, 2, 3, 4, 5);
    assert_ok(lbo_transpose(w->context, &view, x, 0, NULL));
    lbo_tensor_release(x);
    assert_int_equal(deleted, 0);
    assert_numbers(view, 0, 3, 1, 4, 2, 5);
    lbo_tensor_release(view);
    assert_int_equal(deleted, 1);
    lbo_tensor_release(y);
    assert_int_equal(deleted, 2);
}

static void strides_may_go_back_and_begin_anywhere(void **state)
{
    world *const w = *state;
    int64_t shape[] = {2, 3}, strides[] = {-12, -4};
    lbo_dl_managed in = {.tensor = foreign(2, shape, strides)};
    lbo_tensor *x;

    in.tensor.byte_offset = 4 * 23;
    assert_ok(lbo_from_dlpack(w->library, &in, &x)); /* no deleter: allowed */
    assert_numbers(x, 23, 19, 15, 11, 7, 3);
    assert_ok(lbo_fill(w->context, x, -1));
    assert_true(memory[3] == -1 && memory[23] == -1 && memory[22] == 22);
    lbo_tensor_release(x);
}

static void nothing_may_come_from_nowhere(void **state)
{
    world *const w = *state;
    int64_t shape[] = {0, 3}, strides[] = {1, INT64_MAX};
    lbo_dl_managed in = {.tensor = foreign(2, shape, NULL),
                         .deleter = count_legacy};
    lbo_tensor *x;

    deleted = 0;
    in.tensor.data = NULL;
    assert_ok(lbo_from_dlpack(w->library, &in, &x));
    assert_int_equal(x->size, 0);
    lbo_tensor_release(x);
    in.tensor.strides = strides;
    assert_ok(lbo_from_dlpack(w->library, &in, &x));
    lbo_tensor_release(x);
    assert_int_equal(deleted, 2);
}

static void what_is_read_only_is_not_written(void **state)
{
    world *const w = *state;
    int64_t shape[] = {2};
    lbo_dl_versioned in = {.version = {1, 0},
                           .flags = LBO_DL_READ_ONLY,
                           .tensor = foreign(1, shape, NULL)};
    lbo_tensor *x;

    assert_ok(lbo_from_dlpack_versioned(w->library, &in, &x));
    assert_status(LB_READ_ONLY, lbo_fill(w->context, x, 1));
    assert_status(LB_BAD_ARGUMENT, lbo_write(w->context, x, memory, 8));
    assert_true(memory[1] == 1);
    lbo_tensor_release(x);
}

/* Each is wrong in one way; the struct stays the caller's. */
static void what_is_not_understood_is_refused(void **state)
{
    world *const w = *state;
    int64_t shape[] = {2, 3}, negative[] = {2, -3}, huge[] = {INT64_MAX, 3};
    int64_t far[] = {INT64_MAX / 2, INT64_MAX / 2};
    lbo_dl_tensor bad[12];
    lbo_tensor *x = NULL;

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        bad[i] = foreign(2, shape, NULL);
    bad[0].dtype = (lbo_dl_dtype){LBO_DL_UINT, 16, 1};
    bad[1].dtype.lanes = 4;
    bad[2].device.type = LBO_DL_OPENCL;
    bad[3].device.type = 10;
    bad[4].ndim = -1;
    bad[5].ndim = LBO_MAX_DIMS + 1;
    bad[6].shape = NULL;
    bad[7].shape = negative;
    bad[8].shape = huge;
    bad[9].strides = far;
    bad[10].data = NULL;
    bad[11].byte_offset = 2; /* between two elements */
    deleted = 0;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        lbo_dl_managed before = {.tensor = bad[i], .deleter = count_legacy};
        lbo_dl_versioned now = {
            .version = {1, 0}, .deleter = count_versioned, .tensor = bad[i]};
        assert_status(LB_BAD_ARGUMENT,
                      lbo_from_dlpack(w->library, &before, &x));
        assert_status(LB_BAD_ARGUMENT,
                      lbo_from_dlpack_versioned(w->library, &now, &x));
    }
    lbo_dl_versioned next = {.version = {2, 0},
                             .deleter = count_versioned,
                             .tensor = foreign(2, shape, NULL)};
    assert_status(LB_BAD_ARGUMENT,
                  lbo_from_dlpack_versioned(w->library, &next, &x));
    assert_contains(lb_message(), "version 2.0");
    assert_status(LB_BAD_ARGUMENT, lbo_from_dlpack(w->library, NULL, &x));
    assert_int_equal(deleted, 0);
    assert_null(x);
}

static void there_and_back_is_the_same_memory(void **state)
{
    world *const w = *state;
    const int64_t shape[] = {3, 2};
    lbo_tensor *const x = random_view(w, LBO_F64, 2, shape), *y;
    lbo_dl_versioned *dl;

    assert_ok(lbo_to_dlpack_versioned(x, &dl));
    assert_ok(lbo_from_dlpack_versioned(w->library, dl, &y));
    assert_ptr_equal(x->data, y->data);
    for (int64_t i = 0; i < 6; i++)
        assert_true(naive_nth(x, i) == naive_nth(y, i));
    /* Both are over one memory, which is noticed. */
    assert_true(lbo_overlap(x, y) != 0);
    lbo_tensor_release(x);
    lbo_tensor_release(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_goes_out_shows_the_same_elements),
        TEST(what_is_read_only_goes_out_as_such_or_not_at_all),
        TEST(what_comes_in_is_given_back_with_the_last_view),
        TEST(strides_may_go_back_and_begin_anywhere),
        TEST(nothing_may_come_from_nowhere),
        TEST(what_is_read_only_is_not_written),
        TEST(what_is_not_understood_is_refused),
        TEST(there_and_back_is_the_same_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
