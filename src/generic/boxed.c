/* generic/boxed.c - boxed calls: lb_invoke, next methods, adapters.
 *
 * What LB_DEFINE_GENERIC makes for a C signature is written out here once for
 * lb_boxed_fn, with statuses: the first method that fails ends the call.
 */
#include "generic/boxed.h"

#include "generic/failure.h"
#include "generic/resolve.h"

static lb_status run(const lb_entry *const *entry, size_t argc,
                     const lb_value *argv, lb_value *result)
{
    return ((lb_boxed_fn)(*entry)->fn)(entry, argc, argv, result);
}

static lb_status run_next(const lb_entry *self, size_t argc,
                          const lb_value *argv, lb_value *result)
{
    return ((lb_boxed_fn)self->next_fn)(&self->next, argc, argv, result);
}

static lb_status boxed_fallback(lb_slot slot, size_t argc, const lb_value *argv,
                                lb_value *result)
{
    (void)result;
    return lbi_fail_boxed(lb_load_entry(slot), argc, argv);
}

static lb_status boxed_stub(lb_slot slot, size_t argc, const lb_value *argv,
                            lb_value *result)
{
    return lb_invoke(lb_load_entry(slot)->generic, argc, argv, result);
}

/* ---- combinations ------------------------------------------------------- */

/* lb_results and its values are one allocation. */
static size_t results_size(size_t count)
{
    return sizeof(lb_results) + count * sizeof(lb_value);
}

lb_results *lb_results_create(lb_runtime *runtime, const lb_value *values,
                              size_t count)
{
    if (runtime == NULL || (values == NULL && count)) {
        lbi_fail(LB_BAD_ARGUMENT, "%s is NULL", runtime ? "values" : "runtime");
        return NULL;
    }
    lb_results *results = lbi_alloc(&runtime->allocator, results_size(count));
    if (results == NULL) {
        lbi_no_memory();
        return NULL;
    }
    *results = (lb_results){runtime, count, (lb_value *)(results + 1)};
    if (count)
        memcpy(results->values, values, count * sizeof *values);
    return results;
}

void lb_results_destroy(lb_results *results)
{
    if (results)
        lbi_free(&results->runtime->allocator, results,
                 results_size(results->count));
}

/* Joins `more` to `*all` and gives both back; false without memory. */
static bool append(lb_runtime *runtime, lb_results **all, lb_results *more)
{
    const size_t first = *all ? (*all)->count : 0;
    const size_t second = more ? more->count : 0;
    lb_results *joined =
        lbi_alloc(&runtime->allocator, results_size(first + second));
    if (joined) {
        *joined =
            (lb_results){runtime, first + second, (lb_value *)(joined + 1)};
        if (first)
            memcpy(joined->values, (*all)->values, first * sizeof(lb_value));
        if (second)
            memcpy(joined->values + first, more->values,
                   second * sizeof(lb_value));
        lb_results_destroy(*all);
        *all = joined;
    }
    lb_results_destroy(more);
    return joined != NULL;
}

static lb_status run_list(const lb_entry *self, size_t argc,
                          const lb_value *argv, lb_value *result)
{
    lb_runtime *runtime = self->generic->runtime;
    const bool flat = self->generic->policy.combination == LB_APPEND;
    lb_results *all = NULL;
    lb_status status = LB_OK;
    for (uint32_t i = 0; i < self->part_count && status == LB_OK; i++) {
        lb_value one = {0};
        status = run(&self->parts[i], argc, argv, &one);
        if (status != LB_OK)
            break;
        lb_results *more =
            flat ? one.pointer : lb_results_create(runtime, &one, 1);
        if ((!flat && more == NULL) || !append(runtime, &all, more))
            status = lbi_no_memory();
    }
    if (status == LB_OK && result)
        result->pointer = all;
    else
        lb_results_destroy(all);
    return status;
}

static lb_status run_combined(const lb_entry *self, size_t argc,
                              const lb_value *argv, lb_value *result)
{
    lb_value all = {0};
    if (self->combine == NULL)
        return run_list(self, argc, argv, result);
    for (uint32_t i = 0; i < self->part_count; i++) {
        lb_value one = {0};
        const lb_status status = run(&self->parts[i], argc, argv, &one);
        if (status != LB_OK)
            return status;
        if (i == 0)
            all = one;
        if (self->combine(self->context, &all, &one, i))
            break;
    }
    if (result)
        *result = all;
    return LB_OK;
}

static lb_status run_parts(const lb_entry *self, uint32_t from, uint32_t to,
                           size_t argc, const lb_value *argv)
{
    lb_status status = LB_OK;
    for (uint32_t i = from; i < to && status == LB_OK; i++) {
        lb_value dropped = {0};
        status = run(&self->parts[i], argc, argv, &dropped);
    }
    return status;
}

/* True when what `entry` yields is a list of our own making. */
static bool makes_list(const lb_entry *entry)
{
    while (entry->flags & LB_ENTRY_FRAME)
        entry = entry->inner;
    return (entry->flags & LB_ENTRY_COMBINED) && entry->combine == NULL;
}

static lb_status propagate(const lb_entry *self, uint32_t when, size_t argc,
                           const lb_value *argv)
{
    lb_value dropped = {0};
    if (!(self->flags & when) || !lb_has_next(self))
        return LB_OK;
    const lb_status status = run_next(self, argc, argv, &dropped);
    if (status == LB_OK && makes_list(self->next))
        lb_results_destroy(dropped.pointer);
    return status;
}

static lb_status boxed_wrap(lb_slot slot, size_t argc, const lb_value *argv,
                            lb_value *result)
{
    const lb_entry *const self = lb_load_entry(slot);
    lb_status status;
    if (!(self->flags & LBI_WRAPPED))
        return run(&self, argc, argv, result);
    if (self->flags & LB_ENTRY_COMBINED)
        return run_combined(self, argc, argv, result);
    if ((status = run_parts(self, 0, self->before_count, argc, argv)) ||
        (status = propagate(self, LB_ENTRY_AT_START, argc, argv)) ||
        (status = run(&self->inner, argc, argv, result)))
        return status;
    if ((status = propagate(self, LB_ENTRY_AT_END, argc, argv)) == LB_OK)
        status =
            run_parts(self, self->before_count, self->part_count, argc, argv);
    if (status != LB_OK && result && makes_list(self->inner)) {
        lb_results_destroy(result->pointer); /* nobody else will */
        result->pointer = NULL;
    }
    return status;
}

/* ---- commutative rules -------------------------------------------------- */

/* Calls `fn` with the first two arguments exchanged. */
static lb_status call_swapped(lb_fn fn, lb_slot slot, lb_runtime *runtime,
                              size_t argc, const lb_value *argv,
                              lb_value *result)
{
    lb_value few[16];
    if (argc < 2)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "a commutative rule was handed %zu arguments", argc);
    lb_value *swapped =
        argc <= 16 ? few
                   : lbi_alloc(&runtime->allocator, argc * sizeof *swapped);
    if (swapped == NULL)
        return lbi_no_memory();
    memcpy(swapped, argv, argc * sizeof *swapped);
    swapped[0] = argv[1];
    swapped[1] = argv[0];
    const lb_status status = ((lb_boxed_fn)fn)(slot, argc, swapped, result);
    if (swapped != few)
        lbi_free(&runtime->allocator, swapped, argc * sizeof *swapped);
    return status;
}

static lb_status boxed_swap_call(lb_slot slot, size_t argc,
                                 const lb_value *argv, lb_value *result)
{
    const lb_entry *self = lb_load_entry(slot);
    if (!(self->flags & LB_ENTRY_SWAPPED))
        return run(&self, argc, argv, result);
    return call_swapped(self->inner->fn, &self->inner, self->generic->runtime,
                        argc, argv, result);
}

static lb_status boxed_swap_next(lb_slot slot, size_t argc,
                                 const lb_value *argv, lb_value *result)
{
    const lb_entry *self = lb_load_entry(slot);
    return call_swapped(self->fn, slot, self->generic->runtime, argc, argv,
                        result);
}

static lb_type_code boxed_type(void)
{
    return LB_TYPE_OTHER;
}

const lb_signature lbi_boxed_signature = {.abi = LB_ABI,
                                          .result_size = sizeof(lb_value),
                                          .result_type = boxed_type,
                                          .name = "boxed generic function",
                                          .text = "boxed",
                                          .fallback = (lb_fn)boxed_fallback,
                                          .wrap = (lb_fn)boxed_wrap,
                                          .stub = (lb_fn)boxed_stub,
                                          .swap_call = (lb_fn)boxed_swap_call,
                                          .swap_next = (lb_fn)boxed_swap_next};

/* ---- calls -------------------------------------------------------------- */

/* Calls an entry of a typed generic function. A boxed method is called as such,
 * so that its status is not lost in a C result. */
static lb_status call_entry(const lb_entry *entry, lb_fn fn, lb_slot slot,
                            size_t argc, const lb_value *argv, lb_value *result)
{
    const lb_signature *s = entry->generic->signature;
    lb_value dropped = {0};
    if (entry->method && (entry->method->flags & LB_BOXED) && fn == entry->fn &&
        (result || s->result_size <= sizeof dropped))
        return ((lb_boxed_fn)entry->method->fn)(&entry, argc, argv,
                                                result ? result : &dropped);
    s->call(fn, slot, argv, result);
    return LB_OK;
}

static lb_status invoke_typed(lb_generic *g, size_t argc, const lb_value *argv,
                              lb_value *result)
{
    const lb_signature *s = g->signature;
    lb_argument arguments[LB_MAX_DISPATCH];
    if (argc != s->parameters)
        return lbi_fail(LB_BAD_ARGUMENT, "%s takes %u arguments, %zu given",
                        lbi_generic_label(g), s->parameters, argc);
    s->arguments(argv, arguments);
    for (unsigned i = 0; i < g->dispatched; i++)
        if (arguments[i].head == NULL)
            return lbi_fail(LB_NO_CLASS, "%s: dispatched argument %u is NULL",
                            lbi_generic_label(g), i + 1);
    const lb_entry *entry = lb_look_up(g->head, arguments);
    if (entry->status != LB_OK)
        return lb_fail(entry, arguments);
    return call_entry(entry, entry->fn, &entry, argc, argv, result);
}

lb_status lb_invoke(lb_generic *g, size_t argc, const lb_value *argv,
                    lb_value *result)
{
    lbi_heads heads;
    lbi_call call;
    lb_value dropped = {0};
    lb_status status;
    if (g == NULL || (argv == NULL && argc))
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL", g ? "argv" : "generic");
    if (!g->boxed)
        return invoke_typed(g, argc, argv, result);
    if (!lbi_heads_boxed(g, argc, argv, &heads, &call, &status))
        return status;
    const lb_entry *entry = lbi_look_up(g, &heads, &call);
    status = run(&entry, argc, argv, result ? result : &dropped);
    if (result == NULL && status == LB_OK && makes_list(entry))
        lb_results_destroy(dropped.pointer);
    return status;
}

lb_status lb_invoke_next(const lb_entry *self, size_t argc,
                         const lb_value *argv, lb_value *result)
{
    lb_value dropped = {0};
    if (self == NULL || (argv == NULL && argc))
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL", self ? "argv" : "self");
    lb_generic *g = self->generic;
    if (g->boxed) {
        const lb_status status =
            run_next(self, argc, argv, result ? result : &dropped);
        if (result == NULL && status == LB_OK && makes_list(self->next))
            lb_results_destroy(dropped.pointer);
        return status;
    }
    if (argc != g->signature->parameters)
        return lbi_fail(LB_BAD_ARGUMENT, "%s takes %u arguments, %zu given",
                        lbi_generic_label(g), g->signature->parameters, argc);
    if (self->next->status != LB_OK) {
        lb_argument arguments[LB_MAX_DISPATCH];
        g->signature->arguments(argv, arguments);
        return lb_fail(self->next, arguments);
    }
    return call_entry(self->next, self->next_fn, &self->next, argc, argv,
                      result);
}

lb_status lb_call_boxed(const lb_entry *entry, size_t argc,
                        const lb_value *argv, lb_value *result)
{
    const lb_entry *self = entry;
    const lb_status status =
        ((lb_boxed_fn)entry->method->fn)(&self, argc, argv, result);
    if (status != LB_OK) {
        lb_runtime *runtime = entry->generic->runtime;
        if (runtime->config.report)
            runtime->config.report(runtime->config.report_context, status,
                                   lb_message());
    }
    return status;
}
