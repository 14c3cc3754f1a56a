/* What autograd records, keeps, gives back and refuses. The gradients of the
 * operators themselves are checked in test_gradients.c. */
#include "tensors.h"

#include "support/allocator.h"

#include <pthread.h>

static lbo_layer *autograd;

static int begin(void **state)
{
    (void)begin_world(state);
    world *const w = *state;
    assert_ok(lbo_autograd_create(w->library, &autograd));
    assert_ok(lbo_push(w->context, autograd));
    return 0;
}

#define AUTOGRAD_TEST(name)                                                    \
    cmocka_unit_test_setup_teardown(name, begin, end_world)

static lbo_tensor *leaf_of(world *w, lbo_dtype dtype, size_t ndim,
                           const int64_t *shape, const double *numbers)
{
    lbo_tensor *const leaf = make(w, dtype, ndim, shape, numbers);

    assert_ok(lbo_require_gradient(leaf, true));
    return leaf;
}

static lbo_tensor *number_leaf(world *w, double number)
{
    return leaf_of(w, LBO_F64, 0, NULL, &number);
}

static double gradient_of(const lbo_tensor *leaf)
{
    const lbo_tensor *const g = lbo_gradient(leaf);

    assert_non_null(g);
    return naive_nth(g, 0);
}

static lbo_tensor *mul(world *w, lbo_tensor *a, lbo_tensor *b)
{
    lbo_tensor *out = NULL;

    assert_ok(lbo_mul(w->context, &out, a, b));
    return out;
}

static lbo_tensor *add(world *w, lbo_tensor *a, lbo_tensor *b)
{
    lbo_tensor *out = NULL;

    assert_ok(lbo_add(w->context, &out, a, b));
    return out;
}

/* ---- the rule of the chain ---------------------------------------------------- */

static void a_tensor_used_several_times_gets_the_sum(void **state)
{
    world *const w = *state;
    lbo_tensor *const a = number_leaf(w, 3), *const b = number_leaf(w, 5);
    lbo_tensor *const ab = mul(w, a, b), *const aab = mul(w, a, ab);
    lbo_tensor *const y = add(w, aab, a);

    assert_int_equal(lbo_requires_gradient(y), 1);
    assert_null(lbo_gradient(a));
    assert_ok(lbo_backward(w->context, y, NULL, false));
    assert_true(gradient_of(a) == 2 * 3 * 5 + 1);
    assert_true(gradient_of(b) == 9);
    assert_null(lbo_gradient(y));
    lbo_tensor_release(a);
    lbo_tensor_release(b);
    lbo_tensor_release(ab);
    lbo_tensor_release(aab);
    lbo_tensor_release(y);
}

/* The gradient by one input, where the other is followed, too, or not. */
static double one_of_two(world *w, const char *name, int which, bool both)
{
    const lbo_operator *const op = lbo_operator_find(w->library, name);
    lbo_tensor *in[2], *y = NULL;

    for (int i = 0; i < 2; i++)
        in[i] = i == which || both
                    ? leaf_of(w, LBO_F64, 1, SHAPE(1), NUMBERS(2 + i))
                    : make(w, LBO_F64, 1, SHAPE(1), NUMBERS(2 + i));
    lbo_call call = {.in = in, .out = &y, .in_count = 2, .out_count = 1};
    assert_ok(lbo_run(w->context, op, &call));
    assert_ok(lbo_backward(w->context, y, NULL, false));
    assert_non_null(lbo_gradient(in[which]));
    const double got = gradient_of(in[which]);
    lbo_tensor_release(in[0]);
    lbo_tensor_release(in[1]);
    lbo_tensor_release(y);
    return got;
}

static void one_followed_input_gets_what_it_gets_beside_another(void **state)
{
    static const char *const names[] = {"add", "sub",     "mul",    "div",
                                        "pow", "minimum", "maximum"};
    world *const w = *state;

    for (size_t k = 0; k < COUNT_OF(names); k++)
        for (int which = 0; which < 2; which++)
            assert_true(one_of_two(w, names[k], which, false) ==
                        one_of_two(w, names[k], which, true));
}

static void gradients_add_up_until_they_are_dropped(void **state)
{
    world *const w = *state;
    lbo_tensor *const a = number_leaf(w, 3);

    for (int i = 1; i <= 3; i++) {
        lbo_tensor *const y = mul(w, a, a);
        assert_ok(lbo_backward(w->context, y, NULL, false));
        assert_true(gradient_of(a) == 6 * i);
        lbo_tensor_release(y);
    }
    assert_ok(lbo_set_gradient(a, NULL));
    assert_null(lbo_gradient(a));
    lbo_tensor_release(a);
}

static void what_is_broadcast_is_summed(void **state)
{
    world *const w = *state;
    lbo_tensor *const a = leaf_of(w, LBO_F64, 2, SHAPE(2, 1), NUMBERS(1, 2));
    lbo_tensor *const b = leaf_of(w, LBO_F64, 1, SHAPE(3), NUMBERS(3, 4, 5));
    lbo_tensor *const y = mul(w, a, b);
    lbo_tensor *seed =
        make(w, LBO_F64, 2, SHAPE(2, 3), NUMBERS(1, 1, 1, 1, 1, 2));

    assert_ok(lbo_backward(w->context, y, seed, false));
    assert_shape(lbo_gradient(a), 2, 1);
    assert_numbers(lbo_gradient(a), 12, 17);
    assert_shape(lbo_gradient(b), 3);
    assert_numbers(lbo_gradient(b), 3, 3, 5);
    lbo_tensor_release(seed);
    lbo_tensor_release(a);
    lbo_tensor_release(b);
    lbo_tensor_release(y);
}

static void a_gradient_has_the_type_of_its_input(void **state)
{
    world *const w = *state;
    lbo_tensor *const half = leaf_of(w, LBO_F16, 1, SHAPE(2), NUMBERS(1, 2));
    lbo_tensor *const single = leaf_of(w, LBO_F32, 1, SHAPE(2), NUMBERS(3, 4));
    lbo_tensor *const y = mul(w, half, single);
    lbo_tensor *const seed = make(w, LBO_F64, 1, SHAPE(2), NUMBERS(1, 2));

    assert_int_equal(y->dtype, LBO_F32);
    assert_ok(lbo_backward(w->context, y, seed, false));
    assert_int_equal(lbo_gradient(half)->dtype, LBO_F16);
    assert_numbers(lbo_gradient(half), 3, 8);
    assert_int_equal(lbo_gradient(single)->dtype, LBO_F32);
    assert_numbers(lbo_gradient(single), 1, 4);
    lbo_tensor_release(seed);
    lbo_tensor_release(half);
    lbo_tensor_release(single);
    lbo_tensor_release(y);
}

static void gradients_of_two_leaves_share_no_memory(void **state)
{
    world *const w = *state;
    lbo_tensor *const a = leaf_of(w, LBO_F64, 1, SHAPE(2), NUMBERS(1, 2));
    lbo_tensor *const b = leaf_of(w, LBO_F64, 1, SHAPE(2), NUMBERS(3, 4));
    lbo_tensor *const y = add(w, a, b);
    lbo_tensor *const seed = make(w, LBO_F64, 1, SHAPE(2), NUMBERS(1, 1));

    assert_ok(lbo_backward(w->context, y, seed, false));
    lbo_tensor *const ga = lbo_gradient(a), *const gb = lbo_gradient(b);
    assert_ptr_not_equal(ga->storage, gb->storage);
    assert_ptr_not_equal(ga->storage, seed->storage);
    assert_ptr_not_equal(gb->storage, seed->storage);
    lbo_tensor_release(seed);
    lbo_tensor_release(a);
    lbo_tensor_release(b);
    lbo_tensor_release(y);
}

static void a_leaf_may_be_its_own_result(void **state)
{
    world *const w = *state;
    lbo_tensor *const a = number_leaf(w, 3);

    assert_ok(lbo_backward(w->context, a, NULL, false));
    assert_true(gradient_of(a) == 1);
    lbo_tensor_release(a);
}

static void only_what_is_followed_is_recorded(void **state)
{
    world *const w = *state;
    lbo_tensor *const a = number_leaf(w, 3);
    lbo_tensor *const c = make(w, LBO_F64, 0, NULL, NUMBERS(2));
    lbo_tensor *const cc = mul(w, c, c);
    lbo_tensor *above = NULL, *whole = NULL, *detached;

    assert_int_equal(lbo_requires_gradient(cc), 0);
    assert_ok(lbo_greater(w->context, &above, a, c));
    assert_int_equal(lbo_requires_gradient(above), 0);
    assert_ok(lbo_cast(w->context, &whole, a, LBO_I64));
    assert_int_equal(lbo_requires_gradient(whole), 0);
    lbo_tensor *const y = mul(w, a, c);
    assert_ok(lbo_detach(y, &detached));
    assert_int_equal(lbo_requires_gradient(detached), 0);
    assert_ok(lbo_pop(w->context, autograd));
    lbo_tensor *const unseen = mul(w, a, c);
    assert_int_equal(lbo_requires_gradient(unseen), 0);
    assert_status(LB_BAD_ARGUMENT, lbo_backward(w->context, unseen, NULL, 0));
    assert_contains(lb_message(), "no history");
    assert_ok(lbo_backward(w->context, y, NULL, false));
    assert_true(gradient_of(a) == 2);
    lbo_tensor_release(a);
    lbo_tensor_release(c);
    lbo_tensor_release(cc);
    lbo_tensor_release(above);
    lbo_tensor_release(whole);
    lbo_tensor_release(detached);
    lbo_tensor_release(y);
    lbo_tensor_release(unseen);
}

static void views_lead_back_to_their_base(void **state)
{
    world *const w = *state;
    lbo_tensor *const a =
        leaf_of(w, LBO_F64, 2, SHAPE(2, 3), NUMBERS(1, 2, 3, 4, 5, 6));
    lbo_tensor *row = NULL, *turned = NULL, *sum = NULL;

    assert_ok(lbo_slice(w->context, &row, a, 0, 1, 2, 1));
    assert_ptr_equal(row->storage, a->storage);
    assert_ok(lbo_transpose(w->context, &turned, row, 0, NULL));
    lbo_tensor *const y = mul(w, turned, turned);
    assert_ok(lbo_sum(w->context, &sum, y, -1, NULL, false));
    assert_ok(lbo_backward(w->context, sum, NULL, false));
    assert_numbers(lbo_gradient(a), 0, 0, 0, 8, 10, 12);
    lbo_tensor_release(a);
    lbo_tensor_release(row);
    lbo_tensor_release(turned);
    lbo_tensor_release(y);
    lbo_tensor_release(sum);
}

/* ---- long, and many -------------------------------------------------------------- */

enum { LONG = 1000000 };

static lbo_tensor *long_chain(world *w, lbo_tensor *from)
{
    lbo_tensor *y = lbo_tensor_retain(from);

    for (int i = 0; i < LONG; i++) {
        lbo_tensor *next = NULL;
        assert_ok(lbo_neg(w->context, &next, y));
        lbo_tensor_release(y);
        y = next;
    }
    return y;
}

static void a_million_operators_are_let_go_without_recursion(void **state)
{
    world *const w = *state;
    lbo_tensor *const a = number_leaf(w, 3);

    lbo_tensor_release(long_chain(w, a));
    lbo_tensor_release(a);
}

static void a_million_operators_are_walked(void **state)
{
    world *const w = *state;
    lbo_tensor *const a = number_leaf(w, 3), *const y = long_chain(w, a);

    assert_ok(lbo_backward(w->context, y, NULL, false));
    assert_true(gradient_of(a) == 1);
    lbo_tensor_release(a);
    lbo_tensor_release(y);
}

/* y[i] = y[i - 1] y[i - 2]: of Fibonacci's many paths each node is run once. */
static void a_node_runs_once_however_many_paths_lead_to_it(void **state)
{
    world *const w = *state;
    lbo_tensor *const a = number_leaf(w, 1);
    lbo_tensor *before = lbo_tensor_retain(a), *y = lbo_tensor_retain(a);
    double ones = 1, twos = 1;

    for (int i = 0; i < 60; i++) {
        lbo_tensor *const next = mul(w, y, before);
        const double sum = ones + twos;
        lbo_tensor_release(before);
        before = y;
        y = next;
        ones = twos;
        twos = sum;
    }
    assert_ok(lbo_backward(w->context, y, NULL, false));
    assert_true(gradient_of(a) == twos);
    lbo_tensor_release(before);
    lbo_tensor_release(y);
    lbo_tensor_release(a);
}

static void lists_of_many_inputs_are_followed(void **state)
{
    enum { MANY = 50 };
    world *const w = *state;
    lbo_tensor *in[MANY], *joined = NULL, *sum = NULL;

    for (int i = 0; i < MANY; i++)
        in[i] = leaf_of(w, LBO_F64, 1, SHAPE(1), NUMBERS(i));
    assert_ok(lbo_concat(w->context, &joined, in, MANY, 0));
    lbo_tensor *const y = mul(w, joined, joined);
    assert_ok(lbo_sum(w->context, &sum, y, -1, NULL, false));
    assert_ok(lbo_backward(w->context, sum, NULL, false));
    for (int i = 0; i < MANY; i++) {
        assert_true(gradient_of(in[i]) == 2 * i);
        lbo_tensor_release(in[i]);
    }
    lbo_tensor_release(joined);
    lbo_tensor_release(y);
    lbo_tensor_release(sum);
}

/* ---- keeping --------------------------------------------------------------------- */

static void a_history_is_used_up_unless_it_is_kept(void **state)
{
    world *const w = *state;
    lbo_tensor *const a = number_leaf(w, 3);
    lbo_tensor *const aa = mul(w, a, a), *const y = mul(w, aa, a);
    lbo_tensor *const z = mul(w, aa, aa);

    assert_ok(lbo_backward(w->context, y, NULL, true));
    assert_ok(lbo_backward(w->context, y, NULL, false));
    assert_true(gradient_of(a) == 2 * 27);
    assert_status(LB_BAD_ARGUMENT, lbo_backward(w->context, y, NULL, false));
    assert_contains(lb_message(), "the history of mul was used up");
    assert_status(LB_BAD_ARGUMENT, lbo_backward(w->context, z, NULL, false));
    assert_contains(lb_message(), "used up");
    lbo_tensor_release(a);
    lbo_tensor_release(aa);
    lbo_tensor_release(y);
    lbo_tensor_release(z);
}

static void seeds_are_checked(void **state)
{
    world *const w = *state;
    lbo_tensor *const a = leaf_of(w, LBO_F32, 1, SHAPE(2), NUMBERS(1, 2));
    lbo_tensor *const y = mul(w, a, a);
    lbo_tensor *const wrong = make(w, LBO_F32, 1, SHAPE(1), NUMBERS(1));

    assert_status(LB_BAD_ARGUMENT, lbo_backward(w->context, y, NULL, false));
    assert_contains(lb_message(), "2 elements wants a seed");
    assert_status(LB_BAD_ARGUMENT, lbo_backward(w->context, y, wrong, false));
    assert_contains(lb_message(), "another shape");
    lbo_tensor_release(a);
    lbo_tensor_release(y);
    lbo_tensor_release(wrong);
}

static void leaves_are_checked(void **state)
{
    world *const w = *state;
    lbo_tensor *const a = number_leaf(w, 3), *const y = mul(w, a, a);
    lbo_tensor *const whole = make(w, LBO_I64, 0, NULL, NUMBERS(1));
    lbo_tensor *const pair = make(w, LBO_F64, 1, SHAPE(2), NUMBERS(1, 2));

    assert_status(LB_BAD_ARGUMENT, lbo_require_gradient(whole, true));
    assert_contains(lb_message(), "i64; a floating type is wanted");
    assert_status(LB_BAD_ARGUMENT, lbo_require_gradient(y, true));
    assert_contains(lb_message(), "result of mul");
    assert_status(LB_BAD_ARGUMENT, lbo_set_gradient(a, pair));
    assert_status(LB_BAD_ARGUMENT, lbo_set_gradient(y, a));
    assert_ok(lbo_set_gradient(pair, pair));
    assert_int_equal(lbo_requires_gradient(pair), 0);
    assert_ptr_equal(lbo_gradient(pair), pair);
    assert_ok(lbo_set_gradient(pair, NULL));
    assert_ok(lbo_require_gradient(a, false));
    assert_int_equal(lbo_requires_gradient(a), 0);
    assert_ok(lbo_backward(w->context, y, NULL, false));
    assert_null(lbo_gradient(a));
    lbo_tensor_release(a);
    lbo_tensor_release(y);
    lbo_tensor_release(whole);
    lbo_tensor_release(pair);
}

/* ---- changes in place ------------------------------------------------------------- */

static void a_change_of_what_was_saved_is_found(void **state)
{
    world *const w = *state;
    lbo_tensor *const a = number_leaf(w, 3);
    lbo_tensor *const c = make(w, LBO_F64, 0, NULL, NUMBERS(2));
    lbo_tensor *const y = mul(w, a, c);
    lbo_tensor *e = NULL;

    assert_ok(lbo_exp(w->context, &e, a));
    assert_ok(lbo_fill(w->context, c, 7));
    assert_status(LB_BAD_ARGUMENT, lbo_backward(w->context, y, NULL, false));
    assert_contains(lb_message(), "b was changed in place after mul saved it");
    assert_null(lbo_gradient(a));
    assert_ok(lbo_pop(w->context, autograd));
    assert_ok(lbo_fill(w->context, e, 7));
    assert_status(LB_BAD_ARGUMENT, lbo_backward(w->context, e, NULL, false));
    assert_contains(lb_message(), "result 0 of exp was changed in place");
    lbo_tensor_release(a);
    lbo_tensor_release(c);
    lbo_tensor_release(y);
    lbo_tensor_release(e);
}

static void a_leaf_cannot_be_a_result(void **state)
{
    world *const w = *state;
    lbo_tensor *a = number_leaf(w, 3), *b = number_leaf(w, 5);

    assert_status(LB_BAD_ARGUMENT, lbo_add(w->context, &a, a, b));
    assert_contains(lb_message(), "add: the result given is a leaf");
    assert_true(naive_nth(a, 0) == 3);
    assert_ok(lbo_fill(w->context, a, 4)); /* made from nothing */
    assert_int_equal(lbo_requires_gradient(a), 1);
    lbo_tensor_release(a);
    lbo_tensor_release(b);
}

static void a_result_given_takes_the_new_history(void **state)
{
    world *const w = *state;
    lbo_tensor *const a = number_leaf(w, 3);
    lbo_tensor *y = mul(w, a, a), *out = NULL;

    assert_ok(lbo_neg(w->context, &y, y));
    assert_ok(lbo_add(w->context, &y, y, a)); /* a - a^2 */
    assert_ok(lbo_empty(w->context, LBO_F64, 0, NULL, &out));
    assert_ok(lbo_add(w->context, &out, y, y));
    assert_ok(lbo_backward(w->context, out, NULL, false));
    assert_true(gradient_of(a) == 2 * (1 - 6));
    lbo_tensor_release(a);
    lbo_tensor_release(y);
    lbo_tensor_release(out);
}

/* What a gradient wants to see must not be overwritten by the call itself. */
static void overwriting_what_is_saved_is_found(void **state)
{
    world *const w = *state;
    lbo_tensor *const a = number_leaf(w, 3);
    lbo_tensor *y = add(w, a, a);

    assert_ok(lbo_mul(w->context, &y, y, y));
    assert_true(naive_nth(y, 0) == 36);
    assert_status(LB_BAD_ARGUMENT, lbo_backward(w->context, y, NULL, false));
    assert_contains(lb_message(), "a was changed in place after mul saved it");
    lbo_tensor_release(a);
    lbo_tensor_release(y);
}

static void a_result_that_others_share_cannot_be_recorded(void **state)
{
    world *const w = *state;
    lbo_tensor *const a = leaf_of(w, LBO_F64, 1, SHAPE(2), NUMBERS(1, 2));
    lbo_tensor *const base = make(w, LBO_F64, 1, SHAPE(4), NUMBERS(1, 2, 3, 4));
    lbo_tensor *part = NULL, *y = mul(w, a, a), *of_y = NULL;

    assert_ok(lbo_slice(w->context, &part, base, 0, 0, 2, 1));
    assert_status(LB_BAD_ARGUMENT, lbo_neg(w->context, &part, a));
    assert_contains(lb_message(), "neg: autograd cannot record");
    assert_ok(
        lbo_neg(w->context, &part, part)); /* constants: nothing to lose */
    assert_ok(lbo_slice(w->context, &of_y, y, 0, 0, 1, 1));
    assert_status(LB_BAD_ARGUMENT, lbo_fill(w->context, y, 1));
    lbo_tensor_release(of_y);
    assert_ok(lbo_fill(w->context, y, 1));
    assert_int_equal(lbo_requires_gradient(y), 0);
    lbo_tensor_release(a);
    lbo_tensor_release(base);
    lbo_tensor_release(part);
    lbo_tensor_release(y);
}

/* ---- operators of the user's --------------------------------------------------------- */

static lb_status infer_two(const lbo_call *call, lbo_spec *out)
{
    for (uint32_t i = 0; i < call->out_count; i++) {
        out[i].dtype = LBO_F64;
        out[i].ndim = 0;
    }
    return LB_OK;
}

/* (2 x, 3 x) */
LB_METHOD(lbo_unary, two_results);
static lb_status two_results(lb_slot slot, lbo_context *context, lbo_tensor *a,
                             lbo_call *call)
{
    LB_IGNORE(slot);
    (void)context;
    *(double *)call->out[0]->data = 2 * *(const double *)a->data;
    if (call->out_count > 1)
        *(double *)call->out[1]->data = 3 * *(const double *)a->data;
    return LB_OK;
}

static int arrived_at_two;
static lb_status fails_with;
static lbo_tensor *walked_inside;

static lb_status two_gradient(lbo_context *context, const lbo_saved *saved,
                              lbo_tensor *const *out_gradients,
                              lbo_tensor **in_gradients)
{
    double sum = 0;

    assert_null(saved->in[0]);
    assert_int_equal(saved->in_specs[0].dtype, LBO_F64);
    arrived_at_two = 0;
    for (int i = 0; i < 2; i++)
        if (out_gradients[i] != NULL) {
            arrived_at_two |= 1 << i;
            sum += (i + 2) * naive_nth(out_gradients[i], 0);
        }
    if (walked_inside != NULL)
        return lbo_backward(context, walked_inside, NULL, true);
    const lb_status status =
        lbo_from_data(context, LBO_F64, 0, NULL, &sum, &in_gradients[0]);
    return status == LB_OK ? fails_with : status;
}

static const lbo_operator *make_operator(world *w, const char *name,
                                         uint32_t results, bool gradient)
{
    const lbo_operator *op;
    const lbo_operator_spec spec = {.name = name,
                                    .dispatched = 1,
                                    .in_count = 1,
                                    .out_count = results,
                                    .infer = infer_two,
                                    .gradient = gradient ? two_gradient : NULL};
    const lbo_kernel kernel = {name, LB_DESCRIPTOR(two_results), LBO_F64, 0,
                               NULL};
    lbo_device *cpu;

    fails_with = LB_OK;
    walked_inside = NULL;
    assert_ok(lbo_operator_create(w->library, &spec, &op));
    assert_ok(lbo_device_find(w->library, "cpu", &cpu));
    assert_ok(lbo_register_kernels(w->library, NULL, cpu, &kernel, 1));
    return op;
}

static void run_two(world *w, const lbo_operator *op, lbo_tensor *x,
                    lbo_tensor **out)
{
    lbo_call call = {
        .in = &x, .out = out, .in_count = 1, .out_count = op->spec.out_count};

    out[0] = NULL;
    if (op->spec.out_count > 1)
        out[1] = NULL;
    assert_ok(lbo_run(w->context, op, &call));
}

static void several_results_arrive_together(void **state)
{
    world *const w = *state;
    const lbo_operator *const op = make_operator(w, "two", 2, true);
    lbo_tensor *const a = number_leaf(w, 3), *out[2];

    run_two(w, op, a, out);
    lbo_tensor *const y = mul(w, out[0], out[1]); /* 6 a^2 */
    assert_ok(lbo_backward(w->context, y, NULL, false));
    assert_int_equal(arrived_at_two, 3);
    assert_true(gradient_of(a) == 36);
    lbo_tensor_release(out[0]);
    lbo_tensor_release(out[1]);
    run_two(w, op, a, out);
    lbo_tensor_release(out[0]);
    assert_ok(lbo_set_gradient(a, NULL));
    assert_ok(lbo_backward(w->context, out[1], NULL, false));
    assert_int_equal(arrived_at_two, 2);
    assert_true(gradient_of(a) == 3);
    lbo_tensor_release(out[1]);
    lbo_tensor_release(y);
    lbo_tensor_release(a);
}

static void a_gradient_that_fails_is_told_and_can_be_tried_again(void **state)
{
    world *const w = *state;
    const lbo_operator *const op = make_operator(w, "two", 2, true);
    lbo_tensor *const a = number_leaf(w, 3), *out[2];

    run_two(w, op, a, out);
    lbo_tensor *const y = add(w, out[0], out[1]);
    fails_with = LB_METHOD_FAILED;
    assert_status(LB_METHOD_FAILED, lbo_backward(w->context, y, NULL, true));
    assert_null(lbo_gradient(a));
    fails_with = LB_OK;
    assert_ok(lbo_backward(w->context, y, NULL, true));
    assert_true(gradient_of(a) == 5);
    walked_inside = y;
    assert_status(LB_BUSY, lbo_backward(w->context, y, NULL, true));
    lbo_tensor_release(out[0]);
    lbo_tensor_release(out[1]);
    lbo_tensor_release(y);
    lbo_tensor_release(a);
}

static void an_operator_without_gradient_gives_constants(void **state)
{
    world *const w = *state;
    const lbo_operator *const op = make_operator(w, "opaque", 1, false);
    lbo_tensor *const a = number_leaf(w, 3), *out;

    run_two(w, op, a, &out);
    assert_int_equal(lbo_requires_gradient(out), 0);
    lbo_tensor_release(out);
    lbo_tensor_release(a);
}

/* ---- gradients as values ---------------------------------------------------------------- */

static void gradients_are_given_and_nothing_is_left(void **state)
{
    world *const w = *state;
    lbo_tensor *const a = number_leaf(w, 3), *const b = number_leaf(w, 5);
    lbo_tensor *const unused = number_leaf(w, 5);
    lbo_tensor *const ab = mul(w, a, b), *const y = mul(w, ab, ab);
    lbo_tensor *const inputs[] = {a, ab, unused, y, a};
    lbo_tensor *g[5];

    assert_ok(lbo_gradients(w->context, y, NULL, inputs, 5, false, g));
    assert_true(naive_nth(g[0], 0) == 2 * 3 * 25);
    assert_true(naive_nth(g[1], 0) == 2 * 15);
    assert_null(g[2]); /* does not depend on it */
    assert_true(naive_nth(g[3], 0) == 1);
    assert_true(naive_nth(g[4], 0) == 2 * 3 * 25);
    assert_ptr_not_equal(g[0]->storage, g[4]->storage);
    assert_null(lbo_gradient(a));
    assert_null(lbo_gradient(b));
    for (int i = 0; i < 5; i++)
        lbo_tensor_release(g[i]);
    lbo_tensor_release(a);
    lbo_tensor_release(b);
    lbo_tensor_release(unused);
    lbo_tensor_release(ab);
    lbo_tensor_release(y);
}

static void only_followed_inputs_have_gradients(void **state)
{
    world *const w = *state;
    lbo_tensor *const a = number_leaf(w, 3), *const y = mul(w, a, a);
    lbo_tensor *const c = make(w, LBO_F64, 0, NULL, NUMBERS(2)), *g;

    assert_status(LB_BAD_ARGUMENT,
                  lbo_gradients(w->context, y, NULL, &c, 1, false, &g));
    assert_contains(lb_message(), "input 0 is not followed");
    assert_ok(lbo_pop(w->context, autograd));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_gradients(w->context, y, NULL, &a, 1, true, &g));
    assert_contains(lb_message(), "autograd layer must be active");
    lbo_tensor_release(a);
    lbo_tensor_release(c);
    lbo_tensor_release(y);
}

/* a^4 and its derivatives: 4 a^3, 12 a^2, 24 a, 24. */
static void gradients_can_be_differentiated_again(void **state)
{
    world *const w = *state;
    static const double expected[] = {4 * 27, 12 * 9, 24 * 3, 24};
    lbo_tensor *const a = number_leaf(w, 3), *const aa = mul(w, a, a);
    lbo_tensor *y = mul(w, aa, aa), *g;

    for (int i = 0; i < 4; i++) {
        assert_ok(lbo_gradients(w->context, y, NULL, &a, 1, true, &g));
        assert_true(naive_nth(g, 0) == expected[i]);
        assert_int_equal(lbo_requires_gradient(g), i < 3);
        lbo_tensor_release(y);
        y = g;
    }
    lbo_tensor_release(a);
    lbo_tensor_release(aa);
    lbo_tensor_release(y);
}

static void a_missing_second_gradient_is_no_silent_zero(void **state)
{
    world *const w = *state;
    lbo_tensor *const weight =
        leaf_of(w, LBO_F64, 2, SHAPE(2, 1), NUMBERS(1, 2));
    lbo_tensor *const index = make(w, LBO_I64, 1, SHAPE(1), NUMBERS(1));
    lbo_tensor *row = NULL, *sum = NULL, *g, *none;

    assert_ok(lbo_embedding(w->context, &row, weight, index));
    lbo_tensor *const y = mul(w, row, row);
    assert_ok(lbo_sum(w->context, &sum, y, -1, NULL, false));
    assert_ok(lbo_gradients(w->context, sum, NULL, &weight, 1, true, &g));
    assert_numbers(g, 0, 4);
    lbo_tensor *const seed = make(w, LBO_F64, 2, SHAPE(2, 1), NUMBERS(1, 1));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_gradients(w->context, g, seed, &weight, 1, false, &none));
    assert_contains(lb_message(), "embedding_backward has no gradient");
    lbo_tensor_release(seed);
    lbo_tensor_release(g);
    lbo_tensor_release(sum);
    lbo_tensor_release(y);
    lbo_tensor_release(row);
    lbo_tensor_release(index);
    lbo_tensor_release(weight);
}

/* ---- summing back ------------------------------------------------------------------------- */

static void sum_to_undoes_broadcasting_both_ways(void **state)
{
    world *const w = *state;
    lbo_tensor *const t =
        make(w, LBO_F32, 3, SHAPE(2, 1, 3), NUMBERS(1, 2, 3, 4, 5, 6));
    const lbo_spec row = {.dtype = LBO_F64, .ndim = 1, .shape = {3}};
    const lbo_spec number = {.dtype = LBO_F32, .ndim = 0};
    const lbo_spec larger = {.dtype = LBO_F16, .ndim = 3, .shape = {2, 2, 1}};
    lbo_tensor *out;

    assert_ok(lbo_sum_to(w->context, t, &row, &out));
    assert_int_equal(out->dtype, LBO_F64);
    assert_shape(out, 3);
    assert_numbers(out, 5, 7, 9);
    lbo_tensor_release(out);
    assert_ok(lbo_sum_to(w->context, t, &number, &out));
    assert_int_equal(out->ndim, 0);
    assert_numbers(out, 21);
    lbo_tensor_release(out);
    assert_ok(lbo_sum_to(w->context, t, &larger, &out));
    assert_int_equal(out->dtype, LBO_F16);
    assert_shape(out, 2, 2, 1);
    assert_numbers(out, 6, 6, 15, 15);
    lbo_tensor_release(out);
    lbo_tensor_release(t);
}

/* ---- threads --------------------------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 300 };

typedef struct job {
    lbo_library *library;
    lbo_tensor *weight;
    double number;
} job;

/* number * weight, summed: the gradient is the number. */
static void *accumulate(void *argument)
{
    const job *const j = argument;
    lbo_context *context;
    lbo_tensor *number, *y, *sum;

    assert_ok(lbo_context_create(j->library, NULL, &context));
    assert_ok(lbo_push(context, autograd));
    assert_ok(lbo_from_data(context, LBO_F64, 0, NULL, &j->number, &number));
    for (int i = 0; i < ROUNDS; i++) {
        y = sum = NULL;
        assert_ok(lbo_mul(context, &y, j->weight, number));
        assert_ok(lbo_sum(context, &sum, y, -1, NULL, false));
        assert_ok(lbo_backward(context, sum, NULL, false));
        lbo_tensor_release(y);
        lbo_tensor_release(sum);
    }
    lbo_tensor_release(number);
    lbo_context_destroy(context);
    return NULL;
}

static void threads_add_to_the_same_leaves(void **state)
{
    world *const w = *state;
    lbo_tensor *const weight =
        leaf_of(w, LBO_F64, 1, SHAPE(3), NUMBERS(1, 2, 3));
    pthread_t threads[THREADS];
    job jobs[THREADS];
    double expected = 0;

    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (job){w->library, weight, i + 1};
        expected += ROUNDS * (i + 1);
        assert_int_equal(
            pthread_create(&threads[i], NULL, accumulate, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_numbers(lbo_gradient(weight), expected, expected, expected);
    lbo_tensor_release(weight);
}

/* ---- no memory ----------------------------------------------------------------------------------- */

/* Everything once: recording, in place, walking, recording the walk. */
static lb_status use_all(lbo_context *context, lbo_tensor *a, lbo_tensor *b)
{
    lbo_tensor *y = NULL, *e = NULL, *sum = NULL, *g[2] = {NULL}, *h = NULL;
    lb_status status = lbo_mul(context, &y, a, b);

    if (status == LB_OK)
        status = lbo_neg(context, &y, y);
    if (status == LB_OK)
        status = lbo_exp(context, &e, y);
    if (status == LB_OK)
        status = lbo_sum(context, &sum, e, -1, NULL, false);
    if (status == LB_OK)
        status = lbo_gradients(context, sum, NULL, (lbo_tensor *[]){a, b}, 2,
                               true, g);
    if (status == LB_OK)
        status = lbo_sum(context, &h, g[0], -1, NULL, false);
    if (status == LB_OK)
        status = lbo_backward(context, h, NULL, false);
    lbo_tensor_release(y);
    lbo_tensor_release(e);
    lbo_tensor_release(sum);
    lbo_tensor_release(g[0]);
    lbo_tensor_release(g[1]);
    lbo_tensor_release(h);
    return status;
}

static lb_status use_once(lbo_context *context)
{
    const double numbers[] = {0.5, 1, 2};
    lbo_tensor *a = NULL, *b = NULL;
    lb_status status =
        lbo_from_data(context, LBO_F64, 1, SHAPE(3), numbers, &a);

    if (status == LB_OK)
        status = lbo_from_data(context, LBO_F64, 2, SHAPE(3, 1), numbers, &b);
    if (status == LB_OK)
        status = lbo_require_gradient(a, true);
    if (status == LB_OK)
        status = lbo_require_gradient(b, true);
    if (status == LB_OK)
        status = use_all(context, a, b);
    lbo_tensor_release(a);
    lbo_tensor_release(b);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    allocator memory = {0};
    const lbo_library_config config = {.abi = LBO_ABI,
                                       .reallocate = allocator_reallocate,
                                       .allocator_context = &memory};
    lbo_library *library;
    lbo_context *context;
    uint64_t at = 0;

    (void)state;
    assert_ok(lbo_library_create(&config, &library));
    assert_ok(lbo_context_create(library, NULL, &context));
    assert_ok(lbo_autograd_create(library, &autograd));
    assert_ok(lbo_push(context, autograd));
    assert_ok(use_once(context));
    do {
        allocator_arm(&memory, ++at, 0);
        const lb_status status = use_once(context);
        if (memory.refused == 0)
            assert_ok(status);
        else if (status != LB_OK)
            assert_int_equal(status, LB_NO_MEMORY);
    } while (memory.refused > 0);
    assert_true(at > 50);
    allocator_arm(&memory, 0, 0);
    lbo_context_destroy(context);
    assert_ok(lbo_library_destroy(library));
    assert_int_equal(allocator_finish(&memory), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUTOGRAD_TEST(a_tensor_used_several_times_gets_the_sum),
        AUTOGRAD_TEST(one_followed_input_gets_what_it_gets_beside_another),
        AUTOGRAD_TEST(gradients_add_up_until_they_are_dropped),
        AUTOGRAD_TEST(what_is_broadcast_is_summed),
        AUTOGRAD_TEST(a_gradient_has_the_type_of_its_input),
        AUTOGRAD_TEST(gradients_of_two_leaves_share_no_memory),
        AUTOGRAD_TEST(a_leaf_may_be_its_own_result),
        AUTOGRAD_TEST(only_what_is_followed_is_recorded),
        AUTOGRAD_TEST(views_lead_back_to_their_base),
        AUTOGRAD_TEST(a_million_operators_are_let_go_without_recursion),
        AUTOGRAD_TEST(a_million_operators_are_walked),
        AUTOGRAD_TEST(a_node_runs_once_however_many_paths_lead_to_it),
        AUTOGRAD_TEST(lists_of_many_inputs_are_followed),
        AUTOGRAD_TEST(a_history_is_used_up_unless_it_is_kept),
        AUTOGRAD_TEST(seeds_are_checked),
        AUTOGRAD_TEST(leaves_are_checked),
        AUTOGRAD_TEST(a_change_of_what_was_saved_is_found),
        AUTOGRAD_TEST(a_leaf_cannot_be_a_result),
        AUTOGRAD_TEST(a_result_given_takes_the_new_history),
        AUTOGRAD_TEST(overwriting_what_is_saved_is_found),
        AUTOGRAD_TEST(a_result_that_others_share_cannot_be_recorded),
        AUTOGRAD_TEST(several_results_arrive_together),
        AUTOGRAD_TEST(a_gradient_that_fails_is_told_and_can_be_tried_again),
        AUTOGRAD_TEST(an_operator_without_gradient_gives_constants),
        AUTOGRAD_TEST(gradients_are_given_and_nothing_is_left),
        AUTOGRAD_TEST(only_followed_inputs_have_gradients),
        AUTOGRAD_TEST(gradients_can_be_differentiated_again),
        AUTOGRAD_TEST(a_missing_second_gradient_is_no_silent_zero),
        AUTOGRAD_TEST(sum_to_undoes_broadcasting_both_ways),
        AUTOGRAD_TEST(threads_add_to_the_same_leaves),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
