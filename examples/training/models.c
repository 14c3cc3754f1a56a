/* models.c - an MLP, a convolutional network, and a small GPT.
 *
 * The GPT (Radford et al. 2019) is written as a user would write a model of his
 * own: two classes below `module`, each with a method of module.forward.
 *   block:  x = x + attention(norm(x)); x = x + shrink(gelu(grow(norm(x))))
 *   gpt:    symbols and places embedded and added, blocks, norm, head
 * Its output is [batch * time, symbols], a row per character, so that the loss
 * is that of any classifier. */
#include "models.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- putting modules together -------------------------------------------- */

enum { MAX_PARTS = 16 };

/* Parts on their way into a sequence; after a failure the rest is not made. */
typedef struct parts {
    lbo_context *context;
    lbo_module *at[MAX_PARTS];
    size_t count;
    lb_status status;
} parts;

static lbo_module **next_part(parts *p)
{
    return &p->at[p->count];
}

static void made(parts *p, lb_status status)
{
    p->status = status;
    p->count += status == LB_OK;
}

static void add_linear(parts *p, int64_t in, int64_t out)
{
    if (p->status == LB_OK)
        made(p, lbo_linear_module(p->context, in, out, true, next_part(p)));
}

static void add_activation(parts *p, const char *name)
{
    if (p->status == LB_OK)
        made(p, lbo_activation_module(p->context, name, next_part(p)));
}

static void add_flatten(parts *p)
{
    if (p->status == LB_OK)
        made(p, lbo_flatten_module(p->context, next_part(p)));
}

static void add_dropout(parts *p, double share)
{
    if (p->status == LB_OK && share > 0)
        made(p, lbo_dropout_module(p->context, share, next_part(p)));
}

static void add_conv(parts *p, int64_t in, int64_t out)
{
    const lbo_conv2d_attributes around = {
        .stride = {1, 1}, .padding = {1, 1}, .dilation = {1, 1}, .groups = 1};

    if (p->status == LB_OK)
        made(p, lbo_conv2d_module(p->context, in, out, 3, &around, true,
                                  next_part(p)));
}

static void add_pool(parts *p)
{
    const lbo_pool2d_attributes halves = {.kernel = {2, 2}, .stride = {2, 2}};

    if (p->status == LB_OK)
        made(p, lbo_max_pool2d_module(p->context, &halves, next_part(p)));
}

static lb_status join(parts *p, lbo_module **result)
{
    if (p->status == LB_OK)
        p->status = lbo_sequential(p->context, p->at, p->count, result);
    for (size_t i = 0; i < p->count; i++)
        lbo_module_release(p->at[i]);
    return p->status;
}

/* ---- mlp and cnn --------------------------------------------------------- */

static const char *activation_of(const model_options *options,
                                 const char *usual)
{
    return options->activation != NULL ? options->activation : usual;
}

static lb_status make_mlp(lbo_context *context, const model_options *options,
                          lbo_module **result)
{
    const int64_t width = options->width > 0 ? options->width : 128;
    const int64_t depth = options->depth > 0 ? options->depth : 2;
    parts p = {.context = context};

    if (depth > 4)
        return lbo_fail(LB_BAD_ARGUMENT, "mlp: at most 4 hidden layers");
    add_flatten(&p);
    for (int64_t i = 0; i < depth; i++) {
        add_linear(&p, i == 0 ? 64 : width, width);
        add_activation(&p, activation_of(options, "relu"));
        add_dropout(&p, options->dropout);
    }
    add_linear(&p, width, options->classes);
    return join(&p, result);
}

static lb_status make_cnn(lbo_context *context, const model_options *options,
                          lbo_module **result)
{
    const int64_t width = options->width > 0 ? options->width : 32;
    parts p = {.context = context};

    add_conv(&p, 1, width);
    add_activation(&p, activation_of(options, "relu"));
    add_pool(&p);
    add_conv(&p, width, 2 * width);
    add_activation(&p, activation_of(options, "relu"));
    add_pool(&p);
    add_flatten(&p);
    add_dropout(&p, options->dropout);
    add_linear(&p, 2 * width * 4, options->classes);
    return join(&p, result);
}

/* ---- gpt: blocks --------------------------------------------------------- */

enum { HEADS = 4 };

typedef struct block {
    lbo_module base;
    lbo_module *norm1, *attention, *norm2, *grow, *act, *shrink, *drop;
} block;

/* *x = *x + (what the parts make of it, one after the other) */
static lb_status add_branch(lbo_context *context, lbo_tensor **x,
                            lbo_module *const *branch, size_t count)
{
    lbo_tensor *at = lbo_tensor_retain(*x), *next = NULL;
    lb_status status = LB_OK;

    for (size_t i = 0; i < count && status == LB_OK; i++) {
        status = lbo_forward(context, branch[i], at, &next);
        lbo_tensor_release(at);
        at = status == LB_OK ? next : NULL;
    }
    next = NULL;
    if (status == LB_OK)
        status = lbo_add(context, &next, *x, at);
    lbo_tensor_release(at);
    if (status != LB_OK)
        return status;
    lbo_tensor_release(*x);
    *x = next;
    return LB_OK;
}

LB_METHOD(lbo_on_forward, block_forward);
static lb_status block_forward(lb_slot slot, lbo_module *module,
                               lbo_context *context, lbo_tensor *input,
                               lbo_tensor **output)
{
    const block *const b = (const block *)module;
    lbo_module *const first[] = {b->norm1, b->attention, b->drop};
    lbo_module *const second[] = {b->norm2, b->grow, b->act, b->shrink,
                                  b->drop};
    lbo_tensor *x = lbo_tensor_retain(input);
    lb_status status = add_branch(context, &x, first, 3);

    LB_IGNORE(slot);
    if (status == LB_OK)
        status = add_branch(context, &x, second, 5);
    if (status == LB_OK)
        *output = x;
    else
        lbo_tensor_release(x);
    return status;
}

/* Gives a part to its module, which keeps it; `*place` is for its methods. */
static lb_status put(lbo_module *module, const char *name, lb_status status,
                     lbo_module *part, lbo_module **place)
{
    if (status != LB_OK)
        return status;
    status = lbo_module_add_child(module, name, part);
    *place = part;
    lbo_module_release(part);
    return status;
}

static lb_status fill_block(lbo_context *context, block *b, int64_t width,
                            const model_options *o)
{
    lbo_module *const m = &b->base;
    lbo_module *p = NULL;
    lb_status s = lbo_layer_norm_module(context, width, &p);

    s = put(m, "norm1", s, p, &b->norm1);
    if (s == LB_OK)
        s = lbo_attention_module(context, width, HEADS, true, o->dropout, &p);
    s = put(m, "attention", s, p, &b->attention);
    if (s == LB_OK)
        s = lbo_layer_norm_module(context, width, &p);
    s = put(m, "norm2", s, p, &b->norm2);
    if (s == LB_OK)
        s = lbo_linear_module(context, width, 4 * width, true, &p);
    s = put(m, "grow", s, p, &b->grow);
    if (s == LB_OK)
        s = lbo_activation_module(context, activation_of(o, "gelu"), &p);
    s = put(m, "act", s, p, &b->act);
    if (s == LB_OK)
        s = lbo_linear_module(context, 4 * width, width, true, &p);
    s = put(m, "shrink", s, p, &b->shrink);
    if (s == LB_OK)
        s = lbo_dropout_module(context, o->dropout, &p);
    return put(m, "drop", s, p, &b->drop);
}

/* ---- gpt: the whole ------------------------------------------------------ */

enum { MAX_BLOCKS = 12 };

typedef struct gpt {
    lbo_module base;
    lbo_module *symbols, *places, *norm, *head;
    lbo_module *blocks[MAX_BLOCKS];
    int64_t depth;
} gpt;

/* Symbols' rows plus places' rows: [batch, time, width]. */
static lb_status embed(const gpt *g, lbo_context *context, lbo_tensor *input,
                       lbo_tensor **result)
{
    lbo_tensor *symbols = NULL, *places = NULL;
    lbo_tensor *const table = lbo_module_tensor(g->places, "weight");
    lb_status status;

    if (input->ndim != 2 || input->dims[1] > table->dims[0])
        return lbo_fail(LB_BAD_ARGUMENT,
                        "gpt: [batch, time] with time up to %lld is wanted",
                        (long long)table->dims[0]);
    status = lbo_forward(context, g->symbols, input, &symbols);
    if (status == LB_OK)
        status = lbo_slice(context, &places, table, 0, 0, input->dims[1], 1);
    if (status == LB_OK)
        status = lbo_add(context, result, symbols, places);
    lbo_tensor_release(symbols);
    lbo_tensor_release(places);
    return status;
}

static lb_status forward_to(lbo_context *context, lbo_module *part,
                            lbo_tensor **at)
{
    lbo_tensor *next = NULL;
    const lb_status status = lbo_forward(context, part, *at, &next);

    if (status != LB_OK)
        return status;
    lbo_tensor_release(*at);
    *at = next;
    return LB_OK;
}

LB_METHOD(lbo_on_forward, gpt_forward);
static lb_status gpt_forward(lb_slot slot, lbo_module *module,
                             lbo_context *context, lbo_tensor *input,
                             lbo_tensor **output)
{
    const gpt *const g = (const gpt *)module;
    lbo_tensor *x = NULL;
    lb_status status = embed(g, context, input, &x);

    LB_IGNORE(slot);
    for (int64_t i = 0; i < g->depth && status == LB_OK; i++)
        status = forward_to(context, g->blocks[i], &x);
    if (status == LB_OK)
        status = forward_to(context, g->norm, &x);
    if (status == LB_OK)
        status = forward_to(context, g->head, &x);
    if (status == LB_OK)
        status =
            lbo_reshape(context, output, x, 2, (int64_t[]){-1, x->dims[2]});
    lbo_tensor_release(x);
    return status;
}

static lb_status add_blocks(lbo_context *context, gpt *g, int64_t width,
                            const model_options *o)
{
    lb_class *const cls =
        lbo_module_class(lbo_context_library(context), "block");
    lb_status s = LB_OK;

    for (int64_t i = 0; i < g->depth && s == LB_OK; i++) {
        char name[24];
        lbo_module *b = NULL;
        (void)snprintf(name, sizeof name, "block%lld", (long long)i);
        s = lbo_module_create(lbo_context_library(context), cls, name, &b);
        if (s == LB_OK)
            s = fill_block(context, (block *)b, width, o);
        if (s != LB_OK)
            lbo_module_release(b);
        s = put(&g->base, name, s, b, &g->blocks[i]);
    }
    return s;
}

/* GPT-2 begins with smaller numbers than the modules' own. */
static lb_status begin_small(void *context, const char *path,
                             lbo_tensor *tensor, bool learned)
{
    const size_t length = strlen(path);

    (void)learned;
    if (tensor->ndim == 2)
        return lbo_normal(context, tensor, 0, 0.02);
    if (length > 5 && strcmp(path + length - 5, ".bias") == 0)
        return lbo_fill(context, tensor, 0);
    return LB_OK;
}

static lb_status fill_gpt(lbo_context *context, gpt *g, int64_t width,
                          const model_options *o)
{
    lbo_module *const m = &g->base;
    lbo_module *p = NULL;
    lb_status s = lbo_embedding_module(context, o->classes, width, &p);

    s = put(m, "symbols", s, p, &g->symbols);
    if (s == LB_OK)
        s = lbo_embedding_module(context, o->context, width, &p);
    s = put(m, "places", s, p, &g->places);
    if (s == LB_OK)
        s = add_blocks(context, g, width, o);
    if (s == LB_OK)
        s = lbo_layer_norm_module(context, width, &p);
    s = put(m, "norm", s, p, &g->norm);
    if (s == LB_OK)
        s = lbo_linear_module(context, width, o->classes, false, &p);
    s = put(m, "head", s, p, &g->head);
    return s == LB_OK ? lbo_module_visit(m, false, begin_small, context) : s;
}

/* A class with its forward, made at the first need. */
static lb_status define(lbo_library *library, const char *name, size_t size,
                        const lb_method *forward)
{
    lb_class *cls = lbo_module_class(library, name);

    if (cls != NULL)
        return LB_OK;
    cls = lb_class_make(lbo_runtime(library), name, size,
                        lbo_module_class(library, "module"), NULL);
    return cls == NULL
               ? LB_NO_MEMORY
               : lb_add_classes(
                     lb_generic_head(lbo_generic(library, "module.forward")),
                     forward, (lb_class *[]){cls});
}

static lb_status make_gpt(lbo_context *context, const model_options *options,
                          lbo_module **result)
{
    lbo_library *const library = lbo_context_library(context);
    const int64_t width = options->width > 0 ? options->width : 128;
    lbo_module *module = NULL;
    lb_status status =
        define(library, "block", sizeof(block), LB_DESCRIPTOR(block_forward));

    if (status == LB_OK)
        status =
            define(library, "gpt", sizeof(gpt), LB_DESCRIPTOR(gpt_forward));
    if (status == LB_OK)
        status = lbo_module_create(library, lbo_module_class(library, "gpt"),
                                   NULL, &module);
    if (status != LB_OK)
        return status;
    gpt *const g = (gpt *)module;
    g->depth = options->depth > 0 ? options->depth : 4;
    if (g->depth > MAX_BLOCKS)
        status =
            lbo_fail(LB_BAD_ARGUMENT, "gpt: at most %d blocks", MAX_BLOCKS);
    if (status == LB_OK)
        status = fill_gpt(context, g, width, options);
    if (status == LB_OK)
        *result = module;
    else
        lbo_module_release(module);
    return status;
}

/* ---- the table ----------------------------------------------------------- */

static const model builtin[] = {
    {"mlp", DATA_DIGITS, make_mlp, 1350, 32, 2e-3},
    {"cnn", DATA_DIGITS, make_cnn, 900, 32, 2e-3},
    {"gpt", DATA_TEXT, make_gpt, 2000, 16, 1e-3},
};

enum { BUILTIN = sizeof builtin / sizeof *builtin, MAX_ADDED = 8 };

static const model *added[MAX_ADDED];
static size_t added_count;

bool models_add(const model *more)
{
    if (added_count == MAX_ADDED)
        return false;
    added[added_count++] = more;
    return true;
}

const model *models_find(const char *name)
{
    for (size_t i = added_count; i-- > 0;)
        if (name == NULL || strcmp(added[i]->name, name) == 0)
            return added[i];
    for (size_t i = 0; name != NULL && i < BUILTIN; i++)
        if (strcmp(builtin[i].name, name) == 0)
            return &builtin[i];
    return NULL;
}

void models_list(char *text, size_t size)
{
    size_t used = 0;

    for (size_t i = 0; i < BUILTIN + added_count && used < size; i++)
        used += (size_t)snprintf(
            text + used, size - used, "%s%s", i > 0 ? ", " : "",
            i < BUILTIN ? builtin[i].name : added[i - BUILTIN]->name);
}
