/* latebind/ops/operator.h - operators, their kernels, and calls as data.
 *
 * An operator is a name, a rule for shapes and types, perhaps a gradient, and a
 * generic function of kernels. A call goes:
 *
 *   1. lbo_run(context, op, call), mostly from a function of functions.h
 *   2. the layers that are active, outermost first (layer.h)
 *   3. shapes and types are inferred and checked, results are made
 *   4. the kernel for the classes of the dispatched tensors
 *
 * Steps 2 and 4 are one look-up, by (context, tensor) or (context, tensor,
 * tensor). Where no layer is active step 3 comes first, and the look-up leads
 * straight to the kernel.
 */
#ifndef LATEBIND_OPS_OPERATOR_H
#define LATEBIND_OPS_OPERATOR_H

#include "latebind/ops/device.h"
#include "latebind/ops/library.h"
#include "latebind/typed.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Results of one operator, at most. */
#define LBO_MAX_OUT 4

/* One call of an operator. `in` may have NULL where the operator says optional.
 * `out[i]` is NULL until the result is made, unless the caller gave it. */
typedef struct lbo_call {
    const lbo_operator *op;
    lbo_tensor *const *in;
    lbo_tensor **out;
    const void *attributes; /* the operator's struct; NULL: it has none */
    uint32_t in_count;
    uint32_t out_count;
    uint32_t given;    /* bit i: out[i] was given by the caller */
    uint32_t prepared; /* step 3 is done */
} lbo_call;

/* The heads of these are exported. */
#pragma GCC visibility push(default)

/* Kernels: methods of these two signatures, by LB_METHOD(lbo_unary, relu_f32).
 * An operator dispatches on one tensor or on two. Operators without inputs
 * dispatch on their first result. What a kernel may rely on: every result
 * is there, of the inferred shape, type and device, not read-only, overlaps no
 * input except as the very same view where the operator is elementwise; inputs
 * are on the device of the dispatched ones, but may be strided, broadcast,
 * empty. Operators that it calls with `context` run below all layers. */
LB_GENERIC(lb_status, lbo_unary, (ON, lbo_context *, context),
           (ON, lbo_tensor *, a), (WITH, lbo_call *, call));
LB_GENERIC(lb_status, lbo_binary, (ON, lbo_context *, context),
           (ON, lbo_tensor *, a), (ON, lbo_tensor *, b),
           (WITH, lbo_call *, call));

#pragma GCC visibility pop

/* What an attribute is, so that others than C can give it. */
typedef enum lbo_attribute_type {
    LBO_ATTRIBUTE_INTEGER, /* int64_t                                  */
    LBO_ATTRIBUTE_REAL,    /* double                                   */
    LBO_ATTRIBUTE_FLAG,    /* bool                                     */
    LBO_ATTRIBUTE_DTYPE,   /* int32_t, an lbo_dtype or LBO_ANY_DTYPE   */
    LBO_ATTRIBUTE_DIMS     /* lbo_dims                                 */
} lbo_attribute_type;

/* A shape, or a list of dimensions. */
typedef struct lbo_dims {
    int32_t count; /* -1: none given, e.g. "all dimensions" */
    int64_t at[LBO_MAX_DIMS];
} lbo_dims;

typedef struct lbo_attribute {
    const char *name;
    lbo_attribute_type type;
    size_t offset; /* in the operator's struct */
} lbo_attribute;

/* Says what the results are to be, and checks the inputs: which are there, but
 * neither their number nor their devices (the library checks those). Writes
 * call->out_count specs. Pure: no elements are read. Errors: LB_BAD_ARGUMENT
 * (by lb_fail_with; the operator's name is put in front). */
typedef lb_status (*lbo_infer_fn)(const lbo_call *call, lbo_spec *out);

typedef struct lbo_saved lbo_saved; /* autograd.h */

/* Computes the gradients by the inputs: see autograd.h. */
typedef lb_status (*lbo_gradient_fn)(lbo_context *context,
                                     const lbo_saved *saved,
                                     lbo_tensor *const *out_gradients,
                                     lbo_tensor **in_gradients);

enum {
    LBO_ELEMENTWISE = 1, /* a result may be the same view as an input         */
    LBO_PROMOTES = 2,    /* inputs of several types are converted to one      */
    LBO_TO_FLOAT = 4,    /* integer inputs are converted to f32               */
    LBO_VIEW = 8,        /* the kernel makes the result, a view of an input   */
    LBO_LIST = 16,       /* any number of inputs (at least one)               */
    LBO_MIXED_DEVICES = 32, /* inputs and results may be on several devices   */
    LBO_ALIKE = 128, /* one or two inputs of one shape and type (not bool)
                            give one result of that shape and type, without a
                            question to `infer` */
    LBO_RANDOM = 64  /* takes numbers from the context                    */
};

/* Bits for `saves`: what the gradient wants to see. */
#define LBO_SAVE_IN(i) (1u << (i))
#define LBO_SAVE_OUT(i) (0x10000u << (i))

typedef struct lbo_operator_spec {
    const char *name;    /* copied                                      */
    uint32_t dispatched; /* tensors that select the kernel: 0 (its first
                             result), 1 or 2 (the first inputs)          */
    uint32_t in_count;   /* LBO_LIST: the least                         */
    uint32_t optional;   /* of these, how many of the last may be NULL  */
    uint32_t out_count;
    uint32_t flags;
    uint32_t promoted; /* bits of the inputs that PROMOTES and TO_FLOAT
                          convert; 0: all */
    uint32_t saves;
    size_t attribute_size; /* bytes of the struct of attributes, or 0     */
    const lbo_attribute *attributes; /* what is in it; must stay          */
    size_t attribute_count;
    lbo_infer_fn infer;       /* not NULL                                 */
    lbo_gradient_fn gradient; /* NULL: has none, its results are constants */
    const lb_method *general; /* for all tensors; NULL: the library's, which
                                 converts types and falls back to the CPU */
    const char *in_names;     /* "input weight bias", for messages; NULL  */
    const char *summary;      /* one line for lists; NULL                 */
} lbo_operator_spec;

/* The members may be read by anybody. */
struct lbo_operator {
    const lb_head *head; /* of lbo_unary's or lbo_binary's signature */
    lbo_operator_spec spec;
    lbo_library *library;
    lb_generic *generic;
    uint32_t index;
    uint32_t serial; /* of the plug-in that brought it; 0: none */
    int64_t
        recorded; /* calls of it that autograd holds, of a plug-in's; atomic */
};

/* Adds an operator; with it come its general methods (conversion of mixed
 * types, half types by way of f32, fallback) and every layer that wraps all.
 * An operator that a plug-in's `load` makes goes when the plug-in is closed.
 * Errors: LB_EXISTS, LB_BAD_ARGUMENT, LB_NO_MEMORY. Any thread. */
LB_PUBLIC lb_status lbo_operator_create(lbo_library *library,
                                        const lbo_operator_spec *spec,
                                        const lbo_operator **result);

/* The operator of that name (NULL: none), how many there are, and by index. */
LB_PUBLIC const lbo_operator *lbo_operator_find(lbo_library *library,
                                                const char *name);
LB_PUBLIC size_t lbo_operator_count(lbo_library *library);
LB_PUBLIC const lbo_operator *lbo_operator_at(lbo_library *library,
                                              size_t index);

/* Runs an operator on the call's inputs. Results that are NULL are made and
 * belong to the caller; those given are written. `op`, `given` and `prepared`
 * need not be set. After a failure no result is made; given ones may be
 * half written. Errors: LB_BAD_ARGUMENT (the message begins with the operator's
 * name), LB_NO_METHOD (names the classes, the nearest kernels and where they
 * come from), LB_NO_MEMORY, what kernels and layers return. */
LB_PUBLIC lb_status lbo_run(lbo_context *context, const lbo_operator *op,
                            lbo_call *call);

/* Step 3 alone: what the results would be, without running anything. Writes
 * `op->spec.out_count` specs. */
LB_PUBLIC lb_status lbo_infer(lbo_context *context, const lbo_operator *op,
                              const lbo_call *call, lbo_spec *out);

/* One kernel, for tables. */
typedef struct lbo_kernel {
    const char *op;
    const lb_method *method;
    int8_t a; /* lbo_dtype, or LBO_ANY_DTYPE: all tensors of the device */
    int8_t b; /* of the second dispatched tensor; ignored if there is none */
    void *context; /* what the method finds in its entry */
} lbo_kernel;

/* Adds kernels for a device's tensors.
 * group   NULL: at once, for good; else with that group's commit, and until it
 *         goes (a plug-in's)
 * They come before the library's own for the very same types, which are back when
 * the group goes; of several that came later, the last.
 * Errors: LB_NOT_FOUND (no such operator; the message names it), LB_NO_MEMORY,
 * those of lb_add_rules. All or none. Any thread. */
LB_PUBLIC lb_status lbo_register_kernels(lbo_library *library, lb_group *group,
                                         lbo_device *device,
                                         const lbo_kernel *kernels,
                                         size_t count);

/* The class of tensors of a type on every device ("f32"), of half types
 * ("half"), floating ("floating"), integer ("integer"), or of all ("tensor");
 * NULL if there is none of that name. */
LB_PUBLIC lb_class *lbo_tensor_class(lbo_library *library, const char *name);

/* Which layers and which kernel a call with these inputs would run, why, and
 * what comes next, as text of the engine's lb_explain with the layers in front.
 * Of an operator without inputs `in` is what it writes. Returns the length it wants, negative on failure. */
LB_PUBLIC int lbo_explain(lbo_context *context, const lbo_operator *op,
                          lbo_tensor *const *in, size_t in_count, char *buffer,
                          size_t capacity);

#ifdef __cplusplus
}
#endif
#endif
