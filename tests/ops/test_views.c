/* Views: each element against the place that the definition says. */
#include "tensors.h"

static bool shares_memory(const lbo_tensor *a, const lbo_tensor *b)
{
    return a->storage == b->storage;
}

/* ---- reshape ------------------------------------------------------------- */

/* Whether strides can express it at all, by trying: the place of each element
 * must be a sum of steps that the single steps tell. */
static bool view_is_possible(const lbo_tensor *x, size_t ndim,
                             const int64_t *shape)
{
    int64_t old[LBO_MAX_DIMS], index[LBO_MAX_DIMS] = {0}, step[LBO_MAX_DIMS];
    int64_t number = 0, weight = 1;
    char *first;

    memset(old, 0, sizeof old);
    first = naive_place(x, old);
    for (size_t i = ndim; i-- > 0;) {
        step[i] = 0;
        if (shape[i] > 1) {
            index_of(x, weight, old);
            step[i] = naive_place(x, old) - first;
        }
        weight *= shape[i];
    }
    do {
        int64_t sum = 0;
        for (size_t i = 0; i < ndim; i++)
            sum += index[i] * step[i];
        index_of(x, number++, old);
        if (naive_place(x, old) - first != sum)
            return false;
    } while (next_index(ndim, shape, index));
    return true;
}

/* Sizes whose product is `size`, in `ndim` parts. */
static void random_factors(world *w, int64_t size, size_t ndim, int64_t *shape)
{
    for (size_t i = 0; i + 1 < ndim; i++) {
        int64_t part = pick(w, 1, size);
        while (size % part != 0)
            part--;
        shape[i] = part;
        size /= part;
    }
    if (ndim > 0)
        shape[ndim - 1] = size;
}

static void reshape_keeps_the_order_and_copies_only_where_it_must(void **state)
{
    world *const w = *state;
    size_t views = 0, copies = 0;

    for (int round = 0; round < 2000; round++) {
        const size_t ndim = (size_t)pick(w, 0, 4), to = (size_t)pick(w, 1, 4);
        int64_t shape[4], wanted[4];
        lbo_tensor *y = NULL;
        for (size_t i = 0; i < ndim; i++)
            shape[i] = pick(w, 1, 6);
        lbo_tensor *const x = random_view(w, LBO_I32, ndim, shape);
        random_factors(w, x->size, to, wanted);
        assert_ok(lbo_reshape(w->context, &y, x, to, wanted));
        assert_shape_is(y, to, wanted);
        for (int64_t i = 0; i < x->size; i++)
            assert_true(naive_nth(x, i) == naive_nth(y, i));
        assert_int_equal(shares_memory(x, y), view_is_possible(x, to, wanted));
        *(shares_memory(x, y) ? &views : &copies) += 1;
        lbo_tensor_release(x);
        lbo_tensor_release(y);
    }
    assert_true(views > 200 && copies > 200);
}

static void one_size_may_be_left_open(void **state)
{
    world *const w = *state;
    lbo_tensor *const x =
        make(w, LBO_F32, 2, SHAPE(2, 3), NUMBERS(1, 2, 3, 4, 5, 6));
    lbo_tensor *y = NULL, *empty, *z = NULL;

    assert_ok(lbo_reshape(w->context, &y, x, 2, SHAPE(3, -1)));
    assert_shape(y, 3, 2);
    assert_numbers(y, 1, 2, 3, 4, 5, 6);
    assert_status(LB_BAD_ARGUMENT,
                  lbo_reshape(w->context, &z, x, 2, SHAPE(4, -1)));
    assert_contains(lb_message(), "reshape: 6 elements of shape [2, 3] do not "
                                  "make shape [4, -1]");
    assert_status(LB_BAD_ARGUMENT,
                  lbo_reshape(w->context, &z, x, 2, SHAPE(-1, -1)));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_reshape(w->context, &z, x, 1, SHAPE(-6)));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_reshape(w->context, &z, x, 2,
                              SHAPE(INT64_C(1) << 62, INT64_C(1) << 62)));
    assert_status(LB_BAD_ARGUMENT, lbo_reshape(w->context, &z, x, 17, NULL));
    assert_status(LB_BAD_ARGUMENT, lbo_reshape(w->context, &z, x, 1, NULL));
    assert_ok(lbo_empty(w->context, LBO_F32, 2, SHAPE(0, 3), &empty));
    assert_ok(lbo_reshape(w->context, &z, empty, 3, SHAPE(7, 0, -1 + 3)));
    assert_shape(z, 7, 0, 2);
    lbo_tensor_release(x);
    lbo_tensor_release(y);
    lbo_tensor_release(z);
    lbo_tensor_release(empty);
}

static void a_view_is_never_written_over_a_result(void **state)
{
    world *const w = *state;
    lbo_tensor *x = make(w, LBO_F32, 1, SHAPE(2), NUMBERS(1, 2)), *y = x;

    assert_status(LB_BAD_ARGUMENT, lbo_reshape(w->context, &y, x, 1, SHAPE(2)));
    assert_contains(lb_message(), "reshape makes its result");
    assert_ptr_equal(x, y);
    lbo_tensor_release(x);
}

/* ---- transpose ----------------------------------------------------------- */

static void transpose_moves_each_element_to_the_permuted_place(void **state)
{
    world *const w = *state;

    for (int round = 0; round < 300; round++) {
        const size_t ndim = (size_t)pick(w, 1, 5);
        int64_t shape[5], order[5], index[5] = {0}, old[5];
        lbo_tensor *y = NULL;
        random_shape(w, ndim, 4, shape);
        for (size_t i = 0; i < ndim; i++)
            order[i] = (int64_t)i;
        for (size_t i = ndim; i-- > 1;) {
            const int64_t k = pick(w, 0, (int64_t)i), kept = order[i];
            order[i] = order[k];
            order[k] = kept;
        }
        lbo_tensor *const x = random_view(w, LBO_I64, ndim, shape);
        const int64_t given = order[0];
        order[0] -= pick(w, 0, 1) ? (int64_t)ndim : 0;
        assert_ok(lbo_transpose(w->context, &y, x, ndim, order));
        order[0] = given;
        assert_true(shares_memory(x, y));
        if (x->size > 0)
            do {
                for (size_t i = 0; i < ndim; i++)
                    old[order[i]] = index[i];
                assert_ptr_equal(naive_place(y, index), naive_place(x, old));
            } while (next_index(ndim, lbo_shape(y), index));
        lbo_tensor_release(x);
        lbo_tensor_release(y);
    }
}

static void transposing_without_an_order_reverses(void **state)
{
    world *const w = *state;
    lbo_tensor *const x =
        make(w, LBO_U8, 2, SHAPE(2, 3), NUMBERS(1, 2, 3, 4, 5, 6));
    lbo_tensor *y = NULL, *z = NULL, *bad = NULL;

    assert_ok(lbo_transpose(w->context, &y, x, 0, NULL));
    assert_shape(y, 3, 2);
    assert_numbers(y, 1, 4, 2, 5, 3, 6);
    assert_ok(lbo_swap_dims(w->context, &z, y, -1, 0));
    assert_numbers(z, 1, 2, 3, 4, 5, 6);
    assert_status(LB_BAD_ARGUMENT,
                  lbo_transpose(w->context, &bad, x, 2, SHAPE(1, 1)));
    assert_contains(lb_message(), "transpose: dimension 1 is in the "
                                  "permutation twice");
    assert_status(LB_BAD_ARGUMENT,
                  lbo_transpose(w->context, &bad, x, 2, SHAPE(0, 2)));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_transpose(w->context, &bad, x, 1, SHAPE(0)));
    assert_status(LB_BAD_ARGUMENT, lbo_swap_dims(w->context, &bad, x, 0, 2));
    assert_null(bad);
    lbo_tensor_release(x);
    lbo_tensor_release(y);
    lbo_tensor_release(z);
}

/* ---- slice --------------------------------------------------------------- */

/* Python's rule, as its documentation words it: i, i + k, ... while the end is
 * not reached; bounds beyond the ends are moved to them. */
static size_t python_slice(int64_t size, int64_t start, int64_t stop,
                           int64_t step, int64_t *indices)
{
    size_t count = 0;
    int64_t i = start < 0 ? start + size : start;
    int64_t j = stop < 0 ? stop + size : stop;

    if (step > 0) {
        i = i < 0 ? 0 : i;
        for (; i < j && i < size; i += step)
            indices[count++] = i;
    } else {
        i = i > size - 1 ? size - 1 : i;
        j = j < -1 ? -1 : j;
        for (; i > j && i >= 0; i += step)
            indices[count++] = i;
    }
    return count;
}

static void a_slice_is_pythons(void **state)
{
    world *const w = *state;
    int64_t wanted[8];

    for (int64_t size = 0; size <= 5; size++) {
        lbo_tensor *const x = random_view(w, LBO_I32, 1, &size);
        for (int64_t start = -8; start <= 8; start++)
            for (int64_t stop = -8; stop <= 8; stop++)
                for (int64_t step = -4; step <= 4; step++) {
                    lbo_tensor *y = NULL;
                    if (step == 0)
                        continue;
                    const size_t count =
                        python_slice(size, start, stop, step, wanted);
                    assert_ok(
                        lbo_slice(w->context, &y, x, 0, start, stop, step));
                    assert_int_equal(y->size, count);
                    for (int64_t i = 0; i < y->size; i++)
                        assert_ptr_equal(naive_place(y, &i),
                                         naive_place(x, &wanted[i]));
                    lbo_tensor_release(y);
                }
        lbo_tensor_release(x);
    }
}

static void slices_may_begin_and_step_very_far_away(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = make(w, LBO_I8, 1, SHAPE(3), NUMBERS(1, 2, 3));
    lbo_tensor *y = NULL;

    assert_ok(
        lbo_slice(w->context, &y, x, -1, INT64_MIN, INT64_MAX, INT64_MAX));
    assert_numbers(y, 1);
    lbo_tensor_release(y);
    y = NULL;
    assert_ok(lbo_slice(w->context, &y, x, 0, INT64_MAX, INT64_MIN, INT64_MIN));
    assert_numbers(y, 3);
    lbo_tensor_release(y);
    y = NULL;
    assert_status(LB_BAD_ARGUMENT, lbo_slice(w->context, &y, x, 0, 0, 1, 0));
    assert_contains(lb_message(), "slice: the step is 0");
    assert_status(LB_BAD_ARGUMENT, lbo_slice(w->context, &y, x, 1, 0, 1, 1));
    lbo_tensor_release(x);
}

static void the_gradient_of_a_slice_is_zero_elsewhere(void **state)
{
    world *const w = *state;

    for (int round = 0; round < 200; round++) {
        const size_t ndim = (size_t)pick(w, 1, 3);
        const int64_t dim = pick(w, 0, (int64_t)ndim - 1);
        const int64_t start = pick(w, -6, 6), stop = pick(w, -6, 6);
        const int64_t step = pick(w, 0, 1) ? pick(w, 1, 3) : -pick(w, 1, 3);
        int64_t shape[3], index[3] = {0};
        lbo_tensor *part = NULL, *again = NULL, *out = NULL;
        double sum = 0, total = 0;
        random_shape(w, ndim, 5, shape);
        lbo_tensor *const like = random_view(w, LBO_F32, ndim, shape);
        assert_ok(lbo_slice(w->context, &part, like, dim, start, stop, step));
        lbo_tensor *const g = random_view(w, LBO_F32, ndim, lbo_shape(part));
        assert_ok(lbo_slice_backward(w->context, &out, g, like, dim, start,
                                     stop, step));
        assert_shape_is(out, ndim, shape);
        assert_ok(lbo_slice(w->context, &again, out, dim, start, stop, step));
        for (int64_t i = 0; i < g->size; i++) {
            assert_true(naive_nth(again, i) == naive_nth(g, i));
            sum += fabs(naive_nth(g, i));
        }
        if (out->size > 0)
            do
                total += fabs(naive_at(out, index));
            while (next_index(ndim, shape, index));
        assert_true(sum == total); /* of small integers: exact */
        lbo_tensor_release(like);
        lbo_tensor_release(part);
        lbo_tensor_release(again);
        lbo_tensor_release(out);
        lbo_tensor_release(g);
    }
}

/* ---- expand -------------------------------------------------------------- */

static void expand_repeats_without_copying(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = make(w, LBO_F64, 2, SHAPE(2, 1), NUMBERS(7, 8));
    lbo_tensor *y = NULL, *bad = NULL;

    assert_ok(lbo_expand(w->context, &y, x, 3, SHAPE(2, -1, 3)));
    assert_shape(y, 2, 2, 3);
    assert_true(shares_memory(x, y));
    assert_numbers(y, 7, 7, 7, 8, 8, 8, 7, 7, 7, 8, 8, 8);
    assert_status(LB_BAD_ARGUMENT,
                  lbo_expand(w->context, &bad, x, 2, SHAPE(3, 1)));
    assert_contains(lb_message(),
                    "expand: shape [2, 1] does not expand to [3, 1]");
    assert_status(LB_BAD_ARGUMENT,
                  lbo_expand(w->context, &bad, x, 3, SHAPE(-1, 2, 1)));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_expand(w->context, &bad, x, 1, SHAPE(2)));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_expand(w->context, &bad, x, 3, SHAPE(INT64_MAX, 2, 1)));
    assert_null(bad);
    /* Where several elements are one nothing is written. */
    assert_status(LB_BAD_ARGUMENT, lbo_fill(w->context, y, 1));
    lbo_tensor_release(x);
    lbo_tensor_release(y);
}

static void expand_to_nothing_is_empty(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = make(w, LBO_F64, 1, SHAPE(1), NUMBERS(7));
    lbo_tensor *y = NULL;

    assert_ok(lbo_expand(w->context, &y, x, 2, SHAPE(4, 0)));
    assert_int_equal(y->size, 0);
    lbo_tensor_release(x);
    lbo_tensor_release(y);
}

/* ---- split --------------------------------------------------------------- */

static void split_gives_parts_that_are_the_whole(void **state)
{
    world *const w = *state;
    lbo_tensor *const x =
        make(w, LBO_F32, 2, SHAPE(2, 4), NUMBERS(1, 2, 3, 4, 5, 6, 7, 8));
    lbo_tensor *parts[3] = {NULL}, *whole = NULL;

    assert_ok(lbo_split(w->context, parts, x, SHAPE(1, 0, 3), 3, -1));
    assert_numbers(parts[0], 1, 5);
    assert_int_equal(parts[1]->size, 0);
    assert_numbers(parts[2], 2, 3, 4, 6, 7, 8);
    assert_true(shares_memory(parts[2], x));
    assert_ok(lbo_concat(w->context, &whole, parts, 3, 1));
    assert_numbers(whole, 1, 2, 3, 4, 5, 6, 7, 8);
    for (int i = 0; i < 3; i++)
        lbo_tensor_release(parts[i]);
    memset(parts, 0, sizeof parts);
    assert_status(LB_BAD_ARGUMENT,
                  lbo_split(w->context, parts, x, SHAPE(1, 2), 2, 1));
    assert_contains(lb_message(), "split: the 2 sizes do not add up to the 4");
    assert_status(LB_BAD_ARGUMENT,
                  lbo_split(w->context, parts, x, SHAPE(5, -1), 2, 1));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_split(w->context, parts, x, SHAPE(4), 0, 1));
    assert_null(parts[0]);
    lbo_tensor_release(x);
    lbo_tensor_release(whole);
}

static void contiguous_copies_only_what_is_not(void **state)
{
    world *const w = *state;
    lbo_tensor *const x =
        make(w, LBO_F32, 2, SHAPE(2, 3), NUMBERS(1, 2, 3, 4, 5, 6));
    lbo_tensor *same = NULL, *turned = NULL, *copy = NULL;

    assert_ok(lbo_contiguous(w->context, &same, x));
    assert_ptr_equal(same, x);
    assert_ok(lbo_transpose(w->context, &turned, x, 0, NULL));
    assert_ok(lbo_contiguous(w->context, &copy, turned));
    assert_true(lbo_is_contiguous(copy) && !shares_memory(copy, x));
    assert_numbers(copy, 1, 4, 2, 5, 3, 6);
    lbo_tensor_release(x);
    lbo_tensor_release(same);
    lbo_tensor_release(turned);
    lbo_tensor_release(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reshape_keeps_the_order_and_copies_only_where_it_must),
        TEST(one_size_may_be_left_open),
        TEST(a_view_is_never_written_over_a_result),
        TEST(transpose_moves_each_element_to_the_permuted_place),
        TEST(transposing_without_an_order_reverses),
        TEST(a_slice_is_pythons),
        TEST(slices_may_begin_and_step_very_far_away),
        TEST(the_gradient_of_a_slice_is_zero_elsewhere),
        TEST(expand_repeats_without_copying),
        TEST(expand_to_nothing_is_empty),
        TEST(split_gives_parts_that_are_the_whole),
        TEST(contiguous_copies_only_what_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
