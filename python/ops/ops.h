/* ops.h - what the sources of the extension `latebind._ops` share.
 *
 * One library of operators per process, in the main interpreter only (others
 * are refused at import): `the` below is filled once by module.c and never
 * freed, since tensors may outlive every module object. All functions here want
 * the interpreter's lock unless it says otherwise; "-1" and NULL come with an
 * exception set.
 */
#ifndef LATEBIND_PYTHON_OPS_H
#define LATEBIND_PYTHON_OPS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <latebind/latebind.h>
#include <latebind/ops.h>

/* A tensor as Python sees it: one reference to the tensor itself. */
typedef struct tensor_object {
    PyObject_HEAD lbo_tensor *tensor;
    PyObject *weak;
} tensor_object;

/* A type of elements; one object each. */
typedef struct dtype_object {
    PyObject_HEAD lbo_dtype dtype;
    PyObject *name; /* as the array API has it: "float32" */
} dtype_object;

/* What is of the whole process. */
typedef struct world {
    lbo_library *library;
    PyTypeObject *tensor, *dtype, *function, *call, *next, *layer, *module,
        *optimizer, *kernel;
    PyObject *dtypes[LBO_DTYPE_COUNT];
    PyObject *no_kernel; /* exceptions */
    PyObject *fallback_warning;
    PyObject *adopt;    /* Python's: how foreign arrays are handled, or NULL */
    lbo_device *device; /* that new threads begin with */
} world;
extern world the;

/* ---- place.c: a thread's context, its layers, errors ------------------- */

/* A thread's place: made at its first call, ended with its thread state. */
typedef struct place {
    lbo_context *context;
    bool recording; /* gradients are wanted, unless no_grad() */
    bool followed;  /* this thread has met a tensor that is followed */
    uint32_t count;
    PyObject *layers[LBO_MAX_LAYERS]; /* the user's, outermost first */
} place;

extern _Thread_local place *place_here;
place *place_make(void);

/* This thread's, or NULL. */
static inline place *place_get(void)
{
    place *const here = place_here;

    return LB_LIKELY(here != NULL) ? here : place_make();
}
static inline lbo_context *context_get(void)
{
    const place *const here = place_get();

    return here == NULL ? NULL : here->context;
}

/* Lets gradients be recorded in this thread from now on, if it wants them. */
int place_follow(place *here);
/* Makes the context's stack what `layers`, `recording` and `followed` say. */
int place_apply(place *here);

/* Whether a call on this tensor is recorded. */
static inline bool is_followed(const lbo_tensor *tensor)
{
    return tensor->history != NULL && lbo_requires_gradient(tensor) != 0;
}

/* Sets the exception for a failed call (unless Python code has set one) and
 * returns NULL or -1. */
PyObject *raise_status(lb_status status);
int raise_status_int(lb_status status);

/* After a call: 0 if all is well; else an exception is set. */
static inline int finish(lb_status status)
{
    if (LB_LIKELY(status == LB_OK))
        return PyErr_Occurred() == NULL ? 0 : -1;
    return raise_status_int(status);
}

PyObject *py_set_device(PyObject *self, PyObject *name);
PyObject *py_get_device(PyObject *self, PyObject *ignored);
PyObject *py_devices(PyObject *self, PyObject *ignored);
PyObject *py_open_all(PyObject *self, PyObject *name);
PyObject *py_open_plugin(PyObject *self, PyObject *path);
PyObject *py_set_fallback(PyObject *self, PyObject *policy);
PyObject *py_fallbacks(PyObject *self, PyObject *ignored);
PyObject *py_seed(PyObject *self, PyObject *seed);
PyObject *py_synchronize(PyObject *self, PyObject *ignored);
PyObject *py_recording(PyObject *self, PyObject *args);

/* ---- tensor.c ------------------------------------------------------------ */

static inline bool is_tensor(PyObject *object)
{
    return Py_TYPE(object) == the.tensor ||
           PyObject_TypeCheck(object, the.tensor);
}
static inline lbo_tensor *tensor_of(PyObject *object)
{
    return ((tensor_object *)object)->tensor;
}

/* A Python object for a tensor, whose reference it takes over, also when it
 * fails. */
PyObject *tensor_wrap(lbo_tensor *tensor);
extern PyType_Spec tensor_spec;
/* Above this many elements the interpreter's lock is given up for a call. */
enum { LARGE = 16384 };
/* The shape of a sequence of integers or of one integer; its length or -1. */
int shape_from(PyObject *object, int64_t *shape, const char *what);
PyObject *shape_tuple(size_t ndim, const int64_t *numbers);

/* ---- dtype.c -------------------------------------------------------------- */

extern PyType_Spec dtype_spec;
int dtypes_make(PyObject *module);
/* From an object of ours, a text ("f32", "float32"), or NumPy's and Python's
 * types; LBO_ANY_DTYPE with an exception. */
int dtype_from(PyObject *object);
static inline PyObject *dtype_object_of(int dtype)
{
    return Py_NewRef(the.dtypes[dtype]);
}
PyObject *py_promote(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *py_promote_weak(PyObject *self, PyObject *const *args,
                          Py_ssize_t count);

/* ---- convert.c: elements from and for Python ------------------------------ */

/* Whether it is a number of Python (bool, int, float). */
static inline bool is_number(PyObject *object)
{
    return PyFloat_CheckExact(object) || PyLong_CheckExact(object) ||
           PyBool_Check(object) || PyFloat_Check(object) ||
           PyLong_Check(object);
}
/* A tensor for a number beside `like` (NULL: beside none): of its type where
 * it adapts, weak otherwise. */
lbo_tensor *number_tensor(lbo_context *context, PyObject *number,
                          const lbo_tensor *like);
/* One element at an address. */
PyObject *element_get(int dtype, const void *at);
int element_set(int dtype, void *at, PyObject *value);
/* A tensor from nested sequences, numbers, buffers, tensors: copied. dtype may
 * be LBO_ANY_DTYPE. */
lbo_tensor *tensor_from(lbo_context *context, PyObject *data, int dtype);
PyObject *tensor_tolist(PyObject *self, PyObject *ignored);
PyObject *tensor_item(PyObject *self, PyObject *ignored);
PyObject *py_tensor(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *py_create(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *py_rebuild(PyObject *self, PyObject *args);
PyObject *tensor_bytes(PyObject *self, PyObject *ignored);

/* ---- exchange.c: other libraries ------------------------------------------ */

int tensor_getbuffer(PyObject *self, Py_buffer *view, int flags);
void tensor_releasebuffer(PyObject *self, Py_buffer *view);
/* The type of a buffer's format, or LBO_ANY_DTYPE. */
int dtype_of_format(const char *format, Py_ssize_t size);
/* Over the memory of a buffer; NULL without an exception: it cannot be. */
lbo_tensor *tensor_over_buffer(PyObject *object);
PyObject *tensor_dlpack(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *tensor_dlpack_device(PyObject *self, PyObject *ignored);
PyObject *py_from_dlpack(PyObject *self, PyObject *object);
PyObject *py_over_buffer(PyObject *self, PyObject *object);

/* ---- index.c --------------------------------------------------------------- */

PyObject *tensor_subscript(PyObject *self, PyObject *key);
int tensor_assign(PyObject *self, PyObject *key, PyObject *value);
/* A number, tensor or nested sequence as a tensor, numbers of like's type. */
lbo_tensor *value_tensor(lbo_context *context, PyObject *value,
                         const lbo_tensor *like);
/* `value` of the type, shape and device of `to`, and into it. */
lb_status copy_into(lbo_context *context, lbo_tensor *to, lbo_tensor *value);

/* ---- function.c: operators as functions ------------------------------------ */

extern PyType_Spec function_spec;
/* A function for an operator; NULL with an exception. */
PyObject *function_make(const lbo_operator *op);
PyObject *py_function(PyObject *self, PyObject *name);
PyObject *py_operators(PyObject *self, PyObject *ignored);
PyObject *py_call(PyObject *self, PyObject *const *args, Py_ssize_t count,
                  PyObject *names);
PyObject *py_infer(PyObject *self, PyObject *const *args, Py_ssize_t count,
                   PyObject *names);
PyObject *py_explain(PyObject *self, PyObject *const *args, Py_ssize_t count);

/* ---- attributes.c --------------------------------------------------------- */

/* Attributes as a dictionary. */
PyObject *attributes_dict(const lbo_operator *op, const void *attributes);
/* Writes one into a struct of attributes; -1 if the value is none of its type. */
int set_attribute(const lbo_attribute *attribute, char *base, PyObject *value);
void attribute_number(const lbo_attribute *attribute, char *base, double value);
/* Writes the default of an attribute; false where it has none. */
bool attribute_default(const lbo_operator *op, size_t index, char *attributes);

/* ---- layers.c, kernels.c, models.c ------------------------------------------ */

extern PyType_Spec layer_spec, call_spec, next_spec;
PyObject *py_layer(PyObject *self, PyObject *args);
PyObject *py_set_layers(PyObject *self, PyObject *layers);
PyObject *py_drop_layer(PyObject *self, PyObject *layer);
PyObject *py_get_layers(PyObject *self, PyObject *ignored);
lbo_layer *layer_of(PyObject *layer);
lbo_layer *layer_autograd(void);

extern PyType_Spec kernel_spec;
PyObject *py_kernel(PyObject *self, PyObject *args);
PyObject *py_operator(PyObject *self, PyObject *args);
/* Writes the default of an attribute of an operator that was made in Python; 0
 * where it has none. */
int operator_default(const lbo_operator *op, size_t index, char *attributes);
PyObject *tensors_tuple(lbo_tensor *const *tensors, uint32_t count);

extern PyType_Spec module_spec, optimizer_spec;
PyObject *py_backward(PyObject *self, PyObject *args);
PyObject *py_gradients(PyObject *self, PyObject *args);
PyObject *py_save(PyObject *self, PyObject *args);
PyObject *py_load(PyObject *self, PyObject *path);
PyObject *py_rate(PyObject *self, PyObject *args);

#endif
