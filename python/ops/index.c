/* index.c - x[key] and x[key] = value.
 *
 * A key of integers, slices, None and `...` becomes a plan: per dimension of x
 * where to start, the step, how many, and whether the dimension stays. A tensor
 * without history is then one view; one that is followed goes through the
 * operators slice and reshape, so that gradients find their way.
 *
 * One tensor of integers chooses along the first dimension (the operator
 * embedding); one of bools chooses where it holds. They are read on the host to
 * count and to check them.
 */
#include "ops.h"

#include <string.h>

typedef struct plan {
    int64_t start[LBO_MAX_DIMS], step[LBO_MAX_DIMS], count[LBO_MAX_DIMS];
    int source;                   /* dimensions of x that are planned */
    int result[2 * LBO_MAX_DIMS]; /* dimension of x, or -1: a new one */
    int ndim;
} plan;

static int take_all(plan *p, const lbo_tensor *x)
{
    p->start[p->source] = 0;
    p->step[p->source] = 1;
    p->count[p->source] = x->dims[p->source];
    p->result[p->ndim++] = p->source++;
    return 0;
}

static int too_many(const lbo_tensor *x)
{
    PyErr_Format(PyExc_IndexError, "too many indices for %d dimensions",
                 x->ndim);
    return -1;
}

static int take_integer(plan *p, const lbo_tensor *x, PyObject *key)
{
    const Py_ssize_t index = PyNumber_AsSsize_t(key, PyExc_IndexError);

    if (index == -1 && PyErr_Occurred())
        return -1;
    const int64_t n = x->dims[p->source];
    if (index < -n || index >= n) {
        PyErr_Format(PyExc_IndexError,
                     "index %zd is out of bounds for dimension %d of size "
                     "%lld",
                     index, p->source, (long long)n);
        return -1;
    }
    p->start[p->source] = index < 0 ? index + n : index;
    p->step[p->source] = 1;
    p->count[p->source++] = 1;
    return 0;
}

static int take_slice(plan *p, const lbo_tensor *x, PyObject *key)
{
    Py_ssize_t start, stop, step;

    if (PySlice_Unpack(key, &start, &stop, &step) < 0)
        return -1;
    p->count[p->source] = PySlice_AdjustIndices((Py_ssize_t)x->dims[p->source],
                                                &start, &stop, step);
    p->start[p->source] = p->count[p->source] > 0 ? start : 0;
    p->step[p->source] = step;
    p->result[p->ndim++] = p->source++;
    return 0;
}

static int bad_key(PyObject *key)
{
    PyErr_Format(PyExc_IndexError,
                 "%.100s is no index here; there are integers, slices, None, "
                 "..., and one tensor of integers or bools for itself (for "
                 "others see gather and where)",
                 Py_TYPE(key)->tp_name);
    return -1;
}

static int take(plan *p, const lbo_tensor *x, PyObject *key)
{
    if (key == Py_None) {
        p->result[p->ndim++] = -1;
        return 0;
    }
    if (PyBool_Check(key) || (is_tensor(key) && tensor_of(key)->ndim > 0))
        return bad_key(key);
    if (p->source >= x->ndim)
        return too_many(x);
    if (PySlice_Check(key))
        return take_slice(p, x, key);
    return PyIndex_Check(key) ? take_integer(p, x, key) : bad_key(key);
}

/* How many dimensions of x the items ask for; `...` stands for the rest. */
static Py_ssize_t asked(PyObject *const *items, Py_ssize_t count, int *dots)
{
    Py_ssize_t result = 0;

    *dots = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        *dots += items[i] == Py_Ellipsis;
        result += items[i] != Py_None && items[i] != Py_Ellipsis;
    }
    return result;
}

static int make_plan(plan *p, const lbo_tensor *x, PyObject *key)
{
    PyObject *const *items =
        PyTuple_Check(key) ? ((PyTupleObject *)key)->ob_item : &key;
    const Py_ssize_t count = PyTuple_Check(key) ? PyTuple_GET_SIZE(key) : 1;
    int dots;
    const Py_ssize_t wanted = asked(items, count, &dots);

    p->source = p->ndim = 0;
    if (dots > 1) {
        PyErr_SetString(PyExc_IndexError, "an index has at most one ...");
        return -1;
    }
    if (wanted > x->ndim || count > 2 * LBO_MAX_DIMS)
        return too_many(x);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (items[i] == Py_Ellipsis)
            for (Py_ssize_t k = x->ndim - wanted; k > 0; k--)
                (void)take_all(p, x);
        else if (p->ndim >= LBO_MAX_DIMS || take(p, x, items[i]) < 0)
            return PyErr_Occurred() ? -1 : too_many(x);
    }
    while (p->source < x->ndim)
        (void)take_all(p, x);
    if (p->ndim > LBO_MAX_DIMS)
        return too_many(x);
    return 0;
}

/* ---- views ------------------------------------------------------------------- */

static void result_shape(const plan *p, int64_t *shape)
{
    for (int i = 0; i < p->ndim; i++)
        shape[i] = p->result[i] < 0 ? 1 : p->count[p->result[i]];
}

static lb_status plain_view(lbo_tensor *x, const plan *p, lbo_tensor **result)
{
    int64_t shape[LBO_MAX_DIMS], strides[LBO_MAX_DIMS], offset = 0;

    result_shape(p, shape);
    for (int i = 0; i < x->ndim; i++)
        offset += p->start[i] * lbo_strides(x)[i];
    for (int i = 0; i < p->ndim; i++) {
        const int from = p->result[i];
        strides[i] = from < 0 ? 1 : lbo_strides(x)[from] * p->step[from];
    }
    for (int i = 0; i < x->ndim; i++)
        if (p->count[i] == 0)
            offset = 0;
    return lbo_tensor_view(x, offset, (size_t)p->ndim, shape, strides, result);
}

static lb_status sliced(lbo_context *context, lbo_tensor *x, const plan *p,
                        lbo_tensor **result)
{
    lbo_tensor *at = lbo_tensor_retain(x);
    lb_status status = LB_OK;

    for (int i = 0; i < p->source && status == LB_OK; i++) {
        lbo_tensor *next = NULL;
        const int64_t stop = p->start[i] + p->count[i] * p->step[i];
        if (p->start[i] == 0 && p->step[i] == 1 && p->count[i] == x->dims[i])
            continue;
        /* Below the first element there is no number but one out of range. */
        status = lbo_slice(context, &next, at, i, p->start[i],
                           stop < 0 ? -x->dims[i] - 1 : stop, p->step[i]);
        lbo_tensor_release(at);
        at = next;
    }
    if (status == LB_OK)
        *result = at;
    return status;
}

static lb_status recorded_view(lbo_context *context, lbo_tensor *x,
                               const plan *p, lbo_tensor **result)
{
    int64_t shape[LBO_MAX_DIMS];
    lbo_tensor *part = NULL;
    lb_status status = sliced(context, x, p, &part);

    if (status != LB_OK)
        return status;
    result_shape(p, shape);
    if (part->ndim == p->ndim &&
        memcmp(part->dims, shape, (size_t)p->ndim * sizeof *shape) == 0) {
        *result = part;
        return LB_OK;
    }
    status = lbo_reshape(context, result, part, (size_t)p->ndim, shape);
    lbo_tensor_release(part);
    return status;
}

static lbo_tensor *basic(place *here, lbo_tensor *x, PyObject *key)
{
    plan p;
    lbo_tensor *result = NULL;

    if (make_plan(&p, x, key) < 0)
        return NULL;
    if (is_followed(x) && here->recording) {
        if (place_follow(here) < 0)
            return NULL;
        return finish(recorded_view(here->context, x, &p, &result)) < 0
                   ? NULL
                   : result;
    }
    return finish(plain_view(x, &p, &result)) < 0 ? NULL : result;
}

/* ---- chosen by a tensor --------------------------------------------------------- */

/* A tensor of indices from a list of them, where x is. */
static lbo_tensor *indices_like(lbo_context *context, const lbo_tensor *x,
                                size_t ndim, const int64_t *shape,
                                const int64_t *numbers)
{
    lbo_spec spec = {.device = lbo_tensor_device(x),
                     .dtype = LBO_I64,
                     .ndim = (uint32_t)ndim};
    lbo_tensor *made = NULL;

    memcpy(spec.shape, shape, ndim * sizeof *shape);
    if (finish(lbo_tensor_create(context, &spec, &made)) < 0)
        return NULL;
    if (made->size > 0 &&
        finish(lbo_write(context, made, numbers, lbo_tensor_bytes(made))) < 0) {
        lbo_tensor_release(made);
        return NULL;
    }
    return made;
}

/* x with its first `lead` dimensions as one, and the others as one. */
static lb_status as_rows(lbo_context *context, lbo_tensor *x, int lead,
                         lbo_tensor **rows)
{
    int64_t shape[2] = {1, 1};

    for (int i = 0; i < x->ndim; i++)
        shape[i >= lead] *= x->dims[i];
    return lbo_reshape(context, rows, x, 2, shape);
}

/* Rows of x by a tensor of indices: [indices..., the rest of x]. */
static lbo_tensor *choose(place *here, lbo_tensor *x, int lead,
                          lbo_tensor *indices)
{
    int64_t shape[2 * LBO_MAX_DIMS];
    lbo_tensor *rows = NULL, *chosen = NULL, *result = NULL;
    size_t ndim = 0;

    for (int i = 0; i < indices->ndim; i++)
        shape[ndim++] = indices->dims[i];
    for (int i = lead; i < x->ndim; i++)
        shape[ndim++] = x->dims[i];
    lb_status status = as_rows(here->context, x, lead, &rows);
    if (status == LB_OK)
        status = lbo_embedding(here->context, &chosen, rows, indices);
    if (status == LB_OK)
        status = lbo_reshape(here->context, &result, chosen, ndim, shape);
    lbo_tensor_release(rows);
    lbo_tensor_release(chosen);
    return finish(status) < 0 ? NULL : result;
}

/* The integers of a tensor, from the end made positive and checked. */
static int64_t *checked_indices(lbo_context *context, lbo_tensor *indices,
                                int64_t n)
{
    int64_t *const numbers =
        PyMem_Malloc((size_t)indices->size * sizeof *numbers + 1);
    lbo_tensor *wide = NULL;

    if (numbers == NULL)
        return (int64_t *)PyErr_NoMemory();
    lb_status status = lbo_cast(context, &wide, indices, LBO_I64);
    if (status == LB_OK && indices->size > 0)
        status = lbo_read(context, wide, numbers, lbo_tensor_bytes(wide));
    lbo_tensor_release(wide);
    bool good = finish(status) == 0;
    for (int64_t i = 0; i < indices->size && good; i++) {
        good = numbers[i] >= -n && numbers[i] < n;
        if (!good)
            PyErr_Format(PyExc_IndexError,
                         "index %lld is out of bounds for dimension 0 of size "
                         "%lld",
                         (long long)numbers[i], (long long)n);
        else if (numbers[i] < 0)
            numbers[i] += n;
    }
    if (good)
        return numbers;
    PyMem_Free(numbers);
    return NULL;
}

static lbo_tensor *by_integers(place *here, lbo_tensor *x, lbo_tensor *key)
{
    if (x->ndim == 0)
        return too_many(x), NULL;
    int64_t *const numbers = checked_indices(here->context, key, x->dims[0]);
    lbo_tensor *const indices =
        numbers ? indices_like(here->context, x, key->ndim, key->dims, numbers)
                : NULL;
    PyMem_Free(numbers);
    if (indices == NULL)
        return NULL;
    lbo_tensor *const result = choose(here, x, 1, indices);
    lbo_tensor_release(indices);
    return result;
}

static int check_mask(const lbo_tensor *x, const lbo_tensor *mask)
{
    bool fits = mask->ndim <= x->ndim;

    for (int i = 0; i < mask->ndim && fits; i++)
        fits = mask->dims[i] == x->dims[i];
    if (fits)
        return 0;
    PyErr_SetString(PyExc_IndexError,
                    "a mask has the sizes of the first dimensions of what it "
                    "chooses from");
    return -1;
}

static lbo_tensor *by_mask(place *here, lbo_tensor *x, lbo_tensor *mask)
{
    const size_t bytes = (size_t)mask->size;
    int64_t *const numbers =
        check_mask(x, mask) < 0
            ? NULL
            : PyMem_Malloc(bytes * (sizeof *numbers + 1) + 1);
    int64_t count = 0;

    if (numbers == NULL)
        return PyErr_Occurred() ? NULL : (lbo_tensor *)PyErr_NoMemory();
    unsigned char *const holds = (unsigned char *)(numbers + bytes);
    if (bytes > 0 && finish(lbo_read(here->context, mask, holds, bytes)) < 0) {
        PyMem_Free(numbers);
        return NULL;
    }
    for (size_t i = 0; i < bytes; i++)
        if (holds[i])
            numbers[count++] = (int64_t)i;
    lbo_tensor *const indices =
        indices_like(here->context, x, 1, &count, numbers);
    PyMem_Free(numbers);
    if (indices == NULL)
        return NULL;
    lbo_tensor *const result = choose(here, x, mask->ndim, indices);
    lbo_tensor_release(indices);
    return result;
}

/* The tensor that a key is, for itself or alone in a tuple; NULL: none. A list
 * counts as a tensor. *made: a reference to give back. */
static lbo_tensor *chooser(place *here, PyObject *key, lbo_tensor **made)
{
    if (PyTuple_Check(key) && PyTuple_GET_SIZE(key) == 1)
        key = PyTuple_GET_ITEM(key, 0);
    if (is_tensor(key)) {
        lbo_tensor *const tensor = tensor_of(key);
        return tensor->ndim > 0 || tensor->dtype == LBO_BOOL ? tensor : NULL;
    }
    if (PyTuple_Check(key) || PySlice_Check(key) || PyUnicode_Check(key) ||
        !PySequence_Check(key))
        return NULL;
    const int type = PyList_Check(key) && PyList_GET_SIZE(key) == 0
                         ? LBO_I64
                         : LBO_ANY_DTYPE;
    return *made = tensor_from(here->context, key, type);
}

PyObject *tensor_subscript(PyObject *self, PyObject *key)
{
    place *const here = place_get();
    lbo_tensor *const x = tensor_of(self);
    lbo_tensor *made = NULL, *result = NULL;

    if (here == NULL || (x->history != NULL && place_follow(here) < 0))
        return NULL;
    lbo_tensor *const key_tensor = chooser(here, key, &made);
    if (PyErr_Occurred())
        return NULL;
    if (key_tensor == NULL)
        result = basic(here, x, key);
    else if (key_tensor->dtype == LBO_BOOL)
        result = by_mask(here, x, key_tensor);
    else if (lbo_dtype_kind((lbo_dtype)key_tensor->dtype) == LBO_KIND_INTEGER)
        result = by_integers(here, x, key_tensor);
    else
        PyErr_Format(PyExc_IndexError,
                     "a tensor of %s is no index; integers or bools are",
                     lbo_dtype_name((lbo_dtype)key_tensor->dtype));
    lbo_tensor_release(made);
    return result == NULL ? NULL : tensor_wrap(result);
}

/* ---- assignment ------------------------------------------------------------------ */

/* `value` of the type, shape and device of `to`, and into it. */
lb_status copy_into(lbo_context *context, lbo_tensor *to, lbo_tensor *value)
{
    lbo_tensor *cast = NULL, *moved = NULL, *wide = NULL, *out = to;
    lb_status status =
        value->dtype == to->dtype
            ? LB_OK
            : lbo_cast(context, &cast, value, (lbo_dtype)to->dtype);

    if (status == LB_OK)
        status = lbo_to_device(context, &moved, cast ? cast : value,
                               lbo_tensor_device(to));
    if (status == LB_OK)
        status = lbo_expand(context, &wide, moved, to->ndim, lbo_shape(to));
    if (status == LB_OK)
        status = lbo_copy(context, &out, wide);
    lbo_tensor_release(cast);
    lbo_tensor_release(moved);
    lbo_tensor_release(wide);
    return status;
}

lbo_tensor *value_tensor(lbo_context *context, PyObject *value,
                         const lbo_tensor *like)
{
    if (is_tensor(value))
        return lbo_tensor_retain(tensor_of(value));
    if (is_number(value)) {
        int64_t element = 0;
        const int64_t none = 0;
        lbo_tensor *made = NULL;
        if (element_set(like->dtype, &element, value) < 0 ||
            finish(lbo_from_data(context, (lbo_dtype)like->dtype, 0, &none,
                                 &element, &made)) < 0)
            return NULL;
        return made;
    }
    return tensor_from(context, value, like->dtype);
}

/* x[mask] = number: where(mask, number, x) into x. */
static lb_status assign_where(lbo_context *context, lbo_tensor *x,
                              lbo_tensor *mask, lbo_tensor *value)
{
    int64_t shape[LBO_MAX_DIMS];
    lbo_tensor *wide = NULL, *cast = NULL, *there = NULL, *out = x;

    if (value->size != 1)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "x[mask] = value: a value of one element is wanted, "
                        "not of %lld; see where",
                        (long long)value->size);
    for (int i = 0; i < x->ndim; i++)
        shape[i] = i < mask->ndim ? mask->dims[i] : 1;
    lb_status status = lbo_reshape(context, &wide, mask, x->ndim, shape);
    if (status == LB_OK)
        status = lbo_cast(context, &cast, value, (lbo_dtype)x->dtype);
    if (status == LB_OK)
        status = lbo_to_device(context, &there, cast, lbo_tensor_device(x));
    if (status == LB_OK)
        status = lbo_where(context, &out, wide, there, x);
    lbo_tensor_release(wide);
    lbo_tensor_release(cast);
    lbo_tensor_release(there);
    return status;
}

static int assign(place *here, lbo_tensor *x, PyObject *key, lbo_tensor *value)
{
    lbo_tensor *made = NULL;
    lbo_tensor *const key_tensor = chooser(here, key, &made);
    int result = -1;

    if (PyErr_Occurred())
        return -1;
    if (key_tensor == NULL) {
        lbo_tensor *const view = basic(here, x, key);
        if (view != NULL)
            result = finish(copy_into(here->context, view, value));
        lbo_tensor_release(view);
    } else if (key_tensor->dtype != LBO_BOOL)
        PyErr_SetString(PyExc_IndexError,
                        "x[indices] = value is not there; a mask, slices and "
                        "integers are");
    else if (check_mask(x, key_tensor) == 0)
        result = finish(assign_where(here->context, x, key_tensor, value));
    lbo_tensor_release(made);
    return result;
}

int tensor_assign(PyObject *self, PyObject *key, PyObject *value)
{
    place *const here = place_get();
    lbo_tensor *const x = tensor_of(self);

    if (here == NULL)
        return -1;
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "elements cannot be deleted");
        return -1;
    }
    lbo_tensor *const from = value_tensor(here->context, value, x);
    if (from == NULL)
        return -1;
    int result = -1;
    if (here->recording && (is_followed(x) || is_followed(from)))
        PyErr_SetString(PyExc_RuntimeError,
                        "x[key] = value is not recorded, and gradients are "
                        "wanted of x or value; use where or concat, or "
                        "no_grad()");
    else
        result = assign(here, x, key, from);
    lbo_tensor_release(from);
    return result;
}
