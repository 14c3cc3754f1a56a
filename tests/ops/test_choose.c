/* Elements by index, and tensors joined: against loops over the definition. */
#include "tensors.h"

/* Indices of any strides, below `size`. */
static lbo_tensor *random_indices(world *w, lbo_dtype dtype, size_t ndim,
                                  const int64_t *shape, int64_t size)
{
    lbo_tensor *const x = random_view(w, dtype, ndim, shape);
    int64_t index[LBO_MAX_DIMS] = {0};

    if (x->size == 0)
        return x;
    do {
        const int64_t wide = pick(w, 0, size - 1);
        const int32_t narrow = (int32_t)wide;
        memcpy(naive_place(x, index),
               dtype == LBO_I64 ? (const void *)&wide : &narrow,
               lbo_dtype_size(dtype));
    } while (next_index(ndim, shape, index));
    return x;
}

static void embedding_gives_the_rows(void **state)
{
    world *const w = *state;

    for (int round = 0; round < 400; round++) {
        const lbo_dtype dtype = (lbo_dtype)pick(w, 0, 8);
        const lbo_dtype kind = pick(w, 0, 1) ? LBO_I64 : LBO_I32;
        const size_t ndim = (size_t)pick(w, 0, 3);
        const int64_t table[] = {pick(w, 1, 6), pick(w, 0, 5)};
        int64_t shape[4], index[4] = {0};
        random_shape(w, ndim, 4, shape);
        lbo_tensor *const weight = random_view(w, dtype, 2, table);
        lbo_tensor *const indices =
            random_indices(w, kind, ndim, shape, table[0]);
        shape[ndim] = table[1];
        lbo_tensor *out =
            pick(w, 0, 1) ? random_view(w, dtype, ndim + 1, shape) : NULL;
        assert_ok(lbo_embedding(w->context, &out, weight, indices));
        assert_shape_is(out, ndim + 1, shape);
        if (out->size > 0)
            do {
                const int64_t place[] = {(int64_t)naive_at(indices, index),
                                         index[ndim]};
                assert_true(naive_at(out, index) == naive_at(weight, place));
            } while (next_index(ndim + 1, shape, index));
        lbo_tensor_release(weight);
        lbo_tensor_release(indices);
        lbo_tensor_release(out);
    }
}

static void the_gradient_of_embedding_adds_rows(void **state)
{
    world *const w = *state;

    for (int round = 0; round < 200; round++) {
        const lbo_dtype dtype = (lbo_dtype)pick(w, LBO_F16, LBO_F64);
        const int64_t table[] = {pick(w, 1, 5), pick(w, 0, 4)};
        const int64_t shape[] = {pick(w, 0, 3), pick(w, 1, 2), table[1]};
        double sums[5][4] = {{0}};
        int64_t index[3] = {0};
        lbo_tensor *out = NULL;
        lbo_tensor *const like = random_view(w, dtype, 2, table);
        lbo_tensor *const indices =
            random_indices(w, LBO_I64, 2, shape, table[0]);
        lbo_tensor *const g = random_view(w, dtype, 3, shape);
        assert_ok(lbo_embedding_backward(w->context, &out, g, indices, like));
        assert_shape_is(out, 2, table);
        assert_int_equal(out->dtype, dtype);
        if (g->size > 0)
            do
                sums[(int)naive_at(indices, index)][index[2]] +=
                    naive_at(g, index);
            while (next_index(3, shape, index));
        for (int64_t i = 0; i < table[0]; i++)
            for (int64_t j = 0; j < table[1]; j++)
                assert_true(fabs(naive_at(out, SHAPE(i, j)) - sums[i][j]) <=
                            (dtype == LBO_BF16 ? 0x1p-8 : 0) *
                                fabs(sums[i][j]));
        lbo_tensor_release(like);
        lbo_tensor_release(indices);
        lbo_tensor_release(g);
        lbo_tensor_release(out);
    }
}

static void an_index_outside_is_named_with_its_place(void **state)
{
    world *const w = *state;
    const int64_t numbers[] = {0, 1, 2, 0, 3, 1}, less = -1;
    lbo_tensor *const weight =
        make(w, LBO_F32, 2, SHAPE(3, 1), NUMBERS(1, 2, 3));
    lbo_tensor *indices, *negative, *out = NULL, *hollow, *turned = NULL;

    assert_ok(
        lbo_from_data(w->context, LBO_I64, 2, SHAPE(2, 3), numbers, &indices));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_embedding(w->context, &out, weight, indices));
    assert_contains(lb_message(), "embedding: the index 3 at [1, 1] is "
                                  "outside; there are 3");
    assert_ok(lbo_transpose(w->context, &turned, indices, 0, NULL));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_gather(w->context, &out, weight, turned, 0));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_embedding(w->context, &out, weight, turned));
    assert_contains(lb_message(), "the index 3 at [1, 1]");
    assert_ok(
        lbo_from_data(w->context, LBO_I64, 2, SHAPE(1, 1), &less, &negative));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_gather(w->context, &out, weight, negative, 0));
    assert_contains(lb_message(), "gather: the index -1 at [0, 0]");
    assert_ok(lbo_empty(w->context, LBO_F32, 2, SHAPE(0, 4), &hollow));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_embedding(w->context, &out, hollow, indices));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_gather(w->context, &out, hollow, negative, 0));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_embedding(w->context, &out, indices, weight));
    assert_contains(lb_message(), "embedding: indices is f32; i64 or i32");
    assert_status(LB_BAD_ARGUMENT,
                  lbo_embedding(w->context, &out, weight, NULL));
    assert_null(out);
    lbo_tensor_release(weight);
    lbo_tensor_release(indices);
    lbo_tensor_release(turned);
    lbo_tensor_release(negative);
    lbo_tensor_release(hollow);
}

static void rows_without_elements_want_good_indices_too(void **state)
{
    world *const w = *state;
    const int64_t five = 5;
    lbo_tensor *weight, *indices, *out = NULL;

    assert_ok(lbo_empty(w->context, LBO_F32, 2, SHAPE(3, 0), &weight));
    assert_ok(lbo_from_data(w->context, LBO_I64, 1, SHAPE(1), &five, &indices));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_embedding(w->context, &out, weight, indices));
    assert_contains(lb_message(), "the index 5 at [0]");
    lbo_tensor_release(weight);
    lbo_tensor_release(indices);
}

static void gather_and_its_gradient_follow_the_index(void **state)
{
    world *const w = *state;

    for (int round = 0; round < 400; round++) {
        const lbo_dtype dtype = (lbo_dtype)pick(w, 0, 8);
        const size_t ndim = (size_t)pick(w, 1, 4);
        const int64_t dim = pick(w, 0, (int64_t)ndim - 1);
        int64_t shape[4], part[4], index[4] = {0}, place[4];
        lbo_tensor *out = NULL, *back = NULL, *wide = NULL;
        for (size_t i = 0; i < ndim; i++) {
            shape[i] = pick(w, 1, 4);
            part[i] = i == (size_t)dim ? pick(w, 0, 6) : pick(w, 0, shape[i]);
        }
        lbo_tensor *const x = random_view(w, dtype, ndim, shape);
        lbo_tensor *const choice = random_indices(
            w, pick(w, 0, 1) ? LBO_I64 : LBO_I32, ndim, part, shape[dim]);
        assert_ok(lbo_gather(w->context, &out, x, choice,
                             pick(w, 0, 1) ? dim : dim - (int64_t)ndim));
        assert_shape_is(out, ndim, part);
        assert_ok(lbo_cast(w->context, &wide, out, LBO_F64));
        assert_ok(lbo_gather_backward(w->context, &back, wide, choice, x, dim));
        assert_shape_is(back, ndim, shape);
        if (out->size > 0)
            do {
                memcpy(place, index, sizeof place);
                place[dim] = (int64_t)naive_at(choice, index);
                assert_true(naive_at(out, index) == naive_at(x, place));
                *(double *)(void *)naive_place(back, place) -=
                    naive_at(out, index);
            } while (next_index(ndim, part, index));
        /* What was added is taken away again: small integers, exact. */
        for (int64_t i = 0; i < back->size; i++)
            assert_true(naive_nth(back, i) == 0);
        lbo_tensor_release(x);
        lbo_tensor_release(choice);
        lbo_tensor_release(out);
        lbo_tensor_release(wide);
        lbo_tensor_release(back);
    }
}

static void gradients_of_half_types_stay_half(void **state)
{
    world *const w = *state;
    const int64_t numbers[] = {1, 1};
    lbo_tensor *const g = make(w, LBO_F16, 1, SHAPE(2), NUMBERS(1, 2));
    lbo_tensor *const like = make(w, LBO_F16, 1, SHAPE(3), NUMBERS(0, 0, 0));
    lbo_tensor *choice, *out = NULL;

    assert_ok(
        lbo_from_data(w->context, LBO_I64, 1, SHAPE(2), numbers, &choice));
    assert_ok(lbo_gather_backward(w->context, &out, g, choice, like, 0));
    assert_int_equal(out->dtype, LBO_F16);
    assert_numbers(out, 0, 3, 0);
    lbo_tensor_release(g);
    lbo_tensor_release(like);
    lbo_tensor_release(choice);
    lbo_tensor_release(out);
}

static void concat_joins_and_promotes(void **state)
{
    world *const w = *state;

    for (int round = 0; round < 300; round++) {
        const size_t ndim = (size_t)pick(w, 1, 3),
                     count = (size_t)pick(w, 1, 4);
        const int64_t dim = pick(w, 0, (int64_t)ndim - 1);
        int64_t shape[3], index[3] = {0}, size = 0;
        lbo_tensor *in[4], *out = NULL;
        int dtype = LBO_ANY_DTYPE;
        random_shape(w, ndim, 4, shape);
        for (size_t i = 0; i < count; i++) {
            shape[dim] = pick(w, 0, 3);
            size += shape[dim];
            in[i] = random_view(w, (lbo_dtype)pick(w, 0, 8), ndim, shape);
            dtype = dtype < 0 ? in[i]->dtype
                              : (int)lbo_promote((lbo_dtype)dtype,
                                                 (lbo_dtype)in[i]->dtype);
        }
        assert_ok(lbo_concat(w->context, &out, in, count, dim));
        shape[dim] = size;
        assert_shape_is(out, ndim, shape);
        assert_int_equal(out->dtype, dtype);
        if (out->size > 0)
            do {
                int64_t place[3];
                size_t i = 0;
                memcpy(place, index, sizeof place);
                while (place[dim] >= in[i]->dims[dim])
                    place[dim] -= in[i++]->dims[dim];
                assert_true(naive_at(out, index) ==
                            (dtype == LBO_U8
                                 ? (uint8_t)(int)naive_at(in[i], place)
                                 : naive_at(in[i], place)));
            } while (next_index(ndim, shape, index));
        for (size_t i = 0; i < count; i++)
            lbo_tensor_release(in[i]);
        lbo_tensor_release(out);
    }
}

static void stack_makes_a_dimension_anywhere(void **state)
{
    world *const w = *state;

    for (int round = 0; round < 200; round++) {
        const size_t ndim = (size_t)pick(w, 0, 3),
                     count = (size_t)pick(w, 1, 3);
        const int64_t dim = pick(w, 0, (int64_t)ndim);
        int64_t shape[3], index[4] = {0};
        lbo_tensor *in[3], *out = NULL;
        random_shape(w, ndim, 4, shape);
        for (size_t i = 0; i < count; i++)
            in[i] = random_view(w, LBO_F32, ndim, shape);
        assert_ok(lbo_stack(w->context, &out, in, count,
                            pick(w, 0, 1) ? dim : dim - (int64_t)ndim - 1));
        assert_int_equal(out->ndim, ndim + 1);
        assert_int_equal(out->dims[dim], count);
        if (out->size > 0)
            do {
                int64_t place[3];
                for (size_t i = 0; i < ndim; i++)
                    place[i] = index[(int64_t)i < dim ? i : i + 1];
                assert_true(naive_at(out, index) ==
                            naive_at(in[index[dim]], place));
            } while (next_index(ndim + 1, lbo_shape(out), index));
        for (size_t i = 0; i < count; i++)
            lbo_tensor_release(in[i]);
        lbo_tensor_release(out);
    }
}

static void what_does_not_go_together_is_not_joined(void **state)
{
    world *const w = *state;
    lbo_tensor *const a = make(w, LBO_F32, 2, SHAPE(1, 2), NUMBERS(1, 2));
    lbo_tensor *const b = make(w, LBO_F32, 2, SHAPE(1, 1), NUMBERS(3));
    lbo_tensor *const flat = make(w, LBO_F32, 0, NULL, NUMBERS(3));
    lbo_tensor *const both[] = {a, b}, *const flats[] = {flat, flat};
    lbo_tensor *const none[] = {a, NULL};
    lbo_tensor *out = NULL;

    assert_status(LB_BAD_ARGUMENT, lbo_concat(w->context, &out, both, 2, 0));
    assert_contains(lb_message(), "concat: a tensor has shape [1, 1], the "
                                  "first [1, 2]");
    assert_status(LB_BAD_ARGUMENT, lbo_stack(w->context, &out, both, 2, 0));
    assert_status(LB_BAD_ARGUMENT, lbo_concat(w->context, &out, flats, 2, 0));
    assert_contains(lb_message(), "stack can");
    assert_status(LB_BAD_ARGUMENT, lbo_concat(w->context, &out, both, 0, 0));
    assert_status(LB_BAD_ARGUMENT, lbo_concat(w->context, &out, none, 2, 0));
    assert_status(LB_BAD_ARGUMENT, lbo_concat(w->context, &out, both, 2, 2));
    assert_status(LB_BAD_ARGUMENT, lbo_stack(w->context, &out, flats, 2, 1));
    assert_null(out);
    lbo_tensor_release(a);
    lbo_tensor_release(b);
    lbo_tensor_release(flat);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(embedding_gives_the_rows),
        TEST(the_gradient_of_embedding_adds_rows),
        TEST(an_index_outside_is_named_with_its_place),
        TEST(rows_without_elements_want_good_indices_too),
        TEST(gather_and_its_gradient_follow_the_index),
        TEST(gradients_of_half_types_stay_half),
        TEST(concat_joins_and_promotes),
        TEST(stack_makes_a_dimension_anywhere),
        TEST(what_does_not_go_together_is_not_joined),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
