/* calls.h - how to call each operator that comes with the library.
 *
 * A row gives fitting inputs, as texts like "f4x3 i4 -": a letter for the kind
 * of elements and the shape of each, '-' for none; and attributes by their
 * names, "dims=0,2 keep=1", which the operator's own table places. Letters:
 *   f  floating, about -1.5 to 1.5     p  the same, positive
 *   s  positive, f32 or f64: the statistics of such inputs
 *   i  i64, 0 or 1                     b  bool
 * For tests that run every operator, and for the fuzzer.
 */
#ifndef TESTS_OPS_CALLS_H
#define TESTS_OPS_CALLS_H

#include "latebind/ops.h"

#include <stdlib.h>
#include <string.h>

enum { CALL_INPUTS = 8, CALL_ATTRIBUTES = 512, CALL_ELEMENTS = 4096 };

typedef struct call_row {
    const char *op;
    const char *in;
    const char *attributes;
    const char *given; /* the result of operators that write one; else NULL */
} call_row;

#define CONV2D_PLAN                                                            \
    "stride_h=1 stride_w=1 padding_h=1 padding_w=1 dilation_h=1 "              \
    "dilation_w=1 groups=2"
#define POOL2D_PLAN "kernel_h=2 kernel_w=2 stride_h=2 stride_w=2"

static const call_row call_rows[] = {
    {"add", "f4x3 f4x3", "", NULL},
    {"sub", "f4x3 f3", "", NULL},
    {"mul", "f4x3 f4x1", "", NULL},
    {"div", "f4x3 p4x3", "", NULL},
    {"pow", "p4x3 f4x3", "", NULL},
    {"minimum", "f4x3 f4x3", "", NULL},
    {"maximum", "f4x3 f4x3", "", NULL},
    {"equal", "f4x3 f4x3", "", NULL},
    {"not_equal", "f4x3 f4x3", "", NULL},
    {"less", "f4x3 f4x3", "", NULL},
    {"less_equal", "f4x3 f4x3", "", NULL},
    {"greater", "f4x3 f4x3", "", NULL},
    {"greater_equal", "f4x3 f4x3", "", NULL},
    {"neg", "f4x3", "", NULL},
    {"abs", "f4x3", "", NULL},
    {"sign", "f4x3", "", NULL},
    {"sqrt", "p4x3", "", NULL},
    {"exp", "f4x3", "", NULL},
    {"log", "p4x3", "", NULL},
    {"tanh", "f4x3", "", NULL},
    {"sigmoid", "f4x3", "", NULL},
    {"silu", "f4x3", "", NULL},
    {"relu", "f4x3", "", NULL},
    {"gelu", "f4x3", "approximate=1", NULL},
    {"clamp", "f4x3", "low=-0.5 high=0.5", NULL},
    {"where", "b4x3 f4x3 f4x3", "", NULL},
    {"tanh_backward", "f4x3 f4x3", "", NULL},
    {"sigmoid_backward", "f4x3 f4x3", "", NULL},
    {"silu_backward", "f4x3 f4x3", "", NULL},
    {"relu_backward", "f4x3 f4x3", "", NULL},
    {"gelu_backward", "f4x3 f4x3", "approximate=0", NULL},
    {"sum", "f4x3x2", "dims=1", NULL},
    {"mean", "f4x3x2", "dims=0,2 keep=1", NULL},
    {"max", "f4x3x2", "dims=-1", NULL},
    {"min", "f4x3x2", "dims=0", NULL},
    {"argmax", "f4x3x2", "dims=1", NULL},
    {"var", "f4x3x2", "dims=0,1 correction=1", NULL},
    {"matmul", "f2x5x4 f4x3", "", NULL},
    {"linear", "f5x4 f3x4 f3", "", NULL},
    {"conv2d", "f2x2x5x5 f4x1x3x3 f4", CONV2D_PLAN, NULL},
    {"conv2d_backward_input", "f2x4x5x5 f4x1x3x3 f2x2x5x5", CONV2D_PLAN, NULL},
    {"conv2d_backward_weight", "f2x4x5x5 f2x2x5x5 f4x1x3x3", CONV2D_PLAN, NULL},
    {"max_pool2d", "f2x3x6x6", POOL2D_PLAN, NULL},
    {"avg_pool2d", "f2x3x6x6", POOL2D_PLAN, NULL},
    {"max_pool2d_backward", "f2x3x3x3 i2x3x3x3 f2x3x6x6", "", NULL},
    {"avg_pool2d_backward", "f2x3x3x3 f2x3x6x6", POOL2D_PLAN, NULL},
    {"softmax", "f4x5", "dim=1", NULL},
    {"log_softmax", "f4x5", "dim=0", NULL},
    {"softmax_backward", "f4x5 f4x5", "dim=-1", NULL},
    {"log_softmax_backward", "f4x5 f4x5", "dim=0", NULL},
    {"cross_entropy", "f4x3 i4", "reduction=1 ignore=-100", NULL},
    {"cross_entropy_backward", "f f4x3 i4", "reduction=1 ignore=-100", NULL},
    {"mse", "f4x3 f4x3", "reduction=1", NULL},
    {"layer_norm", "f4x6 f6 f6", "dims=1 epsilon=1e-5", NULL},
    {"layer_norm_backward", "f4x6 f4x6 s4 s4 f6", "dims=1", NULL},
    {"embedding", "f5x3 i2x4", "", NULL},
    {"embedding_backward", "f2x4x3 i2x4 f5x3", "", NULL},
    {"gather", "f4x3 i2x3", "dim=0", NULL},
    {"gather_backward", "f2x3 i2x3 f4x3", "dim=0", NULL},
    {"concat", "f2x3 f4x3", "dim=0", NULL},
    {"stack", "f4x3 f4x3 f4x3", "dim=1", NULL},
    {"reshape", "f4x3", "shape=2,-1", NULL},
    {"transpose", "f4x3", "permutation=1,0", NULL},
    {"slice", "f4x3", "dim=0 start=3 stop=0 step=-1", NULL},
    {"slice_backward", "f3x3 f4x3", "dim=0 start=3 stop=0 step=-1", NULL},
    {"expand", "f4x1", "shape=2,4,3", NULL},
    {"cast", "f4x3", "dtype=4", NULL},
    {"copy", "f4x3", "", NULL},
    {"fill", "", "real=2.5 integer=2", "f4x3"},
    {"arange", "", "start=1 step=0.5", "f5"},
    {"uniform", "", "low=-1 high=2 seed=3 offset=4", "f4x3"},
    {"normal", "", "mean=1 deviation=2 seed=3 offset=4", "f4x3"},
    {"dropout", "f4x3", "p=0.5 seed=3", NULL},
    {"sgd_step", "f4x3 f4x3 f4x3", "rate=0.1 momentum=0.9 decay=0.01", NULL},
    {"adam_step", "f4x3 f4x3 f4x3 p4x3",
     "rate=0.1 beta1=0.9 beta2=0.99 epsilon=1e-8 step=1", NULL},
};

enum { CALL_ROWS = sizeof call_rows / sizeof *call_rows };

/* The row of an operator; NULL: there is none. */
static inline const call_row *find_call_row(const char *op)
{
    for (size_t i = 0; i < CALL_ROWS; i++)
        if (strcmp(call_rows[i].op, op) == 0)
            return &call_rows[i];
    return NULL;
}

/* A call that is ready to be run. */
typedef struct ready_call {
    const lbo_operator *op;
    lbo_tensor *in[CALL_INPUTS];
    lbo_tensor *out[LBO_MAX_OUT]; /* set before, or made by the call */
    uint32_t in_count;
    _Alignas(16) char attributes[CALL_ATTRIBUTES];
} ready_call;

/* ---- attributes ---------------------------------------------------------- */

static inline void read_dims(const char *text, lbo_dims *dims)
{
    char *end = (char *)(uintptr_t)text;

    for (dims->count = 0; dims->count < LBO_MAX_DIMS; text = end + 1) {
        dims->at[dims->count++] = strtoll(text, &end, 10);
        if (*end != ',')
            break;
    }
}

static inline void set_attribute(const lbo_attribute *attribute,
                                 const char *text, void *attributes)
{
    void *const at = (char *)attributes + attribute->offset;

    switch (attribute->type) {
    case LBO_ATTRIBUTE_INTEGER:
        *(int64_t *)at = strtoll(text, NULL, 10);
        break;
    case LBO_ATTRIBUTE_REAL:
        *(double *)at = strtod(text, NULL);
        break;
    case LBO_ATTRIBUTE_FLAG:
        *(bool *)at = *text == '1';
        break;
    case LBO_ATTRIBUTE_DTYPE:
        *(int32_t *)at = (int32_t)strtol(text, NULL, 10);
        break;
    case LBO_ATTRIBUTE_DIMS:
        read_dims(text, at);
        break;
    }
}

/* Writes the operator's struct; false: a name that it does not have. */
static inline bool read_attributes(const lbo_operator *op, const char *text,
                                   void *attributes)
{
    memset(attributes, 0, CALL_ATTRIBUTES);
    while (*text != '\0') {
        const size_t length = strcspn(text, "=");
        bool found = false;
        for (size_t i = 0; i < op->spec.attribute_count; i++) {
            const lbo_attribute *const candidate = &op->spec.attributes[i];
            if (strlen(candidate->name) != length ||
                memcmp(candidate->name, text, length) != 0)
                continue;
            set_attribute(candidate, text + length + 1, attributes);
            found = true;
        }
        if (!found)
            return false;
        text += strcspn(text, " ");
        text += *text == ' ';
    }
    return true;
}

/* ---- inputs --------------------------------------------------------------- */

/* Letter and shape of the input that `text` begins with; what follows it. */
static inline const char *read_input(const char *text, char *letter,
                                     size_t *ndim, int64_t *shape)
{
    char *end;

    *letter = *text++;
    *ndim = 0;
    while (*text >= '0' && *text <= '9' && *ndim < LBO_MAX_DIMS) {
        shape[(*ndim)++] = strtoll(text, &end, 10);
        text = end + (*end == 'x');
    }
    return text + (*text == ' ');
}

static inline lbo_dtype type_of(char letter, lbo_dtype floating)
{
    switch (letter) {
    case 'i':
        return LBO_I64;
    case 'b':
        return LBO_BOOL;
    case 's':
        return floating == LBO_F64 ? LBO_F64 : LBO_F32;
    default:
        return floating;
    }
}

/* A tensor of that kind, of at most CALL_ELEMENTS; the same in each run. */
static inline lb_status make_input(lbo_context *context, char letter,
                                   lbo_dtype floating, size_t ndim,
                                   const int64_t *shape, lbo_tensor **result)
{
    static double numbers[CALL_ELEMENTS];
    lbo_tensor *wide = NULL;
    int64_t size = 1;

    for (size_t i = 0; i < ndim; i++)
        size *= shape[i];
    for (int64_t i = 0; i < size && i < CALL_ELEMENTS; i++) {
        const double number = (double)((i * 7919 + 50) % 201 - 100) / 64;
        numbers[i] = letter == 'f'                    ? number
                     : letter == 'p' || letter == 's' ? number * number + 0.125
                                                      : (double)(i % 3 == 1);
    }
    lb_status status =
        lbo_from_data(context, LBO_F64, ndim, shape, numbers, &wide);
    if (status == LB_OK)
        status = lbo_cast(context, result, wide, type_of(letter, floating));
    lbo_tensor_release(wide);
    return status;
}

static inline void end_call(ready_call *call)
{
    for (uint32_t i = 0; i < call->in_count; i++)
        lbo_tensor_release(call->in[i]);
    for (int i = 0; i < LBO_MAX_OUT; i++)
        lbo_tensor_release(call->out[i]);
    memset(call, 0, sizeof *call);
}

static inline lb_status make_inputs(lbo_context *context, const char *text,
                                    lbo_dtype floating, ready_call *call)
{
    lb_status status = LB_OK;

    while (*text != '\0' && call->in_count < CALL_INPUTS && status == LB_OK) {
        int64_t shape[LBO_MAX_DIMS];
        size_t ndim;
        char letter;
        text = read_input(text, &letter, &ndim, shape);
        if (letter != '-')
            status = make_input(context, letter, floating, ndim, shape,
                                &call->in[call->in_count]);
        call->in_count++;
    }
    return status;
}

/* Makes what a row says, with floating inputs of that type. LB_NOT_FOUND: no
 * such operator or attribute. End it by end_call, also after a failure. */
static inline lb_status make_call(lbo_context *context, const call_row *row,
                                  lbo_dtype floating, ready_call *call)
{
    int64_t shape[LBO_MAX_DIMS];
    size_t ndim;
    char letter;

    memset(call, 0, sizeof *call);
    call->op = lbo_operator_find(lbo_context_library(context), row->op);
    if (call->op == NULL || call->op->spec.attribute_size > CALL_ATTRIBUTES ||
        !read_attributes(call->op, row->attributes, call->attributes))
        return LB_NOT_FOUND;
    const lb_status status = make_inputs(context, row->in, floating, call);
    if (status != LB_OK || row->given == NULL)
        return status;
    (void)read_input(row->given, &letter, &ndim, shape);
    return make_input(context, letter, floating, ndim, shape, &call->out[0]);
}

static inline lb_status run_call(lbo_context *context, ready_call *call)
{
    lbo_call now = {.in = call->in,
                    .out = call->out,
                    .attributes = call->attributes,
                    .in_count = call->in_count,
                    .out_count = call->op->spec.out_count};

    return lbo_run(context, call->op, &now);
}

#endif
