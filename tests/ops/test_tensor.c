/* Tensors themselves: memory, walks, overlaps, text, and other devices. */
#include "tensors.h"

#include "support/allocator.h"

#include "latebind/ops/dlpack.h"
#include "latebind/ops/kernel.h"

/* ---- making -------------------------------------------------------------- */

static void sizes_that_overflow_are_refused(void **state)
{
    world *const w = *state;
    const int64_t many = INT64_C(1) << 31;
    lbo_tensor *x = NULL;

    assert_status(LB_BAD_ARGUMENT, lbo_empty(w->context, LBO_U8, 3,
                                             SHAPE(many, many, many), &x));
    assert_contains(lb_message(), "elements overflows");
    assert_status(LB_BAD_ARGUMENT,
                  lbo_empty(w->context, LBO_F64, 2, SHAPE(many, many), &x));
    assert_contains(lb_message(), "bytes overflows");
    /* Empty, but its strides would overflow. */
    assert_status(LB_BAD_ARGUMENT, lbo_empty(w->context, LBO_U8, 4,
                                             SHAPE(0, many, many, many), &x));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_empty(w->context, LBO_U8, 1, SHAPE(-1), &x));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_empty(w->context, LBO_U8, LBO_MAX_DIMS + 1,
                            (int64_t[LBO_MAX_DIMS + 1]){0}, &x));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_empty(w->context, (lbo_dtype)9, 0, NULL, &x));
    assert_status(LB_BAD_ARGUMENT, lbo_empty(w->context, LBO_U8, 1, NULL, &x));
    assert_null(x);
}

static void sixteen_dimensions_are_allowed(void **state)
{
    world *const w = *state;
    int64_t shape[LBO_MAX_DIMS];
    lbo_tensor *x, *y = NULL;

    for (int i = 0; i < LBO_MAX_DIMS; i++)
        shape[i] = i % 3 == 0 ? 2 : 1;
    assert_ok(lbo_empty(w->context, LBO_F32, LBO_MAX_DIMS, shape, &x));
    assert_ok(lbo_fill(w->context, x, 3));
    assert_ok(lbo_transpose(w->context, &y, x, 0, NULL));
    assert_int_equal(y->dims[LBO_MAX_DIMS - 1], shape[0]);
    assert_true(naive_nth(y, x->size - 1) == 3);
    lbo_tensor_release(x);
    lbo_tensor_release(y);
}

static int released;

static void count_release(void *owner)
{
    *(int *)owner += 1;
}

static void wrapped_memory_is_given_back_once(void **state)
{
    world *const w = *state;
    int32_t numbers[] = {1, 2, 3, 4, 5, 6};
    lbo_tensor *x = NULL, *view = NULL;
    lbo_device *cpu;

    released = 0;
    assert_ok(lbo_device_find(w->library, "cpu", &cpu));
    assert_ok(lbo_tensor_wrap(w->library, cpu, numbers, sizeof numbers, 20,
                              LBO_I32, 2, SHAPE(2, 3), SHAPE(-3, -1), 0,
                              count_release, &released, &x));
    assert_numbers(x, 6, 5, 4, 3, 2, 1);
    assert_ok(lbo_tensor_view(x, -5, 1, SHAPE(6), NULL, &view));
    assert_numbers(view, 1, 2, 3, 4, 5, 6);
    lbo_tensor_release(x);
    assert_int_equal(released, 0);
    lbo_tensor_release(view);
    assert_int_equal(released, 1);
}

static void views_stay_within_their_memory(void **state)
{
    world *const w = *state;
    int32_t numbers[6] = {0};
    lbo_tensor *const x = make(w, LBO_I32, 1, SHAPE(6), (double[6]){0});
    lbo_tensor *bad = NULL;
    lbo_device *cpu;

    assert_ok(lbo_device_find(w->library, "cpu", &cpu));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_tensor_view(x, 1, 1, SHAPE(6), NULL, &bad));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_tensor_view(x, -1, 1, SHAPE(1), NULL, &bad));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_tensor_view(x, 0, 1, SHAPE(2), SHAPE(-1), &bad));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_tensor_view(x, 0, 1, SHAPE(3), SHAPE(INT64_MAX), &bad));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_tensor_view(x, INT64_MAX, 1, SHAPE(1), NULL, &bad));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_tensor_wrap(w->library, cpu, numbers, sizeof numbers, 2,
                                  LBO_I32, 1, SHAPE(1), NULL, 0, count_release,
                                  &released, &bad));
    assert_contains(lb_message(), "not aligned to the 4 bytes of i32");
    assert_status(LB_BAD_ARGUMENT,
                  lbo_tensor_wrap(w->library, cpu, (char *)numbers + 1, 20, 0,
                                  LBO_I32, 1, SHAPE(1), NULL, 0, NULL, NULL,
                                  &bad));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_tensor_wrap(w->library, cpu, NULL, 24, 0, LBO_I32, 1,
                                  SHAPE(6), NULL, 0, count_release, &released,
                                  &bad));
    assert_null(bad);
    lbo_tensor_release(x);
}

/* ---- walks --------------------------------------------------------------- */

/* A shape that broadcasts to `shape`. */
static size_t narrowed(world *w, size_t ndim, const int64_t *shape,
                       int64_t *result)
{
    const size_t skip = (size_t)pick(w, 0, (int64_t)ndim);

    for (size_t i = skip; i < ndim; i++)
        result[i - skip] = pick(w, 0, 2) == 0 ? 1 : shape[i];
    return ndim - skip;
}

static const char *broadcast_place(const lbo_tensor *t, size_t ndim,
                                   const int64_t *index)
{
    int64_t own[LBO_MAX_DIMS];

    for (size_t i = 0; i < t->ndim; i++)
        own[i] = t->dims[i] == 1 ? 0 : index[ndim - t->ndim + i];
    return naive_place(t, own);
}

static void a_walk_visits_all_in_row_major_order(void **state)
{
    world *const w = *state;

    for (int round = 0; round < 2000; round++) {
        const size_t ndim = (size_t)pick(w, 0, 5),
                     count = (size_t)pick(w, 1, 4);
        int64_t shape[5], index[5] = {0}, own[5], seen = 0, size = 1;
        lbo_tensor *tensors[4];
        lbo_walk walk;
        random_shape(w, ndim, 4, shape);
        for (size_t i = 0; i < ndim; i++)
            size *= shape[i];
        for (size_t k = 0; k < count; k++) {
            const size_t n = narrowed(w, ndim, shape, own);
            tensors[k] = random_view(w, (lbo_dtype)pick(w, 0, 8), n, own);
        }
        lbo_walk_init(&walk, ndim, shape, count, tensors);
        do
            for (int64_t i = 0; i < walk.count; i++, seen++) {
                for (size_t k = 0; k < count; k++)
                    assert_ptr_equal(walk.at[k] + i * walk.step[k],
                                     broadcast_place(tensors[k], ndim, index));
                (void)next_index(ndim, shape, index);
            }
        while (lbo_walk_next(&walk));
        assert_int_equal(seen, size);
        for (size_t k = 0; k < count; k++)
            lbo_tensor_release(tensors[k]);
    }
}

static void dense_operands_are_one_run(void **state)
{
    world *const w = *state;
    lbo_tensor *x, *one;
    lbo_walk walk;

    assert_ok(lbo_empty(w->context, LBO_F32, 4, SHAPE(3, 1, 4, 5), &x));
    assert_ok(lbo_empty(w->context, LBO_F32, 0, NULL, &one));
    lbo_walk_init(&walk, 4, lbo_shape(x), 2, (lbo_tensor *[]){x, one});
    assert_int_equal(walk.count, 60);
    assert_int_equal(walk.outer, 0);
    assert_int_equal(walk.step[1], 0);
    assert_false(lbo_walk_next(&walk));
    lbo_tensor_release(x);
    lbo_tensor_release(one);
}

/* ---- overlaps ------------------------------------------------------------ */

static bool share_an_element(const lbo_tensor *a, const lbo_tensor *b)
{
    int64_t i[3], j[3];

    for (int64_t m = 0; m < a->size; m++)
        for (int64_t n = 0; n < b->size; n++) {
            index_of(a, m, i);
            index_of(b, n, j);
            if (naive_place(a, i) == naive_place(b, j))
                return true;
        }
    return false;
}

static void overlaps_are_never_missed(void **state)
{
    world *const w = *state;
    lbo_tensor *const all = make(w, LBO_I32, 1, SHAPE(40), (double[40]){0});
    int apart = 0;

    for (int round = 0; round < 3000; round++) {
        lbo_tensor *part[2];
        for (int k = 0; k < 2; k++) {
            const int64_t n = pick(w, 0, 5), step = pick(w, -3, 3);
            const int64_t span = n > 0 ? (n - 1) * step : 0;
            const int64_t at =
                pick(w, span < 0 ? -span : 0, span > 0 ? 39 - span : 39);
            assert_ok(lbo_tensor_view(all, at, 1, &n, &step, &part[k]));
        }
        const int said = lbo_overlap(part[0], part[1]);
        if (share_an_element(part[0], part[1]))
            assert_true(said > 0);
        if (said == 2)
            assert_true(part[0]->data == part[1]->data);
        apart += said == 0;
        lbo_tensor_release(part[0]);
        lbo_tensor_release(part[1]);
    }
    assert_true(apart > 500);
    assert_int_equal(lbo_overlap(all, all), 2);
    lbo_tensor_release(all);
}

/* ---- reading and writing ------------------------------------------------- */

static void elements_are_read_and_written_in_row_major_order(void **state)
{
    world *const w = *state;

    for (int round = 0; round < 200; round++) {
        const size_t ndim = (size_t)pick(w, 0, 3);
        int32_t numbers[64];
        int64_t shape[3];
        random_shape(w, ndim, 4, shape);
        lbo_tensor *const x = random_view(w, LBO_I32, ndim, shape);
        const size_t bytes = lbo_tensor_bytes(x);
        assert_ok(lbo_read(w->context, x, numbers, bytes));
        for (int64_t i = 0; i < x->size; i++) {
            assert_true(numbers[i] == naive_nth(x, i));
            numbers[i] = (int32_t)(1000 + i);
        }
        const uint32_t version = x->storage->version;
        assert_ok(lbo_write(w->context, x, numbers, bytes));
        for (int64_t i = 0; i < x->size; i++)
            assert_true(naive_nth(x, i) == (double)(1000 + i));
        assert_int_equal(x->storage->version, version + (x->size > 0));
        assert_status(LB_BAD_ARGUMENT,
                      lbo_read(w->context, x, numbers, bytes + 4));
        lbo_tensor_release(x);
    }
}

static void item_wants_one_element(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = make(w, LBO_F32, 1, SHAPE(2), NUMBERS(1, 2));
    lbo_tensor *one = NULL;
    double value = 0;

    for (int dtype = 0; dtype < LBO_DTYPE_COUNT; dtype++) {
        assert_ok(lbo_cast(w->context, &one, x, (lbo_dtype)dtype));
        lbo_tensor *last = NULL;
        assert_ok(lbo_slice(w->context, &last, one, 0, 1, 2, 1));
        assert_ok(lbo_item(w->context, last, &value));
        assert_true(value == (dtype == LBO_BOOL ? 1 : 2));
        lbo_tensor_release(last);
        lbo_tensor_release(one);
        one = NULL;
    }
    assert_status(LB_BAD_ARGUMENT, lbo_item(w->context, x, &value));
    assert_contains(lb_message(), "2 elements, not 1");
    assert_status(LB_BAD_ARGUMENT, lbo_item(w->context, NULL, &value));
    lbo_tensor_release(x);
}

/* ---- text ---------------------------------------------------------------- */

static void check_text(world *w, lbo_tensor *x, const char *wanted)
{
    char text[4000], cut[20];
    const int length = lbo_format(w->context, x, text, sizeof text);

    assert_string_equal(text, wanted);
    assert_int_equal(length, strlen(wanted));
    assert_int_equal(lbo_format(w->context, x, NULL, 0), length);
    assert_int_equal(lbo_format(w->context, x, cut, sizeof cut), length);
    assert_true(strlen(cut) < sizeof cut);
    assert_memory_equal(cut, wanted, strlen(cut));
}

static void tensors_print_as_people_expect(void **state)
{
    world *const w = *state;
    static const struct {
        lbo_dtype dtype;
        size_t ndim;
        int64_t shape[3];
        double numbers[12];
        const char *text;
    } cases[] = {
        {LBO_F32,
         2,
         {2, 2},
         {1, 2, 3, 4},
         "tensor([[1, 2],\n        [3, 4]], f32)"},
        {LBO_F64, 0, {0}, {3.5}, "tensor(3.5, f64)"},
        {LBO_F32, 0, {0}, {-0.1}, "tensor(-0.1, f32)"},
        {LBO_I64, 1, {3}, {-1, 20, 300}, "tensor([ -1,  20, 300], i64)"},
        {LBO_BOOL, 1, {2}, {1, 0}, "tensor([ True, False], bool)"},
        {LBO_F32,
         1,
         {4},
         {0.5, INFINITY, -INFINITY, NAN},
         "tensor([ 0.5,  inf, -inf,  nan], f32)"},
        {LBO_F64, 1, {3}, {0.25, 10, -3}, "tensor([ 0.25, 10.00, -3.00], f64)"},
        {LBO_F64, 1, {2}, {1.0 / 3, 2}, "tensor([0.3333, 2.0000], f64)"},
        {LBO_F64, 1, {2}, {1e-7, 2}, "tensor([1e-07, 2e+00], f64)"},
        {LBO_F64,
         1,
         {2},
         {123456789, 1},
         "tensor([1.2346e+08, 1.0000e+00], "
         "f64)"},
        {LBO_F32, 2, {0, 3}, {0}, "tensor([], shape=[0, 3], f32)"},
        {LBO_U8, 1, {0}, {0}, "tensor([], u8)"},
        {LBO_I8,
         3,
         {2, 1, 2},
         {1, 2, 3, 4},
         "tensor([[[1, 2]],\n\n        [[3, 4]]], i8)"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        lbo_tensor *const x = make(w, cases[i].dtype, cases[i].ndim,
                                   cases[i].shape, cases[i].numbers);
        check_text(w, x, cases[i].text);
        lbo_tensor_release(x);
    }
}

static void long_tensors_are_summarized(void **state)
{
    world *const w = *state;
    lbo_tensor *x, *square = NULL, *turned = NULL, *wide = NULL;

    assert_ok(lbo_empty(w->context, LBO_I32, 1, SHAPE(1600), &x));
    assert_ok(lbo_arange(w->context, x, 0, 1));
    check_text(w, x, "tensor([   0,    1,    2, ..., 1597, 1598, 1599], i32)");
    assert_ok(lbo_reshape(w->context, &square, x, 2, SHAPE(40, 40)));
    assert_ok(lbo_transpose(w->context, &turned, square, 0, NULL));
    check_text(w, turned,
               "tensor([[   0,   40,   80, ..., 1480, 1520, 1560],\n"
               "        [   1,   41,   81, ..., 1481, 1521, 1561],\n"
               "        [   2,   42,   82, ..., 1482, 1522, 1562],\n"
               "        ...,\n"
               "        [  37,   77,  117, ..., 1517, 1557, 1597],\n"
               "        [  38,   78,  118, ..., 1518, 1558, 1598],\n"
               "        [  39,   79,  119, ..., 1519, 1559, 1599]], i32)");
    assert_ok(lbo_slice(w->context, &wide, x, 0, 1000, 1020, 1));
    check_text(w, wide,
               "tensor([1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, "
               "1009, 1010, 1011,\n        1012, 1013, 1014, 1015, 1016, "
               "1017, 1018, 1019], i32)");
    lbo_tensor_release(x);
    lbo_tensor_release(square);
    lbo_tensor_release(turned);
    lbo_tensor_release(wide);
}

static void what_nobody_can_read_is_not_printed(void **state)
{
    world *const w = *state;
    int64_t shape[LBO_MAX_DIMS];
    lbo_tensor *const x = make(w, LBO_F32, 0, NULL, NUMBERS(1));
    lbo_tensor *huge = NULL;
    char text[300];

    for (int i = 0; i < LBO_MAX_DIMS; i++)
        shape[i] = 7;
    assert_ok(lbo_expand(w->context, &huge, x, LBO_MAX_DIMS, shape));
    assert_true(lbo_format(w->context, huge, text, sizeof text) > 0);
    assert_contains(text, "tensor([...], shape=[7, 7,");
    lbo_tensor_release(x);
    lbo_tensor_release(huge);
    assert_true(lbo_format(w->context, NULL, text, sizeof text) < 0);
}

/* ---- another device ------------------------------------------------------ */

/* Its memory is of the host, but its handles are no addresses: whoever takes
 * them for such falls. */
static const uintptr_t veil = (uintptr_t)1 << 62;

static char *behind(const void *handle)
{
    return (char *)((uintptr_t)handle ^ veil);
}

LB_METHOD(lbo_on_allocate, far_allocate);
LB_METHOD(lbo_on_free, far_free);
LB_METHOD(lbo_on_copy, far_to_host);
LB_METHOD(lbo_on_copy, host_to_far);
LB_METHOD(lbo_unary, far_cast);

static size_t moved;

static lb_status far_allocate(lb_slot slot, lbo_device *device, size_t bytes,
                              void **result)
{
    char *const block = malloc(bytes);

    LB_IGNORE(slot);
    (void)device;
    *result = (void *)((uintptr_t)block ^ veil);
    return block == NULL ? LB_NO_MEMORY : LB_OK;
}

static void far_free(lb_slot slot, lbo_device *device, void *handle,
                     size_t bytes)
{
    LB_IGNORE(slot);
    (void)device;
    (void)bytes;
    free(behind(handle));
}

static lb_status far_to_host(lb_slot slot, lbo_device *to, lbo_device *from,
                             const lbo_transfer *copy)
{
    LB_IGNORE(slot);
    (void)to;
    (void)from;
    moved += copy->bytes;
    memcpy((char *)copy->to + copy->to_offset,
           behind(copy->from) + copy->from_offset, copy->bytes);
    return LB_OK;
}

static lb_status host_to_far(lb_slot slot, lbo_device *to, lbo_device *from,
                             const lbo_transfer *copy)
{
    LB_IGNORE(slot);
    (void)to;
    (void)from;
    moved += copy->bytes;
    memcpy(behind(copy->to) + copy->to_offset,
           (const char *)copy->from + copy->from_offset, copy->bytes);
    return LB_OK;
}

static char *far_place(const lbo_tensor *t, const int64_t *index)
{
    return behind(naive_place(t, index));
}

static int casts;

/* Of i32 only, to i32 only. */
static lb_status far_cast(lb_slot slot, lbo_context *context, lbo_tensor *x,
                          lbo_call *call)
{
    int64_t index[LBO_MAX_DIMS] = {0};

    LB_IGNORE(slot);
    (void)context;
    casts++;
    assert_int_equal(call->out[0]->dtype, LBO_I32);
    if (x->size > 0)
        do
            memcpy(far_place(call->out[0], index), far_place(x, index), 4);
        while (next_index(x->ndim, x->dims, index));
    return LB_OK;
}

static lbo_device *add_far(world *w, const char *name)
{
    lb_runtime *const runtime = lbo_runtime(w->library);
    lb_class *const base = lbo_device_class(w->library);
    lb_class *const cls = lb_class_make(runtime, name, 0, base, NULL);
    lb_class *const cpu = lb_class_find(runtime, "cpu device");
    const lb_rule rules[] = {
        {.method = LB_DESCRIPTOR(far_allocate),
         .specializers = (lb_specializer[]){lb_is(cls)},
         .count = 1},
        {.method = LB_DESCRIPTOR(far_free),
         .specializers = (lb_specializer[]){lb_is(cls)},
         .count = 1},
        {.method = LB_DESCRIPTOR(far_to_host),
         .specializers = (lb_specializer[]){lb_is(cpu), lb_is(cls)},
         .count = 2},
        {.method = LB_DESCRIPTOR(host_to_far),
         .specializers = (lb_specializer[]){lb_is(cls), lb_is(cpu)},
         .count = 2}};
    static const char *const names[] = {"device.allocate", "device.free",
                                        "device.copy", "device.copy"};
    lbo_device *device;
    lb_group *group;

    assert_non_null(cls);
    assert_ok(lb_group_create(runtime, name, 0, &group));
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        assert_ok(lb_group_add(group, lbo_generic(w->library, names[i]),
                               &rules[i], 1));
    assert_ok(lb_group_commit(group));
    assert_ok(
        lbo_device_create(w->library, name, cls, 0, 0, NULL, NULL, &device));
    return device;
}

static void add_far_cast(world *w, lbo_device *device)
{
    const lbo_kernel kernel = {"cast", LB_DESCRIPTOR(far_cast), LBO_I32,
                               LBO_ANY_DTYPE, NULL};

    assert_ok(lbo_register_kernels(w->library, NULL, device, &kernel, 1));
}

/* A strided view on the device with the numbers of `x`. */
static lbo_tensor *far_view(world *w, lbo_tensor *x, lbo_device *device)
{
    lbo_tensor *moved_all = NULL, *view = NULL, *all = NULL;
    const int64_t size = (int64_t)(x->storage->bytes / 4);
    const int64_t begin = -x->offset / 4;

    assert_ok(lbo_tensor_view(x, begin, 1, &size, NULL, &all));
    assert_ok(lbo_to_device(w->context, &moved_all, all, device));
    assert_null(moved_all->data);
    assert_ok(lbo_tensor_view(moved_all, -begin, x->ndim, lbo_shape(x),
                              lbo_strides(x), &view));
    lbo_tensor_release(all);
    lbo_tensor_release(moved_all);
    return view;
}

static void check_exchange(world *w, lbo_device *here, lbo_device *there)
{
    for (int round = 0; round < 200; round++) {
        const size_t ndim = (size_t)pick(w, 0, 3);
        int64_t shape[3];
        random_shape(w, ndim, 4, shape);
        lbo_tensor *const x = random_view(w, LBO_I32, ndim, shape);
        lbo_tensor *const y = random_view(w, LBO_I32, ndim, shape);
        lbo_tensor *a = far_view(w, x, here), *b = far_view(w, y, there);
        lbo_tensor *back = random_view(w, LBO_I32, ndim, shape);
        assert_ok(lbo_copy(w->context, &b, a)); /* device to device */
        assert_ok(lbo_copy(w->context, &back, b));
        for (int64_t i = 0; i < x->size; i++)
            assert_true(naive_nth(back, i) == naive_nth(x, i));
        assert_ok(lbo_copy(w->context, &a, y)); /* from the host */
        int32_t numbers[64];
        assert_ok(lbo_read(w->context, a, numbers, lbo_tensor_bytes(a)));
        for (int64_t i = 0; i < y->size; i++)
            assert_true(numbers[i] == naive_nth(y, i));
        assert_ok(lbo_write(w->context, b, numbers, lbo_tensor_bytes(b)));
        assert_ok(lbo_copy(w->context, &back, b));
        for (int64_t i = 0; i < y->size; i++)
            assert_true(naive_nth(back, i) == naive_nth(y, i));
        lbo_tensor_release(x);
        lbo_tensor_release(y);
        lbo_tensor_release(a);
        lbo_tensor_release(b);
        lbo_tensor_release(back);
    }
}

static void elements_move_between_devices_of_any_strides(void **state)
{
    world *const w = *state;
    lbo_device *const far = add_far(w, "far"), *const away = add_far(w, "away");

    casts = 0;
    check_exchange(w, far, far);
    check_exchange(w, far, away);
    assert_int_equal(casts, 0);
    add_far_cast(w, far);
    check_exchange(w, far, far);
    check_exchange(w, far, away);
    check_exchange(w, away, far);
    assert_true(casts > 100);
}

static void gaps_of_a_device_are_left_alone(void **state)
{
    world *const w = *state;
    lbo_device *const far = add_far(w, "far");
    lbo_tensor *const x = make(w, LBO_I32, 1, SHAPE(5), NUMBERS(1, 2, 3, 4, 5));
    lbo_tensor *const two = make(w, LBO_I32, 1, SHAPE(2), NUMBERS(8, 9));
    lbo_tensor *all = NULL, *odd = NULL, *back = NULL;

    assert_ok(lbo_to_device(w->context, &all, x, far));
    assert_ok(lbo_slice(w->context, &odd, all, 0, 3, 0, -2));
    assert_ok(lbo_copy(w->context, &odd, two));
    assert_ok(lbo_to_device(w->context, &back, all, x->storage->device));
    assert_numbers(back, 1, 9, 3, 8, 5);
    assert_ok(lbo_fill(w->context, all, 6)); /* on the CPU, and back */
    check_text(w, odd, "tensor([6, 6], i32, far)");
    assert_status(LB_BAD_ARGUMENT, lbo_to_device(w->context, &back, x, far));
    lbo_tensor_release(x);
    lbo_tensor_release(two);
    lbo_tensor_release(all);
    lbo_tensor_release(odd);
    lbo_tensor_release(back);
}

static void a_summary_fetches_only_what_it_shows(void **state)
{
    world *const w = *state;
    lbo_device *const far = add_far(w, "far");
    lbo_tensor *x, *there = NULL;
    char text[200];

    assert_ok(lbo_empty(w->context, LBO_I32, 1, SHAPE(100000), &x));
    assert_ok(lbo_arange(w->context, x, 0, 1));
    assert_ok(lbo_to_device(w->context, &there, x, far));
    moved = 0;
    assert_true(lbo_format(w->context, there, text, sizeof text) > 0);
    assert_string_equal(text, "tensor([    0,     1,     2, ..., 99997, 99998, "
                              "99999], i32, far)");
    assert_int_equal(moved, 6 * sizeof(int32_t));
    lbo_tensor_release(x);
    lbo_tensor_release(there);
}

static void a_foreign_handle_is_no_address(void **state)
{
    world *const w = *state;
    lbo_device *const far = add_far(w, "far");
    lbo_tensor *const x = make(w, LBO_F32, 1, SHAPE(2), NUMBERS(1, 2));
    lbo_tensor *there = NULL, *again = NULL, *half = NULL;

    assert_ok(lbo_to_device(w->context, &there, x, far));
    assert_ok(lbo_to_device(w->context, &again, there, far));
    assert_ptr_equal(there, again);
    /* No kernel for this: by way of the CPU, and the result is there again. */
    assert_ok(lbo_cast(w->context, &half, there, LBO_F16));
    assert_ptr_equal(lbo_tensor_device(half), far);
    check_text(w, half, "tensor([1, 2], f16, far)");
    lbo_tensor_release(x);
    lbo_tensor_release(there);
    lbo_tensor_release(again);
    lbo_tensor_release(half);
}

/* ---- memory that fails --------------------------------------------------- */

/* Something of everything; t: what it made. */
static lb_status a_bit_of_all(world *w, lbo_device *far, lbo_tensor **t)
{
    lbo_context *const c = w->context;
    const int64_t rows[] = {1, 0};
    const float numbers[] = {1, 2, 3, 4, 5, 6};
    lbo_dl_versioned *dl = NULL;
    char text[200];
    lb_status status =
        lbo_from_data(c, LBO_F32, 2, SHAPE(2, 3), numbers, &t[0]);

    if (status == LB_OK)
        status = lbo_transpose(c, &t[1], t[0], 0, NULL);
    if (status == LB_OK)
        status = lbo_reshape(c, &t[2], t[1], 1, SHAPE(6));
    if (status == LB_OK)
        status = lbo_cast(c, &t[3], t[1], LBO_F16);
    if (status == LB_OK)
        status = lbo_concat(c, &t[4], (lbo_tensor *[]){t[1], t[3]}, 2, 1);
    if (status == LB_OK)
        status = lbo_stack(c, &t[5], (lbo_tensor *[]){t[1], t[3]}, 2, 0);
    if (status == LB_OK)
        status = lbo_from_data(c, LBO_I64, 1, SHAPE(2), rows, &t[6]);
    if (status == LB_OK)
        status = lbo_embedding(c, &t[7], t[1], t[6]);
    if (status == LB_OK)
        status = lbo_embedding_backward(c, &t[8], t[7], t[6], t[1]);
    if (status == LB_OK)
        status = lbo_slice_backward(c, &t[9], t[3], t[4], 1, 0, 2, 1);
    if (status == LB_OK)
        status = lbo_split(c, &t[10], t[0], SHAPE(1, 2), 2, 1);
    if (status == LB_OK)
        status = lbo_dropout(c, &t[12], t[0], 0.5);
    if (status == LB_OK)
        status = lbo_to_device(c, &t[13], t[1], far);
    if (status == LB_OK)
        status = lbo_transpose(c, &t[14], t[13], 0, NULL);
    if (status == LB_OK)
        status = lbo_copy(c, &t[14], t[0]);
    if (status == LB_OK && lbo_format(c, t[14], text, sizeof text) < 0)
        status = LB_NO_MEMORY;
    if (status == LB_OK)
        status = lbo_to_dlpack_versioned(t[0], &dl);
    if (status == LB_OK) {
        status = lbo_from_dlpack_versioned(w->library, dl, &t[15]);
        if (status != LB_OK)
            dl->deleter(dl);
    }
    return status;
}

static void memory_that_fails_leaves_nothing_behind(void **state)
{
    static allocator memory;
    const lbo_library_config config = {.abi = LBO_ABI,
                                       .reallocate = allocator_reallocate,
                                       .allocator_context = &memory};
    lb_status status = LB_NO_MEMORY;
    world w = {.random = 1};
    uint64_t at = 0;

    (void)state;
    assert_ok(lbo_library_create(&config, &w.library));
    assert_ok(lbo_context_create(w.library, NULL, &w.context));
    lbo_context_set_fallback(w.context, LBO_FALLBACK_SILENT);
    lbo_device *const far = add_far(&w, "far");
    do {
        lbo_tensor *made[16] = {NULL};
        allocator_arm(&memory, ++at, 0);
        status = a_bit_of_all(&w, far, made);
        const bool refused = memory.refused > 0;
        allocator_arm(&memory, 0, 0);
        assert_true(status == LB_OK || (status == LB_NO_MEMORY && refused));
        for (int i = 0; i < 16; i++)
            lbo_tensor_release(made[i]);
        if (!refused)
            break;
    } while (at < 2000);
    assert_ok(status);
    assert_true(at > 30 && at < 2000);
    lbo_context_destroy(w.context);
    assert_ok(lbo_library_destroy(w.library));
    assert_int_equal(allocator_finish(&memory), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sizes_that_overflow_are_refused),
        TEST(sixteen_dimensions_are_allowed),
        TEST(wrapped_memory_is_given_back_once),
        TEST(views_stay_within_their_memory),
        TEST(a_walk_visits_all_in_row_major_order),
        TEST(dense_operands_are_one_run),
        TEST(overlaps_are_never_missed),
        TEST(elements_are_read_and_written_in_row_major_order),
        TEST(item_wants_one_element),
        TEST(tensors_print_as_people_expect),
        TEST(long_tensors_are_summarized),
        TEST(what_nobody_can_read_is_not_printed),
        TEST(elements_move_between_devices_of_any_strides),
        TEST(gaps_of_a_device_are_left_alone),
        TEST(a_summary_fetches_only_what_it_shows),
        TEST(a_foreign_handle_is_no_address),
        cmocka_unit_test(memory_that_fails_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
