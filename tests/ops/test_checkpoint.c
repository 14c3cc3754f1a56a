/* Checkpoints: what is written comes back; files that are wrong are refused
 * with the reason, and change nothing. That other programs read and write the
 * same format is shown by test_torch_gpt.py, whose reader is its own. */
#include "support/test.h"

#include "latebind/ops.h"

#include <unistd.h>

typedef struct world {
    lbo_library *library;
    lbo_context *context;
    char path[64];
} world;

static int setup(void **state)
{
    static world w;
    int file;

    strcpy(w.path, "/tmp/latebind-checkpoint-XXXXXX");
    file = mkstemp(w.path);
    assert_true(file >= 0);
    (void)close(file);
    assert_ok(lbo_library_create(NULL, &w.library));
    assert_ok(lbo_context_create(w.library, NULL, &w.context));
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    world *const w = *state;

    (void)unlink(w->path);
    lbo_context_destroy(w->context);
    assert_ok(lbo_library_destroy(w->library)); /* no tensor is left */
    return 0;
}

static void write_bytes(const world *w, const void *data, size_t size)
{
    FILE *const file = fopen(w->path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* A file with this header and so many bytes of zeros after it. */
static void write_file(const world *w, const char *header, size_t bytes)
{
    char data[4096] = {0};
    const uint64_t length = strlen(header);

    assert_true(8 + length + bytes <= sizeof data);
    memcpy(data, &length, 8);
    memcpy(data + 8, header, length);
    write_bytes(w, data, 8 + length + bytes);
}

static void every_type_and_shape_comes_back(void **state)
{
    world *const w = *state;
    const int64_t shape[] = {2, 3};
    const unsigned char data[48] = {1, 0, 1, 1, 0, 1};
    const char *const facts[][2] = {{"a", "b \"c\"\n"}, {"d", ""}};
    lbo_named tensors[LBO_DTYPE_COUNT + 3] = {{NULL, NULL}};
    lbo_archive *archive;
    unsigned char got[48];
    size_t count = LBO_DTYPE_COUNT;

    for (int i = 0; i < LBO_DTYPE_COUNT; i++) {
        tensors[i].name = lbo_dtype_name((lbo_dtype)i);
        assert_ok(lbo_from_data(w->context, (lbo_dtype)i, 2, shape, data,
                                &tensors[i].tensor));
    }
    tensors[count].name = "scalar";
    assert_ok(lbo_from_data(w->context, LBO_I64, 0, NULL, "12345678",
                            &tensors[count++].tensor));
    tensors[count].name = "nothing.in \"it\"";
    assert_ok(lbo_empty(w->context, LBO_F32, 2, (int64_t[]){0, 5},
                        &tensors[count++].tensor));
    tensors[count].name = "strided";
    assert_ok(lbo_transpose(w->context, &tensors[count].tensor,
                            tensors[LBO_F32].tensor, 0, NULL));
    count++;
    assert_ok(lbo_save_tensors(w->context, w->path, tensors, count, facts, 2));
    assert_ok(lbo_load_tensors(w->context, w->path, &archive));
    assert_int_equal(lbo_archive_count(archive), count);
    for (size_t i = 0; i < count; i++) {
        lbo_tensor *const from = tensors[i].tensor;
        lbo_tensor *const to = lbo_archive_at(archive, i).tensor;
        unsigned char expected[48];
        assert_string_equal(lbo_archive_at(archive, i).name, tensors[i].name);
        assert_ptr_equal(to, lbo_archive_find(archive, tensors[i].name));
        assert_int_equal(to->dtype, from->dtype);
        assert_true(lbo_same_shape(to, from));
        assert_ok(lbo_read(w->context, from, expected, lbo_tensor_bytes(from)));
        assert_ok(lbo_read(w->context, to, got, lbo_tensor_bytes(to)));
        assert_memory_equal(got, expected, lbo_tensor_bytes(to));
        lbo_tensor_release(from);
    }
    assert_string_equal(lbo_archive_metadata(archive, "a"), "b \"c\"\n");
    assert_string_equal(lbo_archive_metadata(archive, "d"), "");
    assert_null(lbo_archive_metadata(archive, "e"));
    assert_null(lbo_archive_find(archive, "e"));
    assert_null(lbo_archive_at(archive, count).name);
    lbo_archive_destroy(archive);
}

/* The bytes that the format prescribes, written by hand. */
static void the_file_is_what_the_format_says(void **state)
{
    world *const w = *state;
    static const char header[] =
        "{\"x\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}} ";
    char got[128];
    lbo_named named = {"x", NULL};
    FILE *file;

    assert_ok(lbo_from_data(w->context, LBO_U8, 1, (int64_t[]){3}, "abc",
                            &named.tensor));
    assert_ok(lbo_save_tensors(w->context, w->path, &named, 1, NULL, 0));
    lbo_tensor_release(named.tensor);
    file = fopen(w->path, "rb");
    assert_non_null(file);
    const size_t size = fread(got, 1, sizeof got, file);
    (void)fclose(file);
    const uint64_t length = (uint64_t)got[0];
    assert_int_equal(length % 8, 0);
    assert_int_equal(size, 8 + length + 3);
    assert_memory_equal(got + 1, "\0\0\0\0\0\0\0", 7);
    assert_memory_equal(got + 8, header, sizeof header - 2);
    assert_memory_equal(got + 8 + length, "abc", 3);
}

static void what_cannot_be_saved_leaves_the_old_file(void **state)
{
    world *const w = *state;
    lbo_named named[2] = {{"x", NULL}, {"x", NULL}};
    lbo_archive *archive;
    char temporary[80];

    assert_ok(lbo_from_data(w->context, LBO_U8, 1, (int64_t[]){3}, "abc",
                            &named[0].tensor));
    named[1].tensor = named[0].tensor;
    assert_ok(lbo_save_tensors(w->context, w->path, named, 1, NULL, 0));
    assert_status(LB_EXISTS,
                  lbo_save_tensors(w->context, w->path, named, 2, NULL, 0));
    named[1].name = "\xff";
    assert_status(LB_BAD_ARGUMENT,
                  lbo_save_tensors(w->context, w->path, named, 2, NULL, 0));
    named[1].name = "__metadata__";
    assert_status(LB_BAD_ARGUMENT,
                  lbo_save_tensors(w->context, w->path, named, 2, NULL, 0));
    assert_status(LB_METHOD_FAILED, lbo_save_tensors(w->context, "/nowhere/x",
                                                     named, 1, NULL, 0));
    assert_ok(lbo_load_tensors(w->context, w->path, &archive));
    assert_int_equal(lbo_archive_count(archive), 1);
    lbo_archive_destroy(archive);
    (void)snprintf(temporary, sizeof temporary, "%s.tmp", w->path);
    assert_int_equal(access(temporary, F_OK), -1);
    lbo_tensor_release(named[0].tensor);
}

#define X(type, shape, offsets)                                                \
    "{\"x\":{\"dtype\":" type ",\"shape\":" shape ",\"data_offsets\":" offsets \
    "}}"

static void a_wrong_header_is_refused_with_the_reason(void **state)
{
    world *const w = *state;
    static const struct {
        const char *header;
        size_t bytes;
        const char *said;
    } cases[] = {
        {"[]", 0, "does not begin with {"},
        {"{\"x\":", 0, "header, byte"},
        {"{\"x\":1}", 0, "no object"},
        {"{\"x\":{},\"x\":{}}", 0, "duplicate"},
        {X("\"I16\"", "[1]", "[0,2]"), 2, "dtype I16; there are F64"},
        {X("7", "[1]", "[0,2]"), 2, "not a text"},
        {X("\"F32\"", "1", "[0,4]"), 4, "the shape is no list"},
        {X("\"F32\"", "[-1]", "[0,4]"), 4, "a size is no integer"},
        {X("\"F32\"", "[1.0]", "[0,4]"), 4, "a size is no integer"},
        {X("\"U8\"", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,1]"), 1,
         "at most 16"},
        {X("\"F32\"", "[1]", "[0]"), 4, "data_offsets"},
        {X("\"F32\"", "[1]", "[4,0]"), 4, "data_offsets"},
        {X("\"F32\"", "[1]", "[-4,0]"), 4, "data_offsets"},
        {X("\"F32\"", "[1]", "[0,8]"), 4, "beyond the end"},
        {X("\"F32\"", "[2]", "[0,4]"), 4, "disagree"},
        {X("\"F32\"", "[4611686018427387904,4]", "[0,0]"), 0, "overflow"},
        {X("\"F32\"", "[4611686018427387905]", "[0,4]"), 4, "overflow"},
        {X("\"F32\"", "[1]", "[0,4]"), 5, "belong to no tensor"},
        {X("\"F32\"", "[1]", "[4,8]"), 8, "a hole"},
        {"{\"x\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
         "\"y\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}",
         3, "overlap"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "no text"},
        {"{\"__metadata__\":[]}", 0, "no object"},
        {"{\"x\\u0000\":{}}", 0, "header, byte"},
    };
    lbo_archive *archive = NULL;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        write_file(w, cases[i].header, cases[i].bytes);
        assert_status(LB_BAD_ARGUMENT,
                      lbo_load_tensors(w->context, w->path, &archive));
        assert_contains(lb_message(), cases[i].said);
    }
    assert_null(archive);
}

static void wrong_lengths_are_refused(void **state)
{
    world *const w = *state;
    static const char *const lengths[] = {
        "\0\0\0\0\0\0\0\0", "\1\0\0\0\0\0\0\0", "\3\0\0\0\0\0\0\0",
        "\377\377\377\377\377\377\377\377", "\0\0\0\0\1\0\0\0"};
    char data[10] = "........{}";
    lbo_archive *archive = NULL;

    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        memcpy(data, lengths[i], 8);
        memcpy(data + 8, "{}", 2);
        write_bytes(w, data, sizeof data);
        assert_status(LB_BAD_ARGUMENT,
                      lbo_load_tensors(w->context, w->path, &archive));
        assert_contains(lb_message(), "a header of");
    }
    for (size_t size = 0; size < 8; size++) {
        write_bytes(w, data, size);
        assert_status(LB_BAD_ARGUMENT,
                      lbo_load_tensors(w->context, w->path, &archive));
        assert_contains(lb_message(), "too few");
    }
    write_file(w, X("\"BOOL\"", "[2]", "[0,2]"), 0);
    FILE *const file = fopen(w->path, "ab");
    assert_int_equal(fwrite("\1\2", 1, 2, file), 2);
    (void)fclose(file);
    assert_status(LB_BAD_ARGUMENT,
                  lbo_load_tensors(w->context, w->path, &archive));
    assert_contains(lb_message(), "a bool is neither");
    assert_status(LB_NOT_FOUND,
                  lbo_load_tensors(w->context, "/nowhere/x", &archive));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_load_tensors(w->context, "/tmp", &archive));
}

/* ---- modules ------------------------------------------------------------- */

static lbo_module *make_model(world *w, int64_t width)
{
    lbo_module *parts[2], *model;

    assert_ok(lbo_linear_module(w->context, 3, width, true, &parts[0]));
    assert_ok(lbo_linear_module(w->context, width, 2, false, &parts[1]));
    assert_ok(lbo_sequential(w->context, parts, 2, &model));
    lbo_module_release(parts[0]);
    lbo_module_release(parts[1]);
    return model;
}

static void same_values(world *w, lbo_module *a, lbo_module *b, bool same)
{
    float x[12], y[12];

    assert_ok(
        lbo_read(w->context, lbo_module_tensor(a, "0.weight"), x, sizeof x));
    assert_ok(
        lbo_read(w->context, lbo_module_tensor(b, "0.weight"), y, sizeof y));
    assert_int_equal(memcmp(x, y, sizeof x) == 0, same);
}

static void a_module_comes_back_and_stays_learned(void **state)
{
    world *const w = *state;
    lbo_module *const a = make_model(w, 4), *const b = make_model(w, 4);
    lbo_tensor *const weight = lbo_module_tensor(b, "0.weight");

    same_values(w, a, b, false);
    assert_ok(lbo_module_save(w->context, a, w->path));
    assert_ok(lbo_module_load(w->context, b, w->path));
    same_values(w, a, b, true);
    assert_ptr_equal(weight, lbo_module_tensor(b, "0.weight"));
    assert_true(lbo_requires_gradient(weight));
    lbo_module_release(a);
    lbo_module_release(b);
}

static void a_file_that_does_not_fit_changes_nothing(void **state)
{
    world *const w = *state;
    lbo_module *const a = make_model(w, 4), *const b = make_model(w, 4);
    lbo_module *const wide = make_model(w, 5);
    lbo_tensor *const weight = lbo_module_tensor(a, "0.weight");
    const lbo_named some[] = {{"0.weight", weight}, {"more", weight}};

    assert_ok(lbo_module_load(w->context, b, w->path) == LB_OK
                  ? LB_METHOD_FAILED
                  : LB_OK); /* an empty file */
    assert_ok(lbo_module_save(w->context, wide, w->path));
    assert_status(LB_BAD_ARGUMENT, lbo_module_load(w->context, b, w->path));
    assert_contains(lb_message(), "\"0.weight\" is [5, 3], not [4, 3]");
    assert_ok(lbo_save_tensors(w->context, w->path, some, 2, NULL, 0));
    assert_status(LB_BAD_ARGUMENT, lbo_module_load(w->context, b, w->path));
    assert_contains(lb_message(), "missing: 0.bias, 1.weight; too much: more");
    same_values(w, a, b, false);
    lbo_module_release(a);
    lbo_module_release(b);
    lbo_module_release(wide);
}

static void other_types_are_converted(void **state)
{
    world *const w = *state;
    lbo_module *module;
    lbo_tensor *doubles = NULL;
    const double values[] = {1.5, -2};
    float got[2];

    assert_ok(lbo_linear_module(w->context, 2, 1, false, &module));
    assert_ok(lbo_from_data(w->context, LBO_F64, 2, (int64_t[]){1, 2}, values,
                            &doubles));
    assert_ok(lbo_save_tensors(w->context, w->path,
                               &(lbo_named){"weight", doubles}, 1, NULL, 0));
    assert_ok(lbo_module_load(w->context, module, w->path));
    assert_ok(lbo_read(w->context, lbo_module_tensor(module, "weight"), got,
                       sizeof got));
    assert_true(got[0] == 1.5f && got[1] == -2.f);
    lbo_tensor_release(doubles);
    lbo_module_release(module);
}

static void a_file_without_state_is_no_training(void **state)
{
    world *const w = *state;
    lbo_module *const a = make_model(w, 4);
    lbo_optimizer *adam, *sgd;

    assert_ok(lbo_adam(a, 1, 0.9, 0.9, 1, 0, false, &adam));
    assert_ok(lbo_sgd(a, 1, 0, 0, false, &sgd));
    assert_ok(lbo_module_save(w->context, a, w->path));
    assert_status(LB_NOT_FOUND,
                  lbo_training_load(w->context, a, adam, w->path));
    assert_ok(lbo_set_gradient(lbo_module_tensor(a, "0.bias"),
                               lbo_module_tensor(a, "0.bias")));
    assert_ok(lbo_step(w->context, adam));
    assert_ok(lbo_training_save(w->context, a, adam, NULL, 0, w->path));
    assert_status(LB_BAD_ARGUMENT,
                  lbo_training_load(w->context, a, sgd, w->path));
    assert_contains(lb_message(), "too much: .optimizer.0.0.bias");
    assert_ok(lbo_module_load(w->context, a, w->path));
    lbo_zero_gradients(adam);
    lbo_optimizer_destroy(adam);
    lbo_optimizer_destroy(sgd);
    lbo_module_release(a);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_type_and_shape_comes_back),
        TEST(the_file_is_what_the_format_says),
        TEST(what_cannot_be_saved_leaves_the_old_file),
        TEST(a_wrong_header_is_refused_with_the_reason),
        TEST(wrong_lengths_are_refused),
        TEST(a_module_comes_back_and_stays_learned),
        TEST(a_file_that_does_not_fit_changes_nothing),
        TEST(other_types_are_converted),
        TEST(a_file_without_state_is_no_training),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
