/* attribute_python.c - CPython, embedded: y.name by PyObject_GetAttr. The
 * interpreter is started for each program, without site and environment. */
#ifdef BENCH_HAVE_PYTHON
#include <Python.h>
#endif

#include "attribute_peers.h"

#ifdef BENCH_HAVE_PYTHON
#include <stdlib.h>

typedef PyObject *reference;

static reference instance;

/* Every get makes a reference; that of a method makes a bound method. */
static inline uint64_t get(reference name)
{
    const reference found = PyObject_GetAttr(instance, name);
    if (found == NULL)
        return 0;
    Py_DECREF(found);
    return 1;
}
BENCH_LOOPS(python, reference, get(item));

static const char classes[] = "class X: pass\n"
                              "class Y(X): pass\n"
                              "def method(self): return 1\n"
                              "for name in of_x:\n"
                              "    setattr(X, name, method if methods else 1)\n"
                              "for name in of_y:\n"
                              "    setattr(Y, name, 1)\n"
                              "y = Y()\n";

static reference list_of(const char *const *names, size_t count)
{
    const reference list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list && i < count; i++)
        PyList_SET_ITEM(list, (Py_ssize_t)i,
                        PyUnicode_InternFromString(names[i]));
    return list;
}

static int start(void)
{
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.site_import = 0;
    const PyStatus status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    return !PyStatus_Exception(status);
}

/* Runs the text above on the program, and leaves y. */
static void make_instance(const attribute_program *p)
{
    const reference scope = Py_BuildValue(
        "{s:N,s:N,s:i}", "of_x", list_of(p->of_x, p->of_x_count), "of_y",
        list_of(p->of_y, p->of_y_count), "methods", p->methods);
    const reference done =
        scope ? PyRun_String(classes, Py_file_input, scope, scope) : NULL;
    instance = done ? PyDict_GetItemString(scope, "y") : NULL;
    Py_XINCREF(instance);
    Py_XDECREF(done);
    Py_XDECREF(scope);
}

static void close_python(void)
{
    Py_CLEAR(instance);
    (void)Py_FinalizeEx();
}

static int open_python(const attribute_program *p)
{
    if (!start())
        return 0;
    make_instance(p);
    if (instance == NULL) {
        PyErr_Print();
        close_python();
    }
    return instance != NULL;
}

/* The names stay interned: the dictionaries of X and Y hold them. */
static void *items(const char *const *names, size_t name_count, size_t count)
{
    reference *const made = calloc(count, sizeof *made);
    for (size_t i = 0; made && i < count; i++) {
        made[i] = PyUnicode_InternFromString(names[i % name_count]);
        Py_XDECREF(made[i]);
    }
    return made;
}

const attribute_language bench_python = {"CPython", PY_VERSION, open_python,
                                         close_python};
const attribute_peer bench_python_get = {&bench_python, "CPython", items,
                                         python_loops};

#else

const attribute_language bench_python = {"CPython", "none", NULL, NULL};
const attribute_peer bench_python_get = {&bench_python, "CPython", NULL, NULL};
#endif
