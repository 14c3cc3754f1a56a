/* library.h - what a library and a context hold; for every room of ops/src. */
#ifndef LBO_LIBRARY_INTERNAL_H
#define LBO_LIBRARY_INTERNAL_H

#include "builtins.h"
#include "latebind/latebind.h"
#include "latebind/ops.h"

#include <pthread.h>

/* The generic functions that come with the library, beside the operators'. */
typedef enum lboi_function {
    LBOI_ALLOCATE,
    LBOI_FREE,
    LBOI_COPY,
    LBOI_SYNCHRONIZE,
    LBOI_STREAM_CREATE,
    LBOI_STREAM_DESTROY,
    LBOI_EVENT_RECORD,
    LBOI_EVENT_WAIT,
    LBOI_EVENT_ELAPSED,
    LBOI_EVENT_DESTROY,
    LBOI_FORWARD,
    LBOI_BACKWARD,
    LBOI_MODULE_FREE,
    LBOI_STEP,
    LBOI_OPTIMIZER_FREE,
    LBOI_FUNCTION_COUNT
} lboi_function;

/* An order of active layers, as a class for contexts. */
typedef struct lboi_order {
    lb_class *cls;
    lb_header head;
    uint32_t count;
    uint32_t users; /* contexts that have it as a suffix of their stack */
    lbo_layer *layers[LBO_MAX_LAYERS];
} lboi_order;

/* What is said of a missing kernel names the kernels that there are. */
typedef struct lboi_known {
    const lbo_operator *op;
    lbo_device *device;
    int8_t a, b;
    uint32_t serial;      /* of the plug-in; 0: none */
    const char *provider; /* kept */
} lboi_known;

typedef struct lboi_plugin {
    lb_plugin *plugin;
    uint32_t serial; /* what its devices, operators and layers carry */
} lboi_plugin;

/* For those who dispatch without a context, e.g. to give memory back: a reader
 * that several threads share, one at a time. */
enum { LBOI_GATES = 8 };
typedef struct lboi_gate {
    pthread_mutex_t mutex; /* recursive */
    lb_reader *reader;
} lboi_gate;

struct lbo_library {
    lb_runtime *runtime;
    lb_reallocate_fn reallocate;
    void *allocator_context;
    lb_report_fn report;
    void *report_context;
    pthread_mutex_t mutex;        /* around everything that grows, below */
    pthread_mutex_t plugin_mutex; /* around opening and closing, and the list */
    pthread_mutex_t layer_mutex;  /* around layers and orders */

    lboi_gate gates[LBOI_GATES];
    const lb_head *functions[LBOI_FUNCTION_COUNT];
    lb_class *tensors;                 /* `tensor` */
    lb_class *dtypes[LBO_DTYPE_COUNT]; /* `f32`, ... */
    lb_class *devices_class;           /* of device objects */
    lb_class *contexts;                /* of contexts without layers */
    lb_class *layered;                 /* of those with */
    lb_header plain;                   /* of a context without layers */
    lb_class *modules;
    lb_class *optimizers;

    lbo_device **devices;
    size_t device_count, device_capacity;
    lbo_device *cpu;
    const lbo_operator *builtins[LBOI_BUILTIN_COUNT]; /* do not change */
    lbo_operator **operators; /* the builtins first, in their order */
    size_t operator_count, operator_capacity;
    lbo_layer **layers;
    size_t layer_count, layer_capacity;
    lbo_layer *ending; /* there was no memory to take them apart */
    lboi_order **orders;
    size_t order_count, order_capacity;
    lboi_known *known;
    size_t known_count, known_capacity;
    lboi_plugin *plugins;
    size_t plugin_count, plugin_capacity;

    uint32_t opening; /* the plug-in whose `load` runs, 0: none; atomic */
    uint32_t last_serial;
    pthread_t opener;
    bool ready;            /* everything that comes along has been added */
    int64_t live_contexts; /* atomic */
};

struct lbo_layer {
    lbo_layer_head call; /* first: lbo_next knows it */
    lbo_library *library;
    lbo_layer *next; /* among those that end */
    lb_class *cls;
    char *name;
    lbo_layer_spec spec;
    uint32_t active;                /* contexts that have it; under the mutex */
    uint32_t serial;                /* of the plug-in that made it; 0: none */
    const lbo_operator **operators; /* the only ones; NULL: all */
};

typedef struct lboi_level {
    lbo_layer *layer; /* NULL at the end of the stack */
    lb_header head;   /* of the class for this layer and those further in */
    lboi_order *order;
} lboi_level;

struct lbo_context {
    lbo_context_head call; /* first: lbo_next knows it. The header is of the
                              layers further in than `running`: NULL outside of
                              handlers; lboi_below while a kernel runs */
    lbo_library *library;
    lbo_device *device;
    lb_reader *reader;
    uint32_t depth; /* active layers */
    lboi_level stack[LBO_MAX_LAYERS + 1];
    lbo_fallback fallback;
    uint64_t seed, offset;
    uint32_t forwards; /* lbo_forward inside lbo_forward, how deep */
    lbo_fallback_count *fallbacks;
    size_t fallback_count, fallback_capacity;
    uint32_t gradients; /* an lboi_gradient_mode; layers/autograd.c */
};

/* Stands for "below all layers". */
extern const lbo_layer *const lboi_below;

/* The first active layer further in than the one that runs. */
static inline uint32_t lboi_level_of(const lbo_context *context)
{
    const lbo_layer *const running = context->call.running;
    uint32_t level = 0;

    if (running == NULL)
        return 0;
    while (level < context->depth && context->stack[level].layer != running)
        level++;
    return level < context->depth ? level + 1 : level;
}

static inline const lbo_operator *lboi_builtin(const lbo_context *context,
                                               lboi_builtin_index index)
{
    return context->library->builtins[index];
}

/* Memory through the library's hook; NULL: none left, and the thread's message
 * says so. */
void *lboi_alloc(lbo_library *library, size_t size);
void *lboi_zalloc(lbo_library *library, size_t size);
void lboi_free(lbo_library *library, void *pointer, size_t size);
char *lboi_copy_text(lbo_library *library, const char *text);
void lboi_free_text(lbo_library *library, char *text);
/* Room for `need` items in a growing array. */
bool lboi_reserve(lbo_library *library, void *array_address, size_t *capacity,
                  size_t need, size_t item);

/* Tells the library's report hook; by printf. */
void lboi_report(lbo_library *library, lb_status status, const char *format,
                 ...) __attribute__((format(printf, 3, 4)));

/* tensor/ */
lb_status lboi_spec_check(const lbo_spec *spec, const char *what,
                          int64_t *size);
lb_status lboi_tensor_new(lbo_library *library, const lbo_spec *spec,
                          lbo_device *device, lbo_tensor **result);
/* A new one of the shape, type and device of another. */
lb_status lboi_tensor_like(const lbo_tensor *like, lbo_tensor **result);
void lboi_history_release(lbo_tensor *tensor); /* layers/autograd.c */

/* dispatch/ */
/* Bracket what is dispatched outside of lbo_run, as lb_enter and lb_leave do; for
 * short calls. They nest and never fail. */
lboi_gate *lboi_enter(lbo_library *library);
void lboi_leave(lboi_gate *gate);
lb_status lboi_gates_init(lbo_library *library);
void lboi_gates_end(lbo_library *library);
/* Forgets the kernels of a device, of an operator (NULL: of none) and of a plug-in
 * (0: of none), which messages name. Under the mutex. */
void lboi_forget_kernels(lbo_library *library, const lbo_device *device,
                         const lbo_operator *op, uint32_t serial);
/* The plug-in that this thread is just opening; 0: none. */
uint32_t lboi_opening(const lbo_library *library);
void lboi_plugins_end(lbo_library *library);
void lboi_operator_free(lbo_operator *op); /* the record alone */
lb_status lboi_devices_init(lbo_library *library);
void lboi_devices_end(lbo_library *library);
lb_status lboi_layers_init(lbo_library *library);
void lboi_layers_end(lbo_library *library);
/* The rules of layers that wrap every operator, for a new one. */
lb_status lboi_layers_wrap(lbo_library *library, lbo_operator *op);
/* Runs step 3 and the kernel: what comes after the last layer. */
lb_status lboi_run_kernel(lbo_context *context, lbo_call *call,
                          const lbo_rest *rest);
lb_status lboi_bind(lbo_library *library, lboi_function index, const char *name,
                    const lb_signature *signature);

/* cpu/ */
lb_status lboi_cpu_init(lbo_library *library);

/* models/ */
lb_status lboi_models_init(lbo_library *library);

#endif
