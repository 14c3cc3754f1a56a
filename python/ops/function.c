/* function.c - operators as functions of Python, for all by one piece of code.
 *
 * A call goes:
 *   1. two tensors (and perhaps out=) of an operator that C has as a function of
 *      two: straight to that one
 *   2. else inputs are taken by place or by the names of the operator's
 *      `in_names`, then attributes by place or name, by the operator's table of
 *      attributes; what is not given has the default below
 *   3. numbers become tensors beside the first tensor
 *   4. arrays of other libraries: the call is handed to the package's `adopt`,
 *      which converts them and calls again
 *   5. lbo_run; of several results only the first is given, unless all are asked
 *      for
 *
 * The words of the array API and of PyTorch are taken for attributes, too: axis
 * and dim for dims, keepdims for keep, and one number or a pair for attributes
 * that come as NAME_h and NAME_w.
 */
#include "ops.h"

#include <string.h>
#include <structmember.h>

typedef lb_status (*binary_fn)(lbo_context *, lbo_tensor **, lbo_tensor *,
                               lbo_tensor *);

typedef struct function_object {
    PyObject_HEAD vectorcallfunc call;
    const lbo_operator *op;
    binary_fn binary; /* NULL: the general way */
    bool all;         /* every result is given */
    PyObject *name;
} function_object;

enum { FEW = 8, ATTRIBUTE_BYTES = 512 };

/* ---- taking a call apart ----------------------------------------------------------- */

typedef struct parsed {
    const lbo_operator *op;
    PyObject *few_inputs[FEW]; /* borrowed; NULL or None: not given */
    PyObject **inputs;
    PyObject *list;             /* the sequence of an operator that takes one */
    lbo_tensor *few[FEW], **in; /* one reference each */
    uint32_t count;
    uint64_t set;                 /* bit i: attribute i was given */
    lbo_tensor *out[LBO_MAX_OUT]; /* borrowed while bit i of given is set */
    uint32_t given;
    bool foreign;
    _Alignas(16) char attributes[ATTRIBUTE_BYTES];
} parsed;

static void parsed_clear(parsed *p)
{
    for (uint32_t i = 0; i < p->count && p->in != NULL; i++)
        lbo_tensor_release(p->in[i]);
    if (p->inputs != p->few_inputs)
        PyMem_Free(p->inputs);
    if (p->in != p->few)
        PyMem_Free(p->in);
    Py_XDECREF(p->list);
}

static int parsed_room(parsed *p, uint32_t count)
{
    p->count = count;
    p->inputs = p->few_inputs;
    p->in = p->few;
    if (count > FEW) {
        p->inputs = PyMem_Calloc(count, sizeof *p->inputs);
        p->in = PyMem_Calloc(count, sizeof *p->in);
        if (p->inputs == NULL || p->in == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    return 0;
}

/* The place of a name among "x weight bias", or -1. */
static int input_index(const lbo_operator *op, const char *name)
{
    const char *at = op->spec.in_names;
    const size_t length = strlen(name);

    for (int i = 0; at != NULL; i++) {
        const size_t word = strcspn(at, " ");
        if (word == length && strncmp(at, name, length) == 0)
            return i;
        at = at[word] == ' ' ? at + word + 1 : NULL;
    }
    return -1;
}

static int attribute_index(const lbo_operator *op, const char *name)
{
    for (size_t i = 0; i < op->spec.attribute_count; i++)
        if (strcmp(op->spec.attributes[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* The words of others for ours. */
static int attribute_by_word(const lbo_operator *op, const char *name)
{
    static const char *const words[][2] = {
        {"axis", "dims"},     {"axis", "dim"},
        {"dim", "dims"},      {"axes", "permutation"},
        {"keepdims", "keep"}, {"keepdim", "keep"},
        {"min", "low"},       {"max", "high"},
        {"eps", "epsilon"},   {"ignore_index", "ignore"},
        {"std", "deviation"}};
    int found = attribute_index(op, name);

    for (size_t i = 0; found < 0 && i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i][0], name) == 0)
            found = attribute_index(op, words[i][1]);
    return found;
}

static int give_attribute(parsed *p, int index, PyObject *value)
{
    const lbo_attribute *const one = &p->op->spec.attributes[index];

    if (p->set >> index & 1) {
        PyErr_Format(PyExc_TypeError, "%s: %s is given twice", p->op->spec.name,
                     one->name);
        return -1;
    }
    p->set |= (uint64_t)1 << index;
    return set_attribute(one, p->attributes, value);
}

/* stride=2 and stride=(2, 1) for stride_h and stride_w. 0: it is no such. */
static int give_pair(parsed *p, const char *name, PyObject *value)
{
    char word[64];
    int64_t numbers[LBO_MAX_DIMS];

    (void)snprintf(word, sizeof word, "%.50s_h", name);
    const int h = attribute_index(p->op, word);
    (void)snprintf(word, sizeof word, "%.50s_w", name);
    const int w = attribute_index(p->op, word);
    if (h < 0 || w < 0)
        return 0;
    const int count = shape_from(value, numbers, name);
    if (count < 0)
        return -1;
    if (count != 1 && count != 2) {
        PyErr_Format(PyExc_ValueError, "%s: %s has %d numbers, not 1 or 2",
                     p->op->spec.name, name, count);
        return -1;
    }
    attribute_number(&p->op->spec.attributes[h], p->attributes,
                     (double)numbers[0]);
    attribute_number(&p->op->spec.attributes[w], p->attributes,
                     (double)numbers[count - 1]);
    p->set |= (uint64_t)1 << h | (uint64_t)1 << w;
    return 1;
}

static int give_out(parsed *p, PyObject *value)
{
    if (value == Py_None)
        return 0;
    const bool tuple = PyTuple_Check(value);
    const Py_ssize_t count = tuple ? PyTuple_GET_SIZE(value) : 1;
    if (count > p->op->spec.out_count) {
        PyErr_Format(PyExc_TypeError, "%s gives %u results, out has %zd",
                     p->op->spec.name, p->op->spec.out_count, count);
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *const one = tuple ? PyTuple_GET_ITEM(value, i) : value;
        if (one == Py_None)
            continue;
        if (!is_tensor(one)) {
            /* With arrays of others, out is one of theirs. */
            p->foreign = true;
            continue;
        }
        p->out[i] = tensor_of(one);
        p->given |= 1u << i;
    }
    return 0;
}

static int unknown_word(const parsed *p, PyObject *name)
{
    PyErr_Format(PyExc_TypeError, "%s has no argument %R", p->op->spec.name,
                 name);
    return -1;
}

static int give_word(parsed *p, PyObject *word, PyObject *value)
{
    const char *const name = PyUnicode_AsUTF8(word);

    if (name == NULL)
        return -1;
    if (strcmp(name, "out") == 0)
        return give_out(p, value);
    const int attribute = attribute_by_word(p->op, name);
    if (attribute >= 0)
        return give_attribute(p, attribute, value);
    const int input = input_index(p->op, name);
    if (input >= 0 && (uint32_t)input < p->count && p->list == NULL) {
        if (p->inputs[input] != NULL) {
            PyErr_Format(PyExc_TypeError, "%s: %s is given twice",
                         p->op->spec.name, name);
            return -1;
        }
        p->inputs[input] = value;
        return 0;
    }
    const int pair = give_pair(p, name, value);
    return pair != 0 ? (pair < 0 ? -1 : 0) : unknown_word(p, word);
}

/* The name before _h and _w: two attributes that one argument gives. */
static int give_place(parsed *p, size_t *index, PyObject *value)
{
    const lbo_attribute *const one = &p->op->spec.attributes[*index];
    const size_t length = strlen(one->name);
    char word[64];

    if (length > 2 && length < sizeof word &&
        strcmp(one->name + length - 2, "_h") == 0) {
        (void)snprintf(word, sizeof word, "%.*s", (int)length - 2, one->name);
        *index += 2;
        return give_pair(p, word, value) < 0 ? -1 : 0;
    }
    return give_attribute(p, (int)(*index)++, value);
}

static int give_places(parsed *p, PyObject *const *args, Py_ssize_t count)
{
    const lbo_operator_spec *const spec = &p->op->spec;
    size_t index = 0;

    /* reshape(x, 2, 3) */
    if (count > 1 && spec->attribute_count == 1 &&
        spec->attributes[0].type == LBO_ATTRIBUTE_DIMS) {
        PyObject *const all = PyTuple_New(count);
        for (Py_ssize_t i = 0; all && i < count; i++)
            PyTuple_SET_ITEM(all, i, Py_NewRef(args[i]));
        const int result = all ? give_attribute(p, 0, all) : -1;
        Py_XDECREF(all);
        return result;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (index >= spec->attribute_count) {
            PyErr_Format(PyExc_TypeError, "%s takes fewer arguments than that",
                         spec->name);
            return -1;
        }
        if (give_place(p, &index, args[i]) < 0)
            return -1;
    }
    return 0;
}

static int fill_defaults(parsed *p)
{
    const lbo_operator_spec *const spec = &p->op->spec;

    for (size_t i = 0; i < spec->attribute_count; i++)
        if (!(p->set >> i & 1) && !attribute_default(p->op, i, p->attributes)) {
            PyErr_Format(PyExc_TypeError, "%s wants its argument %s",
                         spec->name, spec->attributes[i].name);
            return -1;
        }
    return 0;
}

static int take_list(parsed *p, PyObject *object)
{
    p->list = PySequence_Fast(object, "a sequence of tensors is wanted");
    if (p->list == NULL ||
        parsed_room(p, (uint32_t)PySequence_Fast_GET_SIZE(p->list)) < 0)
        return -1;
    for (uint32_t i = 0; i < p->count; i++)
        p->inputs[i] = PySequence_Fast_GET_ITEM(p->list, i);
    return 0;
}

static int take_inputs(parsed *p, PyObject *const *args, Py_ssize_t *count)
{
    const lbo_operator_spec *const spec = &p->op->spec;

    if (spec->flags & LBO_LIST) {
        if (*count < 1) {
            PyErr_Format(PyExc_TypeError, "%s wants a sequence of tensors",
                         spec->name);
            return -1;
        }
        *count = 1;
        return take_list(p, args[0]);
    }
    if (parsed_room(p, spec->in_count) < 0)
        return -1;
    if (*count > (Py_ssize_t)spec->in_count)
        *count = (Py_ssize_t)spec->in_count;
    for (Py_ssize_t i = 0; i < *count; i++)
        p->inputs[i] = args[i];
    return 0;
}

/* Tensors of the inputs. 1 where one is an array of somebody else. */
static int convert_inputs(parsed *p, lbo_context *context)
{
    const lbo_tensor *like = NULL;

    for (uint32_t i = 0; i < p->count; i++) {
        PyObject *const one = p->inputs[i];
        if (one == NULL || one == Py_None)
            continue;
        if (is_tensor(one)) {
            p->in[i] = lbo_tensor_retain(tensor_of(one));
            const bool part =
                p->op->spec.promoted == 0 || p->op->spec.promoted >> i & 1;
            like = like == NULL && part ? tensor_of(one) : like;
        } else if (!is_number(one))
            p->foreign = true;
    }
    for (uint32_t i = 0; i < p->count && !p->foreign; i++) {
        PyObject *const one = p->inputs[i];
        if (one == NULL || one == Py_None || is_tensor(one))
            continue;
        p->in[i] = number_tensor(context, one, like);
        if (p->in[i] == NULL)
            return -1;
    }
    return 0;
}

static int check_missing(const parsed *p)
{
    const lbo_operator_spec *const spec = &p->op->spec;

    for (uint32_t i = 0; i < spec->in_count - spec->optional; i++)
        if (i < p->count && (p->inputs[i] == NULL || p->inputs[i] == Py_None)) {
            PyErr_Format(PyExc_TypeError, "%s wants %u inputs (%s)", spec->name,
                         spec->in_count - spec->optional,
                         spec->in_names ? spec->in_names : "tensors");
            return -1;
        }
    return 0;
}

static int parse(parsed *p, lbo_context *context, PyObject *const *args,
                 Py_ssize_t count, PyObject *names)
{
    Py_ssize_t inputs = count;

    if (take_inputs(p, args, &inputs) < 0 ||
        give_places(p, args + inputs, count - inputs) < 0)
        return -1;
    for (Py_ssize_t i = 0; names && i < PyTuple_GET_SIZE(names); i++)
        if (give_word(p, PyTuple_GET_ITEM(names, i), args[count + i]) < 0)
            return -1;
    if (check_missing(p) < 0 || fill_defaults(p) < 0)
        return -1;
    return convert_inputs(p, context);
}

/* ---- running -------------------------------------------------------------------------- */

static bool is_large(const parsed *p)
{
    int64_t size = 0;

    for (uint32_t i = 0; i < p->count; i++)
        if (p->in[i] != NULL)
            size += p->in[i]->size;
    for (uint32_t i = 0; i < LBO_MAX_OUT; i++)
        if (p->given >> i & 1)
            size += p->out[i]->size;
    return size > LARGE;
}

static bool has_history(const parsed *p)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (p->in[i] != NULL && p->in[i]->history != NULL)
            return true;
    return false;
}

static lb_status run(place *here, parsed *p)
{
    lbo_call call = {.in = p->in,
                     .out = p->out,
                     .attributes =
                         p->op->spec.attribute_size ? p->attributes : NULL,
                     .in_count = p->count,
                     .out_count = p->op->spec.out_count};
    lb_status status;

    if (has_history(p) && place_follow(here) < 0)
        return LB_METHOD_FAILED;
    if (!is_large(p))
        return lbo_run(here->context, p->op, &call);
    Py_BEGIN_ALLOW_THREADS status = lbo_run(here->context, p->op, &call);
    Py_END_ALLOW_THREADS return status;
}

static void drop_results(parsed *p, uint32_t from)
{
    for (uint32_t i = from; i < p->op->spec.out_count; i++)
        if (!(p->given >> i & 1))
            lbo_tensor_release(p->out[i]);
}

/* Python's object for result i: the one given, or a new one. */
static PyObject *result_object(parsed *p, uint32_t i, PyObject *out)
{
    if (p->given >> i & 1)
        return Py_NewRef(PyTuple_Check(out) ? PyTuple_GET_ITEM(out, i) : out);
    return tensor_wrap(p->out[i]);
}

static PyObject *results(parsed *p, bool all, PyObject *out)
{
    const uint32_t count = p->op->spec.out_count;

    if (!all || count == 1) {
        drop_results(p, 1);
        return result_object(p, 0, out);
    }
    PyObject *const tuple = PyTuple_New(count);
    if (tuple == NULL) {
        drop_results(p, 0);
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        PyObject *const one = result_object(p, i, out);
        if (one == NULL) {
            drop_results(p, i + 1);
            Py_DECREF(tuple);
            return NULL;
        }
        PyTuple_SET_ITEM(tuple, i, one);
    }
    return tuple;
}

static PyObject *out_argument(PyObject *const *args, Py_ssize_t count,
                              PyObject *names)
{
    for (Py_ssize_t i = 0; names && i < PyTuple_GET_SIZE(names); i++)
        if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, i),
                                             "out") == 0)
            return args[count + i];
    return NULL;
}

/* adopt(function, args, kwargs) */
static PyObject *hand_on(PyObject *self, PyObject *const *args,
                         Py_ssize_t count, PyObject *names)
{
    if (the.adopt == NULL)
        return PyErr_Format(PyExc_TypeError,
                            "%U: tensors and numbers are "
                            "wanted",
                            ((function_object *)self)->name);
    PyObject *const tuple = PyTuple_New(count);
    PyObject *const words = PyDict_New();
    PyObject *result = NULL;
    bool good = tuple != NULL && words != NULL;
    for (Py_ssize_t i = 0; good && i < count; i++)
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    for (Py_ssize_t i = 0; good && names && i < PyTuple_GET_SIZE(names); i++)
        good = PyDict_SetItem(words, PyTuple_GET_ITEM(names, i),
                              args[count + i]) == 0;
    if (good)
        result =
            PyObject_CallFunctionObjArgs(the.adopt, self, tuple, words, NULL);
    Py_XDECREF(tuple);
    Py_XDECREF(words);
    return result;
}

static PyObject *general_call(PyObject *self, const lbo_operator *op, bool all,
                              PyObject *const *args, Py_ssize_t count,
                              PyObject *names)
{
    place *const here = place_get();
    parsed p;

    if (here == NULL)
        return NULL;
    memset(&p, 0, offsetof(parsed, attributes));
    p.op = op;
    memset(p.attributes, 0, op->spec.attribute_size);
    PyObject *result = NULL;
    if (parse(&p, here->context, args, count, names) == 0) {
        if (p.foreign)
            result = hand_on(self, args, count, names);
        else {
            const lb_status status = run(here, &p);
            if (finish(status) == 0)
                result = results(&p, all, out_argument(args, count, names));
            else if (status == LB_OK)
                drop_results(&p, 0);
        }
    }
    parsed_clear(&p);
    return result;
}

static inline bool is_out(PyObject *names)
{
    return PyTuple_GET_SIZE(names) == 1 &&
           PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0),
                                            "out") == 0;
}

static PyObject *function_vectorcall(PyObject *self, PyObject *const *args,
                                     size_t flags, PyObject *names)
{
    const function_object *const function = (function_object *)self;
    const Py_ssize_t count = PyVectorcall_NARGS(flags);

    if (LB_LIKELY(function->binary != NULL && count == 2 &&
                  Py_IS_TYPE(args[0], the.tensor) &&
                  Py_IS_TYPE(args[1], the.tensor)) &&
        (names == NULL || (is_out(names) && Py_IS_TYPE(args[2], the.tensor)))) {
        place *const here = place_get();
        lbo_tensor *const a = tensor_of(args[0]), *const b = tensor_of(args[1]);
        lbo_tensor *out = names == NULL ? NULL : tensor_of(args[2]);
        lb_status status;
        if (here == NULL || ((a->history != NULL || b->history != NULL) &&
                             place_follow(here) < 0))
            return NULL;
        if (LB_LIKELY(a->size <= LARGE && b->size <= LARGE))
            status = function->binary(here->context, &out, a, b);
        else {
            Py_BEGIN_ALLOW_THREADS status =
                function->binary(here->context, &out, a, b);
            Py_END_ALLOW_THREADS
        }
        if (LB_UNLIKELY(finish(status) < 0)) {
            if (status == LB_OK && names == NULL)
                lbo_tensor_release(out);
            return NULL;
        }
        return names != NULL ? Py_NewRef(args[2]) : tensor_wrap(out);
    }
    return general_call(self, function->op, function->all, args, count, names);
}

/* ---- the type ---------------------------------------------------------------------------- */

static binary_fn binary_of(const char *name)
{
    static const struct {
        const char *name;
        binary_fn fn;
    } known[] = {{"add", lbo_add},
                 {"sub", lbo_sub},
                 {"mul", lbo_mul},
                 {"div", lbo_div},
                 {"pow", lbo_pow},
                 {"minimum", lbo_minimum},
                 {"maximum", lbo_maximum},
                 {"equal", lbo_equal},
                 {"not_equal", lbo_not_equal},
                 {"less", lbo_less},
                 {"less_equal", lbo_less_equal},
                 {"greater", lbo_greater},
                 {"greater_equal", lbo_greater_equal},
                 {"matmul", lbo_matmul}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].fn;
    return NULL;
}

static PyObject *make(const lbo_operator *op, bool all)
{
    if (op->spec.attribute_size > ATTRIBUTE_BYTES ||
        op->spec.attribute_count > 64)
        return PyErr_Format(PyExc_ValueError,
                            "%s has more attributes than Python can give",
                            op->spec.name);
    function_object *const made = PyObject_New(function_object, the.function);
    if (made == NULL)
        return NULL;
    made->call = function_vectorcall;
    made->op = op;
    made->binary = binary_of(op->spec.name);
    made->all = all;
    made->name = PyUnicode_InternFromString(op->spec.name);
    if (made->name == NULL) {
        Py_DECREF(made);
        return NULL;
    }
    return (PyObject *)made;
}

PyObject *function_make(const lbo_operator *op)
{
    return make(op, false);
}

static void function_dealloc(PyObject *self)
{
    PyTypeObject *const type = Py_TYPE(self);

    Py_XDECREF(((function_object *)self)->name);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *function_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<operator %U>",
                                ((function_object *)self)->name);
}

static PyObject *function_get(PyObject *self, PyObject *object, PyObject *type)
{
    (void)type;
    return object == NULL || object == Py_None ? Py_NewRef(self)
                                               : PyMethod_New(self, object);
}

static PyObject *get_name(PyObject *self, void *closure)
{
    (void)closure;
    return Py_NewRef(((function_object *)self)->name);
}

static PyObject *get_doc(PyObject *self, void *closure)
{
    const lbo_operator_spec *const spec = &((function_object *)self)->op->spec;

    (void)closure;
    return PyUnicode_FromFormat("%s(%s): %s", spec->name,
                                spec->in_names ? spec->in_names : "",
                                spec->summary ? spec->summary : "an operator");
}

static PyObject *get_attributes(PyObject *self, void *closure)
{
    const lbo_operator_spec *const spec = &((function_object *)self)->op->spec;
    PyObject *const result = PyTuple_New((Py_ssize_t)spec->attribute_count);

    (void)closure;
    for (size_t i = 0; result && i < spec->attribute_count; i++) {
        PyObject *const name = PyUnicode_FromString(spec->attributes[i].name);
        if (name == NULL) {
            Py_DECREF(result);
            return NULL;
        }
        PyTuple_SET_ITEM(result, (Py_ssize_t)i, name);
    }
    return result;
}

static PyObject *function_reduce(PyObject *self, PyObject *ignored)
{
    (void)ignored;
    PyObject *const module = PyImport_ImportModule("latebind._ops");
    PyObject *const get =
        module ? PyObject_GetAttrString(module, "function") : NULL;
    Py_XDECREF(module);
    return get == NULL
               ? NULL
               : Py_BuildValue("N(O)", get, ((function_object *)self)->name);
}

static PyGetSetDef getset[] = {
    {"__name__", get_name, NULL, NULL, NULL},
    {"__qualname__", get_name, NULL, NULL, NULL},
    {"__doc__", get_doc, NULL, NULL, NULL},
    {"attributes", get_attributes, NULL, "The names of its attributes.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyMethodDef methods[] = {
    {"__reduce__", function_reduce, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};

static PyMemberDef members[] = {{"__vectorcalloffset__", T_PYSSIZET,
                                 offsetof(function_object, call), READONLY,
                                 NULL},
                                {NULL, 0, 0, 0, NULL}};

static PyType_Slot slots[] = {{Py_tp_dealloc, function_dealloc},
                              {Py_tp_repr, function_repr},
                              {Py_tp_call, PyVectorcall_Call},
                              {Py_tp_descr_get, function_get},
                              {Py_tp_getset, getset},
                              {Py_tp_methods, methods},
                              {Py_tp_members, members},
                              {0, NULL}};

PyType_Spec function_spec = {
    "latebind.ops.Operator", sizeof(function_object), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL |
        Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_DISALLOW_INSTANTIATION |
        Py_TPFLAGS_IMMUTABLETYPE,
    slots};

/* ---- by name -------------------------------------------------------------------------------- */

static const lbo_operator *find(PyObject *name)
{
    const char *const text = PyUnicode_AsUTF8(name);
    const lbo_operator *const op =
        text ? lbo_operator_find(the.library, text) : NULL;

    if (op == NULL && text != NULL)
        PyErr_Format(PyExc_LookupError, "there is no operator %R", name);
    return op;
}

PyObject *py_function(PyObject *self, PyObject *name)
{
    const lbo_operator *const op = find(name);

    (void)self;
    return op == NULL ? NULL : function_make(op);
}

PyObject *py_operators(PyObject *self, PyObject *ignored)
{
    const size_t count = lbo_operator_count(the.library);
    PyObject *const result = PyList_New(0);

    (void)self;
    (void)ignored;
    for (size_t i = 0; result && i < count; i++) {
        PyObject *const name =
            PyUnicode_FromString(lbo_operator_at(the.library, i)->spec.name);
        if (name == NULL || PyList_Append(result, name) < 0) {
            Py_XDECREF(name);
            Py_DECREF(result);
            return NULL;
        }
        Py_DECREF(name);
    }
    return result;
}

/* call(operator, inputs..., attributes...): all results. */
PyObject *py_call(PyObject *self, PyObject *const *args, Py_ssize_t count,
                  PyObject *names)
{
    (void)self;
    if (count < 1) {
        PyErr_SetString(PyExc_TypeError, "call wants an operator's name");
        return NULL;
    }
    const lbo_operator *const op = Py_IS_TYPE(args[0], the.function)
                                       ? ((function_object *)args[0])->op
                                       : find(args[0]);
    PyObject *const function = op ? make(op, true) : NULL;
    PyObject *const result =
        function ? general_call(function, op, true, args + 1, count - 1, names)
                 : NULL;
    Py_XDECREF(function);
    return result;
}

static PyObject *spec_tuple(const lbo_spec *spec)
{
    return Py_BuildValue("NNs", dtype_object_of(spec->dtype),
                         shape_tuple(spec->ndim, spec->shape),
                         spec->device->name);
}

/* infer(operator, inputs..., attributes...): [(dtype, shape, device)...]. */
PyObject *py_infer(PyObject *self, PyObject *const *args, Py_ssize_t count,
                   PyObject *names)
{
    place *const here = place_get();
    lbo_spec specs[LBO_MAX_OUT];
    PyObject *result = NULL;
    parsed p;

    (void)self;
    if (here == NULL || count < 1)
        return here ? PyErr_Format(PyExc_TypeError,
                                   "infer wants an operator's name")
                    : NULL;
    const lbo_operator *const op = Py_IS_TYPE(args[0], the.function)
                                       ? ((function_object *)args[0])->op
                                       : find(args[0]);
    if (op == NULL)
        return NULL;
    memset(&p, 0, sizeof p);
    p.op = op;
    if (parse(&p, here->context, args + 1, count - 1, names) == 0) {
        const lbo_call call = {.in = p.in,
                               .out = p.out,
                               .attributes = p.attributes,
                               .in_count = p.count,
                               .out_count = op->spec.out_count};
        if (p.foreign)
            PyErr_SetString(PyExc_TypeError, "infer wants tensors");
        else if (finish(lbo_infer(here->context, op, &call, specs)) == 0)
            result = PyList_New(0);
    }
    for (uint32_t i = 0; result && i < op->spec.out_count; i++) {
        PyObject *const one = spec_tuple(&specs[i]);
        if (one == NULL || PyList_Append(result, one) < 0)
            Py_CLEAR(result);
        Py_XDECREF(one);
    }
    parsed_clear(&p);
    return result;
}

/* explain(operator, inputs...): as text. */
PyObject *py_explain(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    lbo_context *const context = context_get();
    lbo_tensor *in[FEW];
    char text[8192];

    (void)self;
    if (context == NULL || count < 1 || count > FEW)
        return context ? PyErr_Format(PyExc_TypeError,
                                      "explain wants an operator and tensors")
                       : NULL;
    const lbo_operator *const op = Py_IS_TYPE(args[0], the.function)
                                       ? ((function_object *)args[0])->op
                                       : find(args[0]);
    for (Py_ssize_t i = 1; op && i < count; i++) {
        if (!is_tensor(args[i]))
            return PyErr_Format(PyExc_TypeError, "explain wants tensors");
        in[i - 1] = tensor_of(args[i]);
    }
    if (op == NULL)
        return NULL;
    const int length =
        lbo_explain(context, op, in, (size_t)count - 1, text, sizeof text);
    if (length < 0)
        return raise_status(LB_BAD_ARGUMENT);
    return PyUnicode_DecodeUTF8(
        text, length < (int)sizeof text ? length : (int)sizeof text - 1,
        "replace");
}
