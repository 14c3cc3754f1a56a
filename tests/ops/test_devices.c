/* A device that a program defines itself: its memory are numbers of blocks, no
 * addresses. What every device has is exercised without any GPU: copies by any
 * way, views, the CPU in place of missing kernels, errors, ends. */
#include "support/test.h"

#include "latebind/ops.h"

LB_METHOD(lbo_on_allocate, toy_allocate);
LB_METHOD(lbo_on_free, toy_free);
LB_METHOD(lbo_on_copy, toy_read);
LB_METHOD(lbo_on_copy, toy_write);
LB_METHOD(lbo_on_synchronize, toy_synchronize);
LB_METHOD(lbo_unary, toy_neg);

enum { BLOCKS = 256 };

/* Block 0 is none. */
static struct {
    char *memory[BLOCKS];
    size_t bytes[BLOCKS];
    size_t live, reads, writes, negs;
    size_t fail_read, fail_write, fail_allocate; /* countdown; 0: never */
    lb_status synchronized;                      /* what synchronize gives */
} toy;

static size_t block_of(const void *handle, size_t offset, size_t bytes)
{
    const size_t block = (size_t)(uintptr_t)handle;

    assert_true(block > 0 && block < BLOCKS && toy.memory[block] != NULL);
    assert_true(offset + bytes <= toy.bytes[block]);
    return block;
}

static bool fails(size_t *countdown)
{
    return *countdown > 0 && --*countdown == 0;
}

static lb_status toy_allocate(lb_slot slot, lbo_device *device, size_t bytes,
                              void **memory)
{
    size_t block = 1;

    LB_IGNORE(slot);
    while (block < BLOCKS && toy.memory[block] != NULL)
        block++;
    if (block == BLOCKS || fails(&toy.fail_allocate))
        return lbo_fail(LB_NO_MEMORY, "%s is full", device->name);
    toy.memory[block] = malloc(bytes);
    assert_non_null(toy.memory[block]);
    memset(toy.memory[block], 0x5a, bytes);
    toy.bytes[block] = bytes;
    toy.live++;
    *memory = (void *)(uintptr_t)block;
    return LB_OK;
}

static void toy_free(lb_slot slot, lbo_device *device, void *memory,
                     size_t bytes)
{
    const size_t block = block_of(memory, 0, bytes);

    LB_IGNORE(slot);
    (void)device;
    assert_int_equal(toy.bytes[block], bytes);
    free(toy.memory[block]);
    toy.memory[block] = NULL;
    toy.live--;
}

static lb_status toy_read(lb_slot slot, lbo_device *to, lbo_device *from,
                          const lbo_transfer *copy)
{
    const size_t block = block_of(copy->from, copy->from_offset, copy->bytes);

    LB_IGNORE(slot);
    (void)to;
    toy.reads++;
    if (fails(&toy.fail_read))
        return lbo_fail(LB_METHOD_FAILED, "%s does not give it out",
                        from->name);
    memcpy((char *)copy->to + copy->to_offset,
           toy.memory[block] + copy->from_offset, copy->bytes);
    return LB_OK;
}

static lb_status toy_write(lb_slot slot, lbo_device *to, lbo_device *from,
                           const lbo_transfer *copy)
{
    const size_t block = block_of(copy->to, copy->to_offset, copy->bytes);

    LB_IGNORE(slot);
    (void)from;
    toy.writes++;
    if (fails(&toy.fail_write))
        return lbo_fail(LB_METHOD_FAILED, "%s does not take it", to->name);
    memcpy(toy.memory[block] + copy->to_offset,
           (const char *)copy->from + copy->from_offset, copy->bytes);
    return LB_OK;
}

static lb_status toy_synchronize(lb_slot slot, lbo_device *device, void *stream)
{
    LB_IGNORE(slot);
    (void)stream;
    return toy.synchronized == LB_OK
               ? LB_OK
               : lbo_fail(toy.synchronized, "%s: something went wrong long ago",
                          device->name);
}

/* For row-major tensors; the others are the next method's. */
static lb_status toy_neg(lb_slot slot, lbo_context *context, lbo_tensor *a,
                         lbo_call *call)
{
    LB_SELF(lbo_unary, toy_neg, slot, context, a, call);
    lbo_tensor *const out = call->out[0];

    if (!lbo_is_contiguous(a) || !lbo_is_contiguous(out))
        return lb_next_lbo_unary(self, context, a, call);
    const size_t bytes = lbo_tensor_bytes(a);
    const float *const from =
        (void *)(toy.memory[block_of(a->storage->memory, (size_t)a->offset,
                                     bytes)] +
                 a->offset);
    float *const to =
        (void *)(toy.memory[block_of(out->storage->memory, (size_t)out->offset,
                                     bytes)] +
                 out->offset);
    for (int64_t i = 0; i < a->size; i++)
        to[i] = -from[i];
    toy.negs++;
    return LB_OK;
}

/* ---- the world ----------------------------------------------------------- */

typedef struct world {
    lbo_library *library;
    lb_class *cls;
    lbo_device *first, *second, *cpu;
    lb_group *group;
    lbo_context *context;
    char reported[2048];
} world;

static void note_report(void *context, lb_status status, const char *message)
{
    world *const w = context;
    const size_t used = strlen(w->reported);

    (void)status;
    (void)snprintf(w->reported + used, sizeof w->reported - used, "%s\n",
                   message);
}

static void add_rule(world *w, const char *name, const lb_method *method,
                     lb_class *a, lb_class *b)
{
    const lb_specializer specializers[] = {lb_is(a), lb_is(b)};
    const lb_rule rule = {.method = method,
                          .specializers = specializers,
                          .count = b != NULL ? 2 : 1};

    assert_ok(lb_group_add(w->group, lbo_generic(w->library, name), &rule, 1));
}

static void add_methods(world *w)
{
    lb_class *const cpu = lb_class_find(lbo_runtime(w->library), "cpu device");

    assert_non_null(cpu);
    add_rule(w, "device.allocate", LB_DESCRIPTOR(toy_allocate), w->cls, NULL);
    add_rule(w, "device.free", LB_DESCRIPTOR(toy_free), w->cls, NULL);
    add_rule(w, "device.copy", LB_DESCRIPTOR(toy_read), cpu, w->cls);
    add_rule(w, "device.copy", LB_DESCRIPTOR(toy_write), w->cls, cpu);
    add_rule(w, "device.synchronize", LB_DESCRIPTOR(toy_synchronize), w->cls,
             NULL);
}

static int setup(void **state)
{
    static world w;
    const lbo_library_config config = {
        .abi = LBO_ABI, .report = note_report, .report_context = &w};
    const lbo_kernel neg = {"neg", LB_DESCRIPTOR(toy_neg), LBO_F32, -1, NULL};

    memset(&w, 0, sizeof w);
    memset(&toy, 0, sizeof toy);
    assert_ok(lbo_library_create(&config, &w.library));
    lb_runtime *const runtime = lbo_runtime(w.library);
    w.cls = lb_class_make(runtime, "toy device", 0, lbo_device_class(w.library),
                          NULL);
    assert_non_null(w.cls);
    assert_ok(lb_group_create(runtime, "toy", 0, &w.group));
    add_methods(&w);
    assert_ok(lbo_device_create(w.library, "toy", w.cls, 0, 7, "a toy", NULL,
                                &w.first));
    assert_ok(lbo_device_create(w.library, "toy:1", w.cls, 0, 6, NULL, NULL,
                                &w.second));
    assert_ok(lbo_register_kernels(w.library, w.group, w.first, &neg, 1));
    assert_ok(lb_group_commit(w.group));
    assert_ok(lbo_device_find(w.library, "cpu", &w.cpu));
    assert_ok(lbo_context_create(w.library, "auto", &w.context));
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    world *const w = *state;

    lbo_context_destroy(w->context);
    if (w->group != NULL)
        assert_ok(lb_group_remove(w->group));
    assert_ok(lbo_device_destroy(w->first));
    assert_ok(lbo_device_destroy(w->second));
    assert_int_equal(toy.live, 0);
    assert_ok(lbo_library_destroy(w->library));
    return 0;
}

/* 0, 1, 2, ... */
static lbo_tensor *count_up(world *w, size_t ndim, const int64_t *shape)
{
    float numbers[64];
    lbo_tensor *tensor = NULL;

    for (int i = 0; i < 64; i++)
        numbers[i] = (float)i;
    assert_ok(
        lbo_from_data(w->context, LBO_F32, ndim, shape, numbers, &tensor));
    return tensor;
}

static void expect(world *w, lbo_tensor *tensor, const float *wanted)
{
    float got[64];

    assert_true(tensor->size <= 64);
    assert_ok(lbo_read(w->context, tensor, got, lbo_tensor_bytes(tensor)));
    for (int64_t i = 0; i < tensor->size; i++)
        if (got[i] != wanted[i])
            fail_msg("element %lld is %g, not %g", (long long)i, (double)got[i],
                     (double)wanted[i]);
}

/* ---- tests --------------------------------------------------------------- */

static void the_best_device_is_auto(void **state)
{
    world *const w = *state;
    lbo_device *device = NULL;

    assert_ptr_equal(lbo_context_device(w->context), w->first);
    assert_status(LB_NOT_FOUND, lbo_device_find(w->library, "gpu", &device));
    assert_contains(lb_message(), "cpu, toy, toy:1");
    assert_status(LB_EXISTS, lbo_device_create(w->library, "toy", w->cls, 0, 0,
                                               NULL, NULL, &device));
    assert_int_equal(lbo_device_count(w->library), 3);
}

static void elements_come_back_from_every_view(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = count_up(w, 2, (const int64_t[]){3, 4});
    lbo_tensor *turned = NULL, *part = NULL;

    assert_null(x->data);
    expect(w, x, (const float[]){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
    assert_ok(lbo_transpose(w->context, &turned, x, 0, NULL));
    expect(w, turned, (const float[]){0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11});
    assert_ok(lbo_slice(w->context, &part, turned, 0, 3, -5, -2));
    expect(w, part, (const float[]){3, 7, 11, 1, 5, 9});
    lbo_tensor_release(part);
    lbo_tensor_release(turned);
    lbo_tensor_release(x);
}

static void a_view_is_written_without_its_neighbours(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = count_up(w, 2, (const int64_t[]){3, 4});
    const float numbers[] = {50, 51, 52};
    lbo_tensor *column = NULL;

    assert_ok(lbo_slice(w->context, &column, x, 1, 2, 3, 1));
    assert_ok(lbo_write(w->context, column, numbers, sizeof numbers));
    expect(w, x, (const float[]){0, 1, 50, 3, 4, 5, 51, 7, 8, 9, 52, 11});
    lbo_tensor_release(column);
    lbo_tensor_release(x);
}

static void devices_that_do_not_know_each_other_meet_on_the_host(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = count_up(w, 1, (const int64_t[]){5});
    lbo_tensor *moved = NULL, *home = NULL, *same = NULL;

    assert_ok(lbo_to_device(w->context, &moved, x, w->second));
    assert_ptr_equal(lbo_tensor_device(moved), w->second);
    expect(w, moved, (const float[]){0, 1, 2, 3, 4});
    assert_ok(lbo_to_device(w->context, &home, moved, w->cpu));
    assert_true(((float *)home->data)[4] == 4);
    assert_ok(lbo_to_device(w->context, &same, x, w->first));
    assert_ptr_equal(same, x);
    lbo_tensor_release(same);
    lbo_tensor_release(home);
    lbo_tensor_release(moved);
    lbo_tensor_release(x);
}

static void a_kernel_runs_where_there_is_one(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = count_up(w, 1, (const int64_t[]){3});
    lbo_tensor *y = NULL;

    assert_ok(lbo_neg(w->context, &y, x));
    assert_int_equal(toy.negs, 1);
    assert_int_equal(lbo_fallbacks(w->context, NULL, 0), 0);
    expect(w, y, (const float[]){0, -1, -2});
    lbo_tensor_release(y);
    lbo_tensor_release(x);
}

static void the_cpu_steps_in_says_so_once_and_is_counted(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = count_up(w, 1, (const int64_t[]){3});
    lbo_tensor *y = NULL, *z = NULL;
    lbo_fallback_count counts[4];

    assert_ok(lbo_add(w->context, &y, x, x));
    assert_ptr_equal(lbo_tensor_device(y), w->first);
    expect(w, y, (const float[]){0, 2, 4});
    assert_contains(w->reported, "add has no kernel for toy");
    w->reported[0] = '\0';
    assert_ok(lbo_add(w->context, &z, x, y));
    expect(w, z, (const float[]){0, 3, 6});
    assert_string_equal(w->reported, "");
    assert_int_equal(lbo_fallbacks(w->context, counts, 4), 1);
    assert_string_equal(counts[0].op->spec.name, "add");
    assert_int_equal(counts[0].calls, 2);
    assert_int_equal(counts[0].bytes, 2 * 3 * 12);
    lbo_tensor_release(z);
    lbo_tensor_release(y);
    lbo_tensor_release(x);
}

/* The kernel of the device declines: it is as if there were none. */
static void a_kernel_may_hand_on_to_the_cpu(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = count_up(w, 2, (const int64_t[]){2, 2});
    lbo_tensor *turned = NULL, *y = NULL;

    assert_ok(lbo_transpose(w->context, &turned, x, 0, NULL));
    assert_ok(lbo_neg(w->context, &y, turned));
    assert_int_equal(toy.negs, 0);
    expect(w, y, (const float[]){0, -2, -1, -3});
    lbo_tensor_release(y);
    lbo_tensor_release(turned);
    lbo_tensor_release(x);
}

static void policies_are_obeyed(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = count_up(w, 1, (const int64_t[]){3});
    lbo_tensor *y = NULL;

    lbo_context_set_fallback(w->context, LBO_FALLBACK_ERROR);
    assert_status(LB_NO_METHOD, lbo_exp(w->context, &y, x));
    assert_contains(lb_message(), "no kernel for exp(toy.f32)");
    assert_null(y);
    lbo_context_set_fallback(w->context, LBO_FALLBACK_SILENT);
    assert_ok(lbo_exp(w->context, &y, x));
    assert_string_equal(w->reported, "");
    assert_int_equal(lbo_fallbacks(w->context, NULL, 0), 1);
    lbo_tensor_release(y);
    lbo_tensor_release(x);
}

static void given_results_are_written_there(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = count_up(w, 1, (const int64_t[]){4});
    lbo_tensor *y = count_up(w, 1, (const int64_t[]){4});

    assert_ok(lbo_mul(w->context, &y, x, y));
    expect(w, y, (const float[]){0, 1, 4, 9});
    assert_ok(lbo_fill(w->context, y, 2));
    expect(w, y, (const float[]){2, 2, 2, 2});
    lbo_tensor_release(y);
    lbo_tensor_release(x);
}

static void tensors_of_two_devices_do_not_mix(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = count_up(w, 1, (const int64_t[]){3});
    lbo_tensor *moved = NULL, *y = NULL, *two = NULL;

    assert_ok(lbo_to_device(w->context, &moved, x, w->second));
    assert_status(LB_BAD_ARGUMENT, lbo_add(w->context, &y, x, moved));
    assert_contains(lb_message(), "toy:1");
    assert_null(y);
    assert_ok(lbo_scalar(w->context, 2, &two));
    assert_ok(lbo_mul(w->context, &y, x, two));
    assert_ptr_equal(lbo_tensor_device(y), w->first);
    expect(w, y, (const float[]){0, 2, 4});
    lbo_tensor_release(two);
    lbo_tensor_release(y);
    lbo_tensor_release(moved);
    lbo_tensor_release(x);
}

/* What fails on the way leaves nothing behind: teardown counts the blocks. */
static void every_failure_of_the_device_is_told(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = count_up(w, 1, (const int64_t[]){3});
    size_t *const countdowns[] = {&toy.fail_read, &toy.fail_write,
                                  &toy.fail_allocate};
    static const char *const words[] = {"does not give it out",
                                        "does not take it", "is full"};

    for (size_t k = 0; k < COUNT_OF(countdowns); k++)
        for (size_t nth = 1;; nth++) {
            lbo_tensor *y = NULL;
            const size_t live = toy.live;
            *countdowns[k] = nth;
            const lb_status status = lbo_add(w->context, &y, x, x);
            if (*countdowns[k] != 0) { /* it was not reached */
                *countdowns[k] = 0;
                assert_int_equal(status, LB_OK);
                assert_true(nth > 1);
                lbo_tensor_release(y);
                break;
            }
            assert_true(status != LB_OK);
            assert_contains(lb_message(), words[k]);
            assert_null(y);
            assert_int_equal(toy.live, live);
        }
    toy.synchronized = LB_METHOD_FAILED;
    assert_status(LB_METHOD_FAILED, lbo_synchronize(w->first));
    assert_contains(lb_message(), "something went wrong long ago");
    lbo_tensor_release(x);
}

static void a_device_in_use_does_not_go(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = count_up(w, 1, (const int64_t[]){3});

    assert_status(LB_BUSY, lbo_device_destroy(w->first));
    assert_contains(lb_message(), "1 storages are alive");
    lbo_tensor_release(x);
    /* Rules name its classes still: those of the kernel. */
    assert_status(LB_BUSY, lbo_device_destroy(w->first));
    lbo_tensor *const y = count_up(w, 1, (const int64_t[]){3});
    expect(w, y, (const float[]){0, 1, 2});
    lbo_tensor_release(y);
}

static void memory_of_somebody_else_is_wrapped(void **state)
{
    world *const w = *state;
    lbo_tensor *const x = count_up(w, 1, (const int64_t[]){6});
    lbo_tensor *over = NULL;

    assert_ok(lbo_tensor_wrap(w->library, w->first, x->storage->memory, 24, 4,
                              LBO_F32, 1, (const int64_t[]){2},
                              (const int64_t[]){3}, LBO_READ_ONLY, NULL, NULL,
                              &over));
    expect(w, over, (const float[]){1, 4});
    assert_status(LB_READ_ONLY, lbo_neg(w->context, &over, over));
    lbo_tensor_release(over);
    lbo_tensor_release(x);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_best_device_is_auto),
        T(elements_come_back_from_every_view),
        T(a_view_is_written_without_its_neighbours),
        T(devices_that_do_not_know_each_other_meet_on_the_host),
        T(a_kernel_runs_where_there_is_one),
        T(the_cpu_steps_in_says_so_once_and_is_counted),
        T(a_kernel_may_hand_on_to_the_cpu),
        T(policies_are_obeyed),
        T(given_results_are_written_there),
        T(tensors_of_two_devices_do_not_mix),
        T(every_failure_of_the_device_is_told),
        T(a_device_in_use_does_not_go),
        T(memory_of_somebody_else_is_wrapped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
