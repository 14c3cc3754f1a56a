/* exchange.c - the memory of tensors for other libraries, and theirs for us.
 *
 * Out: the buffer protocol for tensors of the host, DLPack for all. In: buffers
 * are wrapped with the Py_buffer as the storage's owner, DLPack's structures
 * are taken over by the library. Memory of other libraries is given back when
 * the last view goes, perhaps by a thread that does not hold the interpreter's
 * lock, so that giving back takes it.
 */
#include "ops.h"

#include <latebind/ops/dlpack.h>
#include <string.h>

/* ---- buffers out ----------------------------------------------------------- */

/* bf16 has no letter. */
static const char *const formats[LBO_DTYPE_COUNT] = {
    "?", "B", "b", "i", sizeof(long) == 8 ? "l" : "q", "e", NULL, "f", "d"};

static int no_buffer(const char *why)
{
    PyErr_SetString(PyExc_BufferError, why);
    return -1;
}

static int check_buffer(const lbo_tensor *tensor, int flags)
{
    if (tensor->data == NULL && tensor->size > 0)
        return no_buffer("the tensor is on a device; to_device(\"cpu\") first");
    if (formats[tensor->dtype] == NULL)
        return no_buffer("bfloat16 has no format of buffers; astype first");
    if (flags & PyBUF_WRITABLE && tensor->storage->flags & LBO_READ_ONLY)
        return no_buffer("the tensor is read-only");
    if (is_followed(tensor))
        return no_buffer("the tensor requires gradients; detach() first");
    if ((flags & PyBUF_STRIDES) != PyBUF_STRIDES && !lbo_is_contiguous(tensor))
        return no_buffer("the tensor is not in row-major order");
    return 0;
}

int tensor_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    lbo_tensor *const tensor = tensor_of(self);
    const size_t size = lbo_dtype_size((lbo_dtype)tensor->dtype);
    const int ndim = tensor->ndim;

    view->obj = NULL;
    if (check_buffer(tensor, flags) < 0)
        return -1;
    Py_ssize_t *const dims =
        PyMem_Malloc((size_t)(2 * ndim + 1) * sizeof(Py_ssize_t));
    if (dims == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (int i = 0; i < ndim; i++) {
        dims[i] = (Py_ssize_t)lbo_shape(tensor)[i];
        dims[ndim + i] = (Py_ssize_t)(lbo_strides(tensor)[i] * (int64_t)size);
    }
    *view = (Py_buffer){
        .buf = tensor->data ? tensor->data : dims,
        .obj = Py_NewRef(self),
        .len = (Py_ssize_t)lbo_tensor_bytes(tensor),
        .itemsize = (Py_ssize_t)size,
        .readonly = (tensor->storage->flags & LBO_READ_ONLY) != 0,
        .ndim = ndim,
        .format = flags & PyBUF_FORMAT
                      ? (char *)(uintptr_t)formats[tensor->dtype]
                      : NULL,
        .shape = flags & PyBUF_ND ? dims : NULL,
        .strides =
            (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? dims + ndim : NULL,
        .internal = dims};
    return 0;
}

void tensor_releasebuffer(PyObject *self, Py_buffer *view)
{
    (void)self;
    PyMem_Free(view->internal);
}

/* ---- buffers in -------------------------------------------------------------- */

static int dtype_of_letter(char letter, Py_ssize_t size)
{
    static const char integers[] = "bhilqn";

    if (letter == '?')
        return LBO_BOOL;
    if (letter == 'e' || letter == 'f' || letter == 'd')
        return letter == 'e' ? LBO_F16 : letter == 'f' ? LBO_F32 : LBO_F64;
    if (letter == 'B' || letter == 'c')
        return LBO_U8;
    if (letter == '\0' || strchr(integers, letter) == NULL)
        return LBO_ANY_DTYPE;
    return size == 1   ? LBO_I8
           : size == 4 ? LBO_I32
           : size == 8 ? LBO_I64
                       : LBO_ANY_DTYPE;
}

int dtype_of_format(const char *format, Py_ssize_t size)
{
    const uint16_t one = 1;
    const bool little = *(const unsigned char *)&one == 1;

    if (format == NULL)
        return LBO_U8;
    if (*format == '@' || *format == '=' || *format == (little ? '<' : '>'))
        format++;
    if (format[0] == '\0' || format[1] != '\0')
        return LBO_ANY_DTYPE;
    const int dtype = dtype_of_letter(*format, size);
    return dtype >= 0 && (Py_ssize_t)lbo_dtype_size((lbo_dtype)dtype) == size
               ? dtype
               : LBO_ANY_DTYPE;
}

static void give_back(void *owner)
{
    if (!Py_IsInitialized())
        return; /* the interpreter has ended, and its memory with it */
    const PyGILState_STATE state = PyGILState_Ensure();
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyBuffer_Release(owner);
    PyMem_Free(owner);
    PyErr_Restore(type, value, trace);
    PyGILState_Release(state);
}

/* What of the memory a strided buffer may touch: from `low` on, `bytes`. */
static bool extent(const Py_buffer *view, int64_t *strides, char **low,
                   size_t *bytes)
{
    char *first = view->buf, *last = view->buf;

    for (int i = 0; i < view->ndim; i++) {
        if (view->shape[i] == 0) {
            *low = view->buf;
            *bytes = 0;
            for (int k = 0; k < view->ndim; k++)
                strides[k] = view->strides[k] / view->itemsize;
            return true;
        }
        if (view->strides[i] % view->itemsize != 0)
            return false;
        strides[i] = view->strides[i] / view->itemsize;
        const Py_ssize_t span = view->strides[i] * (view->shape[i] - 1);
        *(span < 0 ? &first : &last) += span;
    }
    *low = first;
    *bytes = (size_t)(last - first) + (size_t)view->itemsize;
    return true;
}

static lbo_tensor *over(Py_buffer *view)
{
    const int dtype = dtype_of_format(view->format, view->itemsize);
    int64_t shape[LBO_MAX_DIMS], strides[LBO_MAX_DIMS];
    lbo_device *cpu = NULL;
    lbo_tensor *made = NULL;
    char *low;
    size_t bytes;

    if (dtype < 0)
        return (lbo_tensor *)PyErr_Format(
            PyExc_TypeError,
            "there is no dtype for the elements of the array (format %s of "
            "%zd bytes); there are bool, uint8, int8, int32, int64, float16, "
            "float32, float64",
            view->format, view->itemsize);
    if (view->ndim > LBO_MAX_DIMS)
        return (lbo_tensor *)PyErr_Format(
            PyExc_ValueError, "more than %d dimensions", LBO_MAX_DIMS);
    if (!extent(view, strides, &low, &bytes) ||
        (uintptr_t)view->buf % (uintptr_t)view->itemsize != 0)
        return NULL; /* not so that it can be addressed by elements */
    for (int i = 0; i < view->ndim; i++)
        shape[i] = view->shape[i];
    if (finish(lbo_device_find(the.library, "cpu", &cpu)) < 0 ||
        finish(lbo_tensor_wrap(
            the.library, cpu, low, bytes, (char *)view->buf - low,
            (lbo_dtype)dtype, (size_t)view->ndim, shape, strides,
            view->readonly ? LBO_READ_ONLY : 0, give_back, view, &made)) < 0)
        return NULL;
    return made;
}

lbo_tensor *tensor_over_buffer(PyObject *object)
{
    Py_buffer *const view = PyMem_Malloc(sizeof *view);

    if (view == NULL)
        return (lbo_tensor *)PyErr_NoMemory();
    if (PyObject_GetBuffer(object, view, PyBUF_RECORDS_RO) < 0) {
        PyMem_Free(view);
        if (!PyErr_ExceptionMatches(PyExc_MemoryError))
            PyErr_Clear();
        return NULL;
    }
    lbo_tensor *const made = over(view);
    if (made == NULL) {
        PyBuffer_Release(view);
        PyMem_Free(view);
    }
    return made;
}

/* _over_buffer(object): a tensor over its memory, or None. */
PyObject *py_over_buffer(PyObject *self, PyObject *object)
{
    lbo_tensor *const made = tensor_over_buffer(object);

    (void)self;
    if (made != NULL)
        return tensor_wrap(made);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

/* ---- DLPack ------------------------------------------------------------------- */

static void end_legacy(PyObject *capsule)
{
    lbo_dl_managed *const managed =
        PyCapsule_IsValid(capsule, "dltensor")
            ? PyCapsule_GetPointer(capsule, "dltensor")
            : NULL;

    if (managed != NULL && managed->deleter != NULL)
        managed->deleter(managed);
}

static void end_versioned(PyObject *capsule)
{
    lbo_dl_versioned *const managed =
        PyCapsule_IsValid(capsule, "dltensor_versioned")
            ? PyCapsule_GetPointer(capsule, "dltensor_versioned")
            : NULL;

    if (managed != NULL && managed->deleter != NULL)
        managed->deleter(managed);
}

static PyObject *export(lbo_tensor *tensor, bool versioned, bool copied)
{
    if (versioned) {
        lbo_dl_versioned *made = NULL;
        if (finish(lbo_to_dlpack_versioned(tensor, &made)) < 0)
            return NULL;
        if (copied)
            made->flags |= LBO_DL_COPIED;
        PyObject *const capsule =
            PyCapsule_New(made, "dltensor_versioned", end_versioned);
        if (capsule == NULL)
            made->deleter(made);
        return capsule;
    }
    lbo_dl_managed *made = NULL;
    if (finish(lbo_to_dlpack(tensor, &made)) < 0)
        return NULL;
    PyObject *const capsule = PyCapsule_New(made, "dltensor", end_legacy);
    if (capsule == NULL)
        made->deleter(made);
    return capsule;
}

/* 1 where the consumer understands version 1 or later. */
static int wants_versioned(PyObject *max_version)
{
    int major = 0, minor = 0;

    if (max_version == Py_None)
        return 0;
    if (!PyTuple_Check(max_version)) {
        PyErr_SetString(PyExc_TypeError, "max_version is a pair of integers");
        return -1;
    }
    if (!PyArg_ParseTuple(max_version, "ii", &major, &minor))
        return -1;
    return major >= 1;
}

/* What the consumer asks for that is not here is a BufferError, by the
 * protocol. */
static int check_device(const lbo_tensor *tensor, PyObject *device)
{
    int type, id;

    if (device == Py_None)
        return 0;
    if (!PyTuple_Check(device)) {
        PyErr_SetString(PyExc_TypeError, "dl_device is a pair of integers");
        return -1;
    }
    if (!PyArg_ParseTuple(device, "ii", &type, &id))
        return -1;
    if (type == LBO_DL_CPU && lbo_tensor_device(tensor)->flags & LBO_HOST)
        return 0;
    return no_buffer("the tensor is not on the device asked for; to_device "
                     "first");
}

PyObject *tensor_dlpack(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *words[] = {"stream", "max_version", "dl_device", "copy", NULL};
    PyObject *stream = Py_None, *version = Py_None, *device = Py_None,
             *copy = Py_None;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OOOO", words, &stream,
                                     &version, &device, &copy))
        return NULL;
    lbo_tensor *const tensor = tensor_of(self);
    lbo_context *const context = context_get();
    const int versioned = context ? wants_versioned(version) : -1;
    if (versioned < 0 || check_device(tensor, device) < 0)
        return NULL;
    if (is_followed(tensor))
        return no_buffer("the tensor requires gradients; detach() first"), NULL;
    /* Whoever reads it on another stream finds everything written. */
    if (!(lbo_tensor_device(tensor)->flags & LBO_HOST) &&
        finish(lbo_synchronize(lbo_tensor_device(tensor))) < 0)
        return NULL;
    if (copy != Py_True)
        return export(tensor, versioned, false);
    lbo_tensor *copied = NULL;
    if (finish(lbo_copy(context, &copied, tensor)) < 0)
        return NULL;
    PyObject *const result = export(copied, versioned, true);
    lbo_tensor_release(copied);
    return result;
}

PyObject *tensor_dlpack_device(PyObject *self, PyObject *ignored)
{
    const lbo_device *const device = lbo_tensor_device(tensor_of(self));
    const char *const colon = strchr(device->name, ':');
    const int id = colon ? atoi(colon + 1) : 0;

    (void)ignored;
    if (device->flags & LBO_HOST)
        return Py_BuildValue("ii", LBO_DL_CPU, 0);
    if (strncmp(device->name, "cuda", 4) == 0)
        return Py_BuildValue("ii", LBO_DL_CUDA, id);
    if (strncmp(device->name, "opencl", 6) == 0)
        return Py_BuildValue("ii", LBO_DL_OPENCL, id);
    return PyErr_Format(PyExc_BufferError, "DLPack has no number for %s",
                        device->name);
}

static PyObject *import(PyObject *capsule)
{
    lbo_tensor *made = NULL;

    if (PyCapsule_IsValid(capsule, "dltensor_versioned")) {
        if (finish(lbo_from_dlpack_versioned(
                the.library,
                PyCapsule_GetPointer(capsule, "dltensor_versioned"), &made)) <
            0)
            return NULL;
        (void)PyCapsule_SetName(capsule, "used_dltensor_versioned");
    } else if (PyCapsule_IsValid(capsule, "dltensor")) {
        if (finish(lbo_from_dlpack(the.library,
                                   PyCapsule_GetPointer(capsule, "dltensor"),
                                   &made)) < 0)
            return NULL;
        (void)PyCapsule_SetName(capsule, "used_dltensor");
    } else
        return PyErr_Format(PyExc_TypeError,
                            "__dlpack__ gave no fresh capsule named dltensor "
                            "or dltensor_versioned");
    return tensor_wrap(made);
}

static PyObject *capsule_of(PyObject *object)
{
    PyObject *const method = PyObject_GetAttrString(object, "__dlpack__");
    PyObject *const args = PyTuple_New(0);
    PyObject *const words = Py_BuildValue("{s(ii)}", "max_version", 1, 0);
    PyObject *result =
        method && args && words ? PyObject_Call(method, args, words) : NULL;

    /* Those that are older know neither the word nor the versions. */
    if (result == NULL && method && args && words &&
        PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        result = PyObject_Call(method, args, NULL);
    }
    Py_XDECREF(method);
    Py_XDECREF(args);
    Py_XDECREF(words);
    return result;
}

/* _from_dlpack(object): a tensor over the memory of anything with __dlpack__, or
 * of a capsule. */
PyObject *py_from_dlpack(PyObject *self, PyObject *object)
{
    (void)self;
    if (PyCapsule_CheckExact(object))
        return import(object);
    PyObject *const capsule = capsule_of(object);
    PyObject *const result = capsule ? import(capsule) : NULL;
    Py_XDECREF(capsule);
    return result;
}
