/* module.c - the extension `latebind._ops`: the library, the types, the table.
 *
 * One library per process, since a tensor may be on its way through C code when
 * a module object ends; so only the main interpreter may import it.
 */
#include "ops.h"

int models_make(PyObject *module);

/* Warnings of the library, e.g. that an operator runs on the CPU. */
static void report(void *context, lb_status status, const char *message)
{
    (void)context;
    (void)status;
    if (!Py_IsInitialized())
        return;
    const PyGILState_STATE state = PyGILState_Ensure();
    if (!PyErr_Occurred())
        (void)PyErr_WarnEx(the.fallback_warning ? the.fallback_warning
                                                : PyExc_RuntimeWarning,
                           message, 2);
    PyGILState_Release(state);
}

static int make_library(void)
{
    const lbo_library_config config = {.abi = LBO_ABI, .report = report};

    if (the.library != NULL)
        return 0;
    const lb_status status = lbo_library_create(&config, &the.library);
    if (status != LB_OK)
        return raise_status_int(status);
    return finish(lbo_device_find(the.library, "cpu", &the.device));
}

static int add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **type,
                    const char *name)
{
    *type = (PyTypeObject *)PyType_FromSpec(spec);
    return *type == NULL
               ? -1
               : PyModule_AddObjectRef(module, name, (PyObject *)*type);
}

static int add_types(PyObject *module)
{
    if (add_type(module, &dtype_spec, &the.dtype, "DType") < 0 ||
        add_type(module, &tensor_spec, &the.tensor, "Tensor") < 0 ||
        add_type(module, &function_spec, &the.function, "Operator") < 0 ||
        add_type(module, &call_spec, &the.call, "Call") < 0 ||
        add_type(module, &next_spec, &the.next, "Next") < 0 ||
        add_type(module, &layer_spec, &the.layer, "Layer") < 0 ||
        add_type(module, &kernel_spec, &the.kernel, "Kernel") < 0 ||
        add_type(module, &module_spec, &the.module, "Native") < 0 ||
        add_type(module, &optimizer_spec, &the.optimizer, "Optimizer") < 0)
        return -1;
    /* NumPy leaves operators with its arrays to us, and we to Python: an
     * error instead of a surprise. */
    return PyObject_SetAttrString((PyObject *)the.tensor, "__array_ufunc__",
                                  Py_None);
}

static int add_exceptions(PyObject *module)
{
    the.no_kernel = PyErr_NewExceptionWithDoc(
        "latebind.ops.NoKernelError",
        "No kernel of an operator is for these tensors.", PyExc_TypeError,
        NULL);
    the.fallback_warning = PyErr_NewExceptionWithDoc(
        "latebind.ops.OpsWarning",
        "What the library warns of, e.g. an operator that runs on the CPU for "
        "another device.",
        PyExc_RuntimeWarning, NULL);
    if (the.no_kernel == NULL || the.fallback_warning == NULL ||
        PyModule_AddObjectRef(module, "NoKernelError", the.no_kernel) < 0)
        return -1;
    return PyModule_AddObjectRef(module, "OpsWarning", the.fallback_warning);
}

/* _set_adopt(function): who handles the arrays of other libraries. */
static PyObject *py_set_adopt(PyObject *self, PyObject *function)
{
    (void)self;
    Py_XSETREF(the.adopt, Py_NewRef(function));
    Py_RETURN_NONE;
}

static PyObject *py_dtype_of(PyObject *self, PyObject *object)
{
    const int dtype = dtype_from(object);

    (void)self;
    return dtype < 0 ? NULL : dtype_object_of(dtype);
}

/* _dropout(x, p), with numbers of the context. */
static PyObject *py_dropout(PyObject *self, PyObject *args)
{
    place *const here = place_get();
    PyObject *x;
    double p;
    lbo_tensor *out = NULL;

    (void)self;
    if (here == NULL || !PyArg_ParseTuple(args, "O!d", the.tensor, &x, &p) ||
        (tensor_of(x)->history != NULL && place_follow(here) < 0))
        return NULL;
    if (finish(lbo_dropout(here->context, &out, tensor_of(x), p)) < 0)
        return NULL;
    return tensor_wrap(out);
}

#define FUNCTION(f) ((PyCFunction)(void (*)(void))(f))
static PyMethodDef functions[] = {
    {"_tensor", FUNCTION(py_tensor), METH_VARARGS | METH_KEYWORDS, NULL},
    {"_create", FUNCTION(py_create), METH_VARARGS | METH_KEYWORDS, NULL},
    {"_rebuild", py_rebuild, METH_VARARGS, NULL},
    {"_over_buffer", py_over_buffer, METH_O, NULL},
    {"_from_dlpack", py_from_dlpack, METH_O, NULL},
    {"_dropout", py_dropout, METH_VARARGS, NULL},
    {"_gradients", py_gradients, METH_VARARGS, NULL},
    {"_recording", py_recording, METH_VARARGS, NULL},
    {"_layer", py_layer, METH_VARARGS, NULL},
    {"_set_layers", py_set_layers, METH_O, NULL},
    {"_drop_layer", py_drop_layer, METH_O, NULL},
    {"_get_layers", py_get_layers, METH_NOARGS, NULL},
    {"_kernel", py_kernel, METH_VARARGS, NULL},
    {"_operator", py_operator, METH_VARARGS, NULL},
    {"_save", py_save, METH_VARARGS, NULL},
    {"_load", py_load, METH_O, NULL},
    {"_rate", py_rate, METH_VARARGS, NULL},
    {"_set_adopt", py_set_adopt, METH_O, NULL},
    {"_set_device", py_set_device, METH_O, NULL},
    {"_get_device", py_get_device, METH_NOARGS, NULL},
    {"_open_all", py_open_all, METH_O, NULL},
    {"_set_fallback", py_set_fallback, METH_O, NULL},
    {"_promote", FUNCTION(py_promote), METH_FASTCALL, NULL},
    {"_promote_weak", FUNCTION(py_promote_weak), METH_FASTCALL, NULL},
    {"dtype_of", py_dtype_of, METH_O, "The dtype that a name stands for."},
    {"function", py_function, METH_O, "An operator's function, by its name."},
    {"operators", py_operators, METH_NOARGS, "The names of all operators."},
    {"call", FUNCTION(py_call), METH_FASTCALL | METH_KEYWORDS,
     "call(operator, inputs..., attributes...): every result."},
    {"infer", FUNCTION(py_infer), METH_FASTCALL | METH_KEYWORDS,
     "infer(operator, inputs..., attributes...): what the results would be."},
    {"explain", FUNCTION(py_explain), METH_FASTCALL,
     "explain(operator, tensors...): which layers and kernel would run."},
    {"devices", py_devices, METH_NOARGS,
     "The devices: (name, description, preference)."},
    {"load_plugin", py_open_plugin, METH_O,
     "Loads a plug-in: a path, or the name of one of ours."},
    {"fallbacks", py_fallbacks, METH_NOARGS,
     "{operator: (calls, bytes)} that ran on the CPU for this thread."},
    {"seed", py_seed, METH_O, "Begins this thread's random numbers anew."},
    {"synchronize", py_synchronize, METH_NOARGS,
     "Waits until the device has done everything."},
    {NULL, NULL, 0, NULL}};
#undef FUNCTION

static int exec(PyObject *module)
{
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_ImportError,
                        "latebind.ops is for the main interpreter only");
        return -1;
    }
    if (the.tensor != NULL) {
        PyErr_SetString(PyExc_ImportError,
                        "latebind._ops is imported once per process");
        return -1;
    }
    if (make_library() < 0 || add_exceptions(module) < 0 ||
        add_types(module) < 0 || dtypes_make(module) < 0)
        return -1;
    return models_make(module);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, exec}, {0, NULL}};

static PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                                 "latebind._ops",
                                 "Tensors and operators, in C.",
                                 0,
                                 functions,
                                 slots,
                                 NULL,
                                 NULL,
                                 NULL};

PyMODINIT_FUNC PyInit__ops(void)
{
    return PyModuleDef_Init(&definition);
}
