/* An optimizer for several processes: run by mpirun with two of them. That a
 * whole training comes to the same is shown by test_train.py. */
#include "support/test.h"

#include "latebind/ops.h"
#include "latebind/ops/mpi.h"

static int rank, size;
static bool out_of_memory;

static void *allocate(void *context, void *old, size_t old_size, size_t bytes)
{
    (void)context;
    (void)old_size;
    if (bytes > 0)
        return out_of_memory ? NULL : realloc(old, bytes);
    free(old);
    return NULL;
}

typedef struct world {
    lbo_library *library;
    lbo_context *context;
    lbo_module *module;
    lbo_tensor *single, *wide;
    lbo_optimizer *inner, *outer;
} world;

/* Each process begins with other numbers: 10 * rank, 100 * rank. */
static int setup(void **state)
{
    static world w;
    const float singles[] = {10.f * (float)rank, 1};
    const double doubles[] = {100.0 * rank};

    memset(&w, 0, sizeof w);
    const lbo_library_config config = {.abi = LBO_ABI, .reallocate = allocate};

    assert_ok(lbo_library_create(&config, &w.library));
    assert_ok(lbo_context_create(w.library, NULL, &w.context));
    assert_ok(lbo_module_create(
        w.library, lbo_module_class(w.library, "module"), "m", &w.module));
    assert_ok(lbo_from_data(w.context, LBO_F32, 1, (int64_t[]){2}, singles,
                            &w.single));
    assert_ok(lbo_from_data(w.context, LBO_F64, 0, NULL, doubles, &w.wide));
    assert_ok(lbo_module_add_parameter(w.module, "single", w.single));
    assert_ok(lbo_module_add_parameter(w.module, "wide", w.wide));
    assert_ok(lbo_sgd(w.module, 1, 0, 0, false, &w.inner));
    assert_ok(lbo_mpi_optimizer(w.context, w.inner, MPI_COMM_WORLD, &w.outer));
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    world *const w = *state;

    lbo_zero_gradients(w->inner);
    lbo_optimizer_destroy(w->outer);
    lbo_optimizer_destroy(w->inner);
    lbo_module_release(w->module);
    lbo_tensor_release(w->single);
    lbo_tensor_release(w->wide);
    lbo_context_destroy(w->context);
    assert_ok(lbo_library_destroy(w->library));
    return 0;
}

static void expect(world *w, double first, double second, double wide)
{
    float singles[2];
    double doubles[1];

    assert_ok(lbo_read(w->context, w->single, singles, sizeof singles));
    assert_ok(lbo_read(w->context, w->wide, doubles, sizeof doubles));
    if ((double)singles[0] != first || (double)singles[1] != second ||
        doubles[0] != wide)
        fail_msg("process %d: %g %g %g, not %g %g %g", rank, (double)singles[0],
                 (double)singles[1], doubles[0], first, second, wide);
}

static void give(world *w, lbo_tensor *parameter, double value)
{
    const float singles[] = {(float)value, 0};
    lbo_tensor *gradient = NULL;

    if (parameter == w->single)
        assert_ok(lbo_from_data(w->context, LBO_F32, 1, (int64_t[]){2}, singles,
                                &gradient));
    else
        assert_ok(
            lbo_from_data(w->context, LBO_F64, 0, NULL, &value, &gradient));
    assert_ok(lbo_set_gradient(parameter, gradient));
    lbo_tensor_release(gradient);
}

static void all_begin_with_the_first_ones_parameters(void **state)
{
    expect(*state, 0, 1, 0);
}

static void gradients_are_averaged(void **state)
{
    world *const w = *state;
    const double mean = (size - 1) / 2.0; /* exact: of two or four processes */

    give(w, w->single, rank);
    give(w, w->wide, 2 * rank);
    assert_ok(lbo_step(w->context, w->outer));
    expect(w, -mean, 1, -2 * mean);
    assert_int_equal(w->outer->steps, 1);
    assert_int_equal(w->inner->steps, 1);
}

static void a_gradient_that_one_has_is_everyones(void **state)
{
    world *const w = *state;

    if (rank == 0)
        give(w, w->wide, size);
    assert_ok(lbo_step(w->context, w->outer));
    expect(w, 0, 1, -1);
    assert_null(lbo_gradient(w->single)); /* nobody had one */
}

static void types_that_cannot_be_summed_are_refused_by_all(void **state)
{
    world *const w = *state;
    lbo_tensor *half = NULL;
    lbo_optimizer *inner, *outer = NULL;

    assert_ok(lbo_empty(w->context, LBO_F16, 0, NULL, &half));
    assert_ok(lbo_module_add_parameter(w->module, "half", half));
    assert_ok(lbo_sgd(w->module, 1, 0, 0, false, &inner));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_mpi_optimizer(w->context, inner, MPI_COMM_WORLD, &outer));
    assert_contains(lb_message(), "half is f16; f32 and f64 can be averaged");
    assert_null(outer);
    lbo_optimizer_destroy(inner);
    lbo_tensor_release(half);
}

/* No memory is left in one of them: the step fails everywhere, with the reason
 * where it failed, and nobody waits for ever. */
static void a_failure_in_one_is_a_failure_in_all(void **state)
{
    world *const w = *state;
    const bool last = rank == size - 1;

    give(w, w->single, 1);
    out_of_memory = last;
    const lb_status status = lbo_step(w->context, w->outer);
    out_of_memory = false;
    if (last)
        assert_status(LB_NO_MEMORY, status);
    else {
        assert_status(LB_METHOD_FAILED, status);
        assert_contains(lb_message(), "another process failed");
    }
    give(w, w->single, 1); /* and it goes on, when all begin alike again */
    lbo_optimizer_destroy(w->outer);
    assert_ok(lbo_write(w->context, w->single, (float[]){5, 1}, 8));
    assert_ok(
        lbo_mpi_optimizer(w->context, w->inner, MPI_COMM_WORLD, &w->outer));
    assert_ok(lbo_step(w->context, w->outer));
    expect(w, 4, 1, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(all_begin_with_the_first_ones_parameters),
        TEST(gradients_are_averaged),
        TEST(a_gradient_that_one_has_is_everyones),
        TEST(types_that_cannot_be_summed_are_refused_by_all),
        TEST(a_failure_in_one_is_a_failure_in_all),
    };

    if (MPI_Init(&argc, &argv) != MPI_SUCCESS ||
        MPI_Comm_rank(MPI_COMM_WORLD, &rank) != MPI_SUCCESS ||
        MPI_Comm_size(MPI_COMM_WORLD, &size) != MPI_SUCCESS)
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)MPI_Finalize();
    return failed;
}
