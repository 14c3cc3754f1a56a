/* models.c - modules, optimizers, checkpoints and the walk back.
 *
 * ModuleBase is what Python's modules derive from: calling one calls its method
 * `forward`, without a function of Python between. Native is a module of the
 * library (Linear and so on), for Python's classes of those names to hold.
 * Optimizers are the library's; the tree of modules that these want is made
 * from the names of the parameters.
 */
#include "ops.h"

#include <string.h>

/* ---- modules in Python --------------------------------------------------------- */

enum { FEW = 8 };
static PyObject *word_forward;

/* With `args` after `self` in one array. */
static PyObject *call_few(PyObject *self, PyObject *args)
{
    PyObject *stack[FEW + 1];
    const Py_ssize_t count = PyTuple_GET_SIZE(args);

    stack[0] = self;
    for (Py_ssize_t i = 0; i < count; i++)
        stack[i + 1] = PyTuple_GET_ITEM(args, i);
    return PyObject_VectorcallMethod(word_forward, stack, (size_t)count + 1,
                                     NULL);
}

static PyObject *module_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    if (LB_LIKELY(kwargs == NULL && PyTuple_GET_SIZE(args) <= FEW))
        return call_few(self, args);
    PyObject *const forward = PyObject_GetAttr(self, word_forward);
    PyObject *const result =
        forward ? PyObject_Call(forward, args, kwargs) : NULL;
    Py_XDECREF(forward);
    return result;
}

static PyType_Slot base_slots[] = {
    {Py_tp_call, module_call},
    {Py_tp_doc, "What modules derive from: calling one calls forward."},
    {0, NULL}};

static PyType_Spec base_spec = {"latebind._ops.ModuleBase", sizeof(PyObject), 0,
                                Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                                base_slots};

int models_make(PyObject *module);
int models_make(PyObject *module)
{
    PyObject *const base = PyType_FromSpec(&base_spec);

    word_forward = PyUnicode_InternFromString("forward");
    const int result = base && word_forward
                           ? PyModule_AddObjectRef(module, "ModuleBase", base)
                           : -1;
    Py_XDECREF(base);
    return result;
}

/* ---- modules of the library ------------------------------------------------------- */

typedef struct native_object {
    PyObject_HEAD lbo_module *module;
} native_object;

static lb_status pool(lbo_context *context, const char *kind, PyObject *args,
                      lbo_module **result)
{
    long long k[2], s[2], p[2];

    if (!PyArg_ParseTuple(args, "(LL)(LL)(LL)", &k[0], &k[1], &s[0], &s[1],
                          &p[0], &p[1]))
        return LB_BAD_ARGUMENT;
    const lbo_pool2d_attributes attributes = {
        {k[0], k[1]}, {s[0], s[1]}, {p[0], p[1]}};
    return kind[0] == 'm' ? lbo_max_pool2d_module(context, &attributes, result)
                          : lbo_avg_pool2d_module(context, &attributes, result);
}

static lb_status conv(lbo_context *context, PyObject *args, lbo_module **result)
{
    long long in, out, kernel, s[2], p[2], d[2], groups;
    int bias;

    if (!PyArg_ParseTuple(args, "LLL(LL)(LL)(LL)Lp", &in, &out, &kernel, &s[0],
                          &s[1], &p[0], &p[1], &d[0], &d[1], &groups, &bias))
        return LB_BAD_ARGUMENT;
    const lbo_conv2d_attributes attributes = {
        {s[0], s[1]}, {p[0], p[1]}, {d[0], d[1]}, groups};
    return lbo_conv2d_module(context, in, out, kernel, &attributes, bias,
                             result);
}

static lb_status attention(lbo_context *context, PyObject *args,
                           lbo_module **result)
{
    long long size, heads;
    double dropout;
    int causal;

    if (!PyArg_ParseTuple(args, "LLpd", &size, &heads, &causal, &dropout))
        return LB_BAD_ARGUMENT;
    return lbo_attention_module(context, size, heads, causal, dropout, result);
}

static lb_status make_native(lbo_context *context, const char *kind,
                             PyObject *args, lbo_module **result)
{
    long long a, b;
    double p;
    int flag;
    const char *name;

    if (strcmp(kind, "linear") == 0)
        return PyArg_ParseTuple(args, "LLp", &a, &b, &flag)
                   ? lbo_linear_module(context, a, b, flag, result)
                   : LB_BAD_ARGUMENT;
    if (strcmp(kind, "embedding") == 0)
        return PyArg_ParseTuple(args, "LL", &a, &b)
                   ? lbo_embedding_module(context, a, b, result)
                   : LB_BAD_ARGUMENT;
    if (strcmp(kind, "layer_norm") == 0)
        return PyArg_ParseTuple(args, "L", &a)
                   ? lbo_layer_norm_module(context, a, result)
                   : LB_BAD_ARGUMENT;
    if (strcmp(kind, "dropout") == 0)
        return PyArg_ParseTuple(args, "d", &p)
                   ? lbo_dropout_module(context, p, result)
                   : LB_BAD_ARGUMENT;
    if (strcmp(kind, "activation") == 0)
        return PyArg_ParseTuple(args, "s", &name)
                   ? lbo_activation_module(context, name, result)
                   : LB_BAD_ARGUMENT;
    if (strcmp(kind, "flatten") == 0)
        return lbo_flatten_module(context, result);
    if (strcmp(kind, "conv2d") == 0)
        return conv(context, args, result);
    if (strcmp(kind, "attention") == 0)
        return attention(context, args, result);
    if (strcmp(kind, "max_pool2d") == 0 || strcmp(kind, "avg_pool2d") == 0)
        return pool(context, kind, args, result);
    return lbo_fail(LB_NOT_FOUND, "there is no module \"%s\"", kind);
}

static PyObject *native_new(PyTypeObject *type, PyObject *args,
                            PyObject *kwargs)
{
    place *const here = place_get();
    lbo_module *made = NULL;

    if (here == NULL)
        return NULL;
    if (kwargs != NULL || PyTuple_GET_SIZE(args) < 1)
        return PyErr_Format(PyExc_TypeError, "Native(kind, ...)");
    const char *const kind = PyUnicode_AsUTF8(PyTuple_GET_ITEM(args, 0));
    PyObject *const rest =
        kind ? PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args)) : NULL;
    if (rest == NULL)
        return NULL;
    const int result = finish(make_native(here->context, kind, rest, &made));
    Py_DECREF(rest);
    native_object *const object =
        result < 0 ? NULL : (native_object *)type->tp_alloc(type, 0);
    if (object == NULL) {
        lbo_module_release(made);
        return NULL;
    }
    object->module = made;
    return (PyObject *)object;
}

static void native_dealloc(PyObject *self)
{
    PyTypeObject *const type = Py_TYPE(self);

    lbo_module_release(((native_object *)self)->module);
    type->tp_free(self);
    Py_DECREF(type);
}

static bool is_big(const lbo_tensor *tensor)
{
    return tensor->size > LARGE / 16;
}

/* Native(x): the module's forward. */
static PyObject *native_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    place *const here = place_get();
    lbo_module *const module = ((native_object *)self)->module;
    lbo_tensor *out = NULL;
    lb_status status;

    if (here == NULL)
        return NULL;
    if (kwargs != NULL || PyTuple_GET_SIZE(args) != 1 ||
        !is_tensor(PyTuple_GET_ITEM(args, 0)))
        return PyErr_Format(PyExc_TypeError, "%s takes one tensor",
                            module->name);
    lbo_tensor *const x = tensor_of(PyTuple_GET_ITEM(args, 0));
    if (!is_big(x))
        status = lbo_forward(here->context, module, x, &out);
    else {
        Py_BEGIN_ALLOW_THREADS status =
            lbo_forward(here->context, module, x, &out);
        Py_END_ALLOW_THREADS
    }
    if (finish(status) < 0) {
        if (status == LB_OK)
            lbo_tensor_release(out);
        return NULL;
    }
    return tensor_wrap(out);
}

static lb_status note_tensor(void *context, const char *path,
                             lbo_tensor *tensor, bool learned)
{
    PyObject *const made = tensor_wrap(lbo_tensor_retain(tensor));
    PyObject *const item =
        made ? Py_BuildValue("sNi", path, made, learned) : NULL;
    const int result = item ? PyList_Append(context, item) : -1;

    Py_XDECREF(item);
    return result < 0 ? LB_METHOD_FAILED : LB_OK;
}

/* [(path, tensor, learned)...] */
static PyObject *native_tensors(PyObject *self, PyObject *ignored)
{
    place *const here = place_get();
    PyObject *const result = here ? PyList_New(0) : NULL;

    (void)ignored;
    if (result != NULL &&
        (place_follow(here) < 0 ||
         finish(lbo_module_visit(((native_object *)self)->module, true,
                                 note_tensor, result)) < 0)) {
        Py_DECREF(result);
        return NULL;
    }
    return result;
}

static PyObject *native_train(PyObject *self, PyObject *on)
{
    const int training = PyObject_IsTrue(on);

    if (training < 0)
        return NULL;
    lbo_module_train(((native_object *)self)->module, training);
    Py_RETURN_NONE;
}

static PyMethodDef native_methods[] = {
    {"tensors", native_tensors, METH_NOARGS, NULL},
    {"train", native_train, METH_O, NULL},
    {NULL, NULL, 0, NULL}};

static PyType_Slot native_slots[] = {{Py_tp_new, native_new},
                                     {Py_tp_dealloc, native_dealloc},
                                     {Py_tp_call, native_call},
                                     {Py_tp_methods, native_methods},
                                     {Py_tp_doc, "A module of the library."},
                                     {0, NULL}};

PyType_Spec module_spec = {"latebind._ops.Native", sizeof(native_object), 0,
                           Py_TPFLAGS_DEFAULT, native_slots};

/* ---- optimizers ------------------------------------------------------------------------ */

typedef struct optimizer_object {
    PyObject_HEAD lbo_optimizer *optimizer;
    lbo_module *tree;
} optimizer_object;

static lb_status plain_module(const char *name, lbo_module **result)
{
    return lbo_module_create(
        the.library, lbo_module_class(the.library, "module"), name, result);
}

/* The module at the path's first `length` characters, made where it is not. */
static lb_status module_at(lbo_module *root, const char *path, size_t length,
                           lbo_module **result)
{
    lbo_module *at = root;
    size_t begin = 0;

    while (begin < length) {
        char name[256];
        const size_t end = begin + strcspn(path + begin, ".");
        (void)snprintf(name, sizeof name, "%.*s", (int)(end - begin),
                       path + begin);
        lbo_module *child = lbo_module_child(at, name);
        if (child == NULL) {
            lb_status status = plain_module(name, &child);
            if (status == LB_OK) {
                status = lbo_module_add_child(at, name, child);
                lbo_module_release(child);
            }
            if (status != LB_OK)
                return status;
        }
        at = child;
        begin = end + 1;
    }
    *result = at;
    return LB_OK;
}

static int add_parameter(lbo_module *root, PyObject *item)
{
    const char *path;
    PyObject *tensor;
    lbo_module *at;

    if (!PyArg_ParseTuple(item, "sO!", &path, the.tensor, &tensor))
        return -1;
    const char *const dot = strrchr(path, '.');
    const size_t length = dot ? (size_t)(dot - path) : 0;
    lb_status status = module_at(root, path, length, &at);
    if (status == LB_OK)
        status = lbo_module_add_parameter(at, dot ? dot + 1 : path,
                                          tensor_of(tensor));
    return finish(status);
}

/* A tree from [(path, tensor)...]. */
static lbo_module *tree_of(PyObject *parameters)
{
    lbo_module *root = NULL;

    if (!PyList_Check(parameters)) {
        PyErr_SetString(PyExc_TypeError, "a list of (path, tensor) is wanted");
        return NULL;
    }
    if (finish(plain_module("parameters", &root)) < 0)
        return NULL;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(parameters); i++)
        if (add_parameter(root, PyList_GET_ITEM(parameters, i)) < 0) {
            lbo_module_release(root);
            return NULL;
        }
    return root;
}

static lb_status make_optimizer(const char *kind, lbo_module *tree, double rate,
                                PyObject *args, lbo_optimizer **result)
{
    double a, b, c, d;
    int flag;

    if (strcmp(kind, "sgd") == 0)
        return PyArg_ParseTuple(args, "ddp", &a, &b, &flag)
                   ? lbo_sgd(tree, rate, a, b, flag, result)
                   : LB_BAD_ARGUMENT;
    return PyArg_ParseTuple(args, "ddddp", &a, &b, &c, &d, &flag)
               ? lbo_adam(tree, rate, a, b, c, d, flag, result)
               : LB_BAD_ARGUMENT;
}

/* Optimizer(kind, [(path, tensor)...], rate, (numbers...)) */
static PyObject *optimizer_new(PyTypeObject *type, PyObject *args,
                               PyObject *kwargs)
{
    const char *kind;
    PyObject *parameters, *rest;
    double rate;
    lbo_optimizer *made = NULL;

    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0)
        return PyErr_Format(PyExc_TypeError, "no keywords are taken here");
    if (!PyArg_ParseTuple(args, "sOdO!", &kind, &parameters, &rate,
                          &PyTuple_Type, &rest))
        return NULL;
    lbo_module *const tree = tree_of(parameters);
    if (tree == NULL)
        return NULL;
    optimizer_object *const object =
        finish(make_optimizer(kind, tree, rate, rest, &made)) < 0
            ? NULL
            : (optimizer_object *)type->tp_alloc(type, 0);
    if (object == NULL) {
        if (made != NULL)
            lbo_optimizer_destroy(made);
        lbo_module_release(tree);
        return NULL;
    }
    object->optimizer = made;
    object->tree = tree;
    return (PyObject *)object;
}

static void optimizer_dealloc(PyObject *self)
{
    optimizer_object *const object = (optimizer_object *)self;
    PyTypeObject *const type = Py_TYPE(self);

    if (object->optimizer != NULL)
        lbo_optimizer_destroy(object->optimizer);
    if (object->tree != NULL)
        lbo_module_release(object->tree);
    type->tp_free(self);
    Py_DECREF(type);
}

static lbo_optimizer *optimizer_of(PyObject *self)
{
    return ((optimizer_object *)self)->optimizer;
}

static PyObject *optimizer_step(PyObject *self, PyObject *ignored)
{
    place *const here = place_get();
    lb_status status;

    (void)ignored;
    if (here == NULL)
        return NULL;
    Py_BEGIN_ALLOW_THREADS status = lbo_step(here->context, optimizer_of(self));
    Py_END_ALLOW_THREADS return finish(status) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *optimizer_zero(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    lbo_zero_gradients(optimizer_of(self));
    Py_RETURN_NONE;
}

static PyObject *optimizer_clip(PyObject *self, PyObject *norm)
{
    lbo_context *const context = context_get();
    const double limit = PyFloat_AsDouble(norm);
    double before = 0;

    if (context == NULL || PyErr_Occurred() ||
        finish(lbo_clip_gradients(context, optimizer_of(self), limit,
                                  &before)) < 0)
        return NULL;
    return PyFloat_FromDouble(before);
}

/* save(path): parameters, state and steps. */
static PyObject *optimizer_save(PyObject *self, PyObject *path)
{
    lbo_context *const context = context_get();
    PyObject *bytes = NULL;

    if (context == NULL || !PyUnicode_FSConverter(path, &bytes))
        return NULL;
    const int result = finish(lbo_training_save(
        context, ((optimizer_object *)self)->tree, optimizer_of(self), NULL, 0,
        PyBytes_AS_STRING(bytes)));
    Py_DECREF(bytes);
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *optimizer_load(PyObject *self, PyObject *path)
{
    lbo_context *const context = context_get();
    PyObject *bytes = NULL;

    if (context == NULL || !PyUnicode_FSConverter(path, &bytes))
        return NULL;
    const int result =
        finish(lbo_training_load(context, ((optimizer_object *)self)->tree,
                                 optimizer_of(self), PyBytes_AS_STRING(bytes)));
    Py_DECREF(bytes);
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *get_rate(PyObject *self, void *closure)
{
    (void)closure;
    return PyFloat_FromDouble(optimizer_of(self)->rate);
}

static int set_rate(PyObject *self, PyObject *value, void *closure)
{
    const double rate = value ? PyFloat_AsDouble(value) : 0;

    (void)closure;
    if (PyErr_Occurred())
        return -1;
    optimizer_of(self)->rate = rate;
    return 0;
}

static PyObject *get_steps(PyObject *self, void *closure)
{
    (void)closure;
    return PyLong_FromLongLong(optimizer_of(self)->steps);
}

static PyGetSetDef optimizer_getset[] = {
    {"rate", get_rate, set_rate, "The learning rate.", NULL},
    {"steps", get_steps, NULL, "Steps done so far.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyMethodDef optimizer_methods[] = {
    {"step", optimizer_step, METH_NOARGS, "Changes the parameters."},
    {"zero_grad", optimizer_zero, METH_NOARGS, "Drops all gradients."},
    {"clip_grad_norm", optimizer_clip, METH_O,
     "Scales the gradients to this norm at most; gives the one they had."},
    {"save", optimizer_save, METH_O,
     "Writes parameters, state and steps to a file."},
    {"load", optimizer_load, METH_O, "Reads what save() wrote."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot optimizer_slots[] = {
    {Py_tp_new, optimizer_new},
    {Py_tp_dealloc, optimizer_dealloc},
    {Py_tp_getset, optimizer_getset},
    {Py_tp_methods, optimizer_methods},
    {Py_tp_doc, "Changes parameters by their gradients."},
    {0, NULL}};

PyType_Spec optimizer_spec = {
    "latebind._ops.Optimizer", sizeof(optimizer_object), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, optimizer_slots};

/* _rate(schedule, base, step, warmup, period, factor) */
PyObject *py_rate(PyObject *self, PyObject *args)
{
    int schedule;
    double base, factor;
    long long step, warmup, period;

    (void)self;
    if (!PyArg_ParseTuple(args, "idLLLd", &schedule, &base, &step, &warmup,
                          &period, &factor))
        return NULL;
    return PyFloat_FromDouble(lbo_rate_at((lbo_schedule)schedule, base, step,
                                          warmup, period, factor));
}

/* ---- the walk back -------------------------------------------------------------------------- */

static int seed_from(PyObject *object, lbo_tensor **seed)
{
    if (object != Py_None && !is_tensor(object)) {
        PyErr_Format(PyExc_TypeError,
                     "the gradient of the result is a tensor or None, not "
                     "%.100s",
                     Py_TYPE(object)->tp_name);
        return -1;
    }
    *seed = object == Py_None ? NULL : tensor_of(object);
    return 0;
}

/* x._backward(seed or None, keep) */
PyObject *py_backward(PyObject *self, PyObject *args)
{
    place *const here = place_get();
    PyObject *seed_object;
    lbo_tensor *seed;
    int keep;
    lb_status status;

    if (here == NULL || !PyArg_ParseTuple(args, "Op", &seed_object, &keep) ||
        seed_from(seed_object, &seed) < 0)
        return NULL;
    Py_BEGIN_ALLOW_THREADS status =
        lbo_backward(here->context, tensor_of(self), seed, keep);
    Py_END_ALLOW_THREADS return finish(status) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *tuple_of_made(lbo_tensor **made, Py_ssize_t count)
{
    PyObject *const result = PyTuple_New(count);

    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *const one = result == NULL    ? NULL
                              : made[i] == NULL ? Py_NewRef(Py_None)
                                                : tensor_wrap(made[i]);
        if (result == NULL && made[i] != NULL)
            lbo_tensor_release(made[i]);
        if (result != NULL)
            PyTuple_SET_ITEM(result, i, one); /* NULL is an error below */
    }
    if (PyErr_Occurred())
        Py_XDECREF(result);
    return PyErr_Occurred() ? NULL : result;
}

/* _gradients(result, (inputs...), seed or None, record) */
PyObject *py_gradients(PyObject *self, PyObject *args)
{
    place *const here = place_get();
    PyObject *of, *inputs, *seed_object;
    lbo_tensor *seed, *in[64], *made[64] = {NULL};
    int record;
    lb_status status;

    (void)self;
    if (here == NULL ||
        !PyArg_ParseTuple(args, "O!O!Op", the.tensor, &of, &PyTuple_Type,
                          &inputs, &seed_object, &record) ||
        seed_from(seed_object, &seed) < 0)
        return NULL;
    const Py_ssize_t count = PyTuple_GET_SIZE(inputs);
    if (count > 64)
        return PyErr_Format(PyExc_ValueError, "at most 64 inputs at once");
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!is_tensor(PyTuple_GET_ITEM(inputs, i)))
            return PyErr_Format(PyExc_TypeError, "gradients are by tensors");
        in[i] = tensor_of(PyTuple_GET_ITEM(inputs, i));
    }
    Py_BEGIN_ALLOW_THREADS status = lbo_gradients(
        here->context, tensor_of(of), seed, in, (size_t)count, record, made);
    Py_END_ALLOW_THREADS if (finish(status) < 0) return NULL;
    return tuple_of_made(made, count);
}

/* ---- checkpoints -------------------------------------------------------------------------------- */

static int named_from(PyObject *dict, lbo_named *named)
{
    PyObject *key, *value;
    Py_ssize_t at = 0, i = 0;

    while (PyDict_Next(dict, &at, &key, &value)) {
        named[i].name = PyUnicode_AsUTF8(key);
        if (named[i].name == NULL)
            return -1;
        if (!is_tensor(value)) {
            PyErr_Format(PyExc_TypeError, "%R is a %.100s, not a tensor", key,
                         Py_TYPE(value)->tp_name);
            return -1;
        }
        named[i++].tensor = tensor_of(value);
    }
    return 0;
}

static int pairs_from(PyObject *dict, const char *(*pairs)[2])
{
    PyObject *key, *value;
    Py_ssize_t at = 0, i = 0;

    while (PyDict_Next(dict, &at, &key, &value)) {
        pairs[i][0] = PyUnicode_AsUTF8(key);
        pairs[i][1] = pairs[i][0] ? PyUnicode_AsUTF8(value) : NULL;
        if (pairs[i++][1] == NULL)
            return -1;
    }
    return 0;
}

/* _save(path, {name: tensor}, {text: text}) */
PyObject *py_save(PyObject *self, PyObject *args)
{
    lbo_context *const context = context_get();
    PyObject *path = NULL, *tensors, *metadata;

    (void)self;
    if (context == NULL ||
        !PyArg_ParseTuple(args, "O&O!O!", PyUnicode_FSConverter, &path,
                          &PyDict_Type, &tensors, &PyDict_Type, &metadata))
        return NULL;
    const size_t count = (size_t)PyDict_GET_SIZE(tensors);
    const size_t texts = (size_t)PyDict_GET_SIZE(metadata);
    lbo_named *const named = PyMem_Calloc(count + 1, sizeof *named);
    const char *(*const pairs)[2] = PyMem_Calloc(texts + 1, sizeof *pairs);
    int result = -1;
    if (named == NULL || pairs == NULL)
        PyErr_NoMemory();
    else if (named_from(tensors, named) == 0 &&
             pairs_from(metadata, (const char *(*)[2])pairs) == 0)
        result = finish(
            lbo_save_tensors(context, PyBytes_AS_STRING(path), named, count,
                             (const char *const(*)[2])pairs, texts));
    PyMem_Free(named);
    PyMem_Free((void *)pairs);
    Py_DECREF(path);
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

/* _load(path): {name: tensor} */
PyObject *py_load(PyObject *self, PyObject *path)
{
    lbo_context *const context = context_get();
    PyObject *bytes = NULL;
    lbo_archive *archive = NULL;

    (void)self;
    if (context == NULL || !PyUnicode_FSConverter(path, &bytes))
        return NULL;
    const int opened =
        finish(lbo_load_tensors(context, PyBytes_AS_STRING(bytes), &archive));
    Py_DECREF(bytes);
    PyObject *result = opened < 0 ? NULL : PyDict_New();
    for (size_t i = 0; result && i < lbo_archive_count(archive); i++) {
        const lbo_named one = lbo_archive_at(archive, i);
        PyObject *const tensor = tensor_wrap(lbo_tensor_retain(one.tensor));
        if (tensor == NULL ||
            PyDict_SetItemString(result, one.name, tensor) < 0)
            Py_CLEAR(result);
        Py_XDECREF(tensor);
    }
    lbo_archive_destroy(archive);
    return result;
}
