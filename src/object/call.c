/* object/call.c - calling methods, and what stands where a method was wanted.
 *
 * A method is called with argv[0] the receiver. What takes no receiver (static
 * methods, values) is called with the rest of argv; a class method with a copy
 * whose first is the class.
 */
#include "object/call.h"

#include "object/failure.h"
#include "object/look.h"
#include "object/members.h"

enum { ON_STACK = 16 };

/* ---- values where a method was wanted ----------------------------------- */

static lb_status call_value(lb_runtime *runtime, const lb_attribute *self,
                            lb_value callee, size_t argc, const lb_value *argv,
                            lb_value *result)
{
    const lbi_space *space = lbi_load(&runtime->space);
    const lb_object_options *options = space ? &space->options : NULL;
    if (options && options->call_value)
        return options->call_value(options->context, self, callee, argc, argv,
                                   result);
    if (self)
        return lbi_fail(LB_NOT_CALLABLE,
                        "%s.%s has no C function, and no call_value hook is "
                        "configured to call its value",
                        self->owner->name, self->symbol->text);
    return lbi_fail(LB_NOT_CALLABLE,
                    "a value was found where a method was wanted, and no "
                    "call_value hook is configured to call it");
}

lb_status lbi_call_as_value(const lb_attribute *self, size_t argc,
                            const lb_value *argv, lb_value *result)
{
    return call_value(self->owner->runtime, self, self->value, argc, argv,
                      result);
}

lbi_callback lbi_callback_begins(const lb_attribute *attribute)
{
    return (lbi_callback){attribute->symbol, lbi_messages()};
}

lb_status lbi_callback_ended(lbi_callback callback, const char *what,
                             lb_status status)
{
    const lb_symbol *symbol = callback.symbol;
    const lbi_space *space = symbol->runtime->space;
    if (status == LB_OK || lbi_messages() != callback.messages)
        return status;
    /* A hook that does not know the name either: who asked will say so. */
    if (status == LB_NO_ATTRIBUTE && symbol == &space->missing->open)
        return status;
    return lbi_fail(status, "%s '%s' failed: %s", what, symbol->text,
                    lb_status_name(status));
}

static lb_status call_method(const lb_attribute *method, size_t argc,
                             const lb_value *argv, lb_value *result)
{
    const lbi_callback callback = lbi_callback_begins(method);
    const lb_status status = method->call(method, argc, argv, result);
    return lbi_callback_ended(callback, "method", status);
}

/* ---- with another first argument ---------------------------------------- */

/* Calls `method` with `self` before the `argc` arguments. */
static lb_status call_bound(lb_runtime *runtime, const lb_attribute *method,
                            lb_value self, size_t argc, const lb_value *argv,
                            lb_value *result)
{
    lb_value few[ON_STACK];
    const size_t bytes = (argc + 1) * sizeof *few;
    lb_value *all =
        argc < ON_STACK ? few : lbi_alloc(&runtime->allocator, bytes);
    if (all == NULL)
        return lbi_no_memory();
    all[0] = self;
    if (argc)
        memcpy(all + 1, argv, argc * sizeof *all);
    lb_status status = call_method(method, argc + 1, all, result);
    if (all != few)
        lbi_free(&runtime->allocator, all, bytes);
    return status;
}

static lb_status call_found(lb_runtime *runtime, const lb_found *found,
                            size_t argc, const lb_value *argv, lb_value *result)
{
    switch (found->kind) {
    case LB_FOUND_METHOD:
        return call_bound(runtime, found->method, found->self, argc, argv,
                          result);
    case LB_FOUND_DESCRIPTOR:
        return lbi_fail(LB_NOT_CALLABLE, "%s.%s is a property or field",
                        found->method->owner->name,
                        found->method->symbol->text);
    case LB_FOUND_FUNCTION:
        return call_method(found->method, argc, argv, result);
    case LB_FOUND_VALUE:
    case LB_FOUND_OWNED:
        return call_value(runtime, NULL, found->value, argc, argv, result);
    case LB_FOUND_NOTHING:
        break;
    }
    return lbi_fail(LB_BAD_ARGUMENT, "found->kind is %d, which is nothing",
                    (int)found->kind);
}

lb_status lb_call(lb_runtime *runtime, const lb_found *found, size_t argc,
                  const lb_value *argv, lb_value *result)
{
    lb_value dropped = {.bits = 0};
    if (runtime == NULL || found == NULL || (argc && argv == NULL))
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        runtime == NULL ? "runtime"
                                        : (found == NULL ? "found" : "argv"));
    if (result)
        result->bits = 0;
    lb_status status =
        call_found(runtime, found, argc, argv, result ? result : &dropped);
    const lbi_space *space = lbi_load(&runtime->space);
    if (result == NULL && status == LB_OK && dropped.bits && space &&
        space->options.release)
        space->options.release(space->options.context, dropped);
    return status;
}

/* ---- by symbol ---------------------------------------------------------- */

/* Calls what was found for argv[0]: a method bound to it takes argv as it is,
 * everything else the rest. A value that a getter made is the program's to
 * release, and nobody will see it. */
static lb_status send(lb_runtime *runtime, const lb_found *found, size_t argc,
                      const lb_value *argv, lb_value *result)
{
    result->bits = 0;
    if (found->kind == LB_FOUND_METHOD && found->self.bits == argv[0].bits)
        return call_method(found->method, argc, argv, result);
    lb_status status = call_found(runtime, found, argc - 1, argv + 1, result);
    const lb_object_options *options = &runtime->space->options;
    if (found->kind == LB_FOUND_OWNED && options->release)
        options->release(options->context, found->value);
    return status;
}

static lb_status check_call(const lb_symbol *symbol, size_t argc,
                            const lb_value *argv, const lb_value *result)
{
    if (symbol == NULL || argv == NULL || result == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        symbol == NULL ? "symbol"
                                       : (argv == NULL ? "argv" : "result"));
    if (argc == 0)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "argc is 0; want the receiver of '%s' at least",
                        symbol->text);
    return LB_OK;
}

lb_status lb_invoke_symbol_slow(const lb_symbol *symbol, size_t argc,
                                const lb_value *argv, lb_value *result)
{
    lb_found found;
    lb_status status = check_call(symbol, argc, argv, result);
    if (status == LB_OK)
        status = lb_get(argv[0].constant, symbol, &found);
    return status == LB_OK ? send(symbol->runtime, &found, argc, argv, result)
                           : status;
}

lb_status lb_invoke_special(lb_class *cls, const lb_symbol *symbol, size_t argc,
                            const lb_value *argv, lb_value *result)
{
    lb_found found;
    lb_status status = check_call(symbol, argc, argv, result);
    if (status != LB_OK)
        return status;
    status = lb_try_get_special(cls, argv[0], symbol, &found);
    if (status == LB_NO_ATTRIBUTE)
        return lbi_no_attribute(cls, NULL, symbol->text);
    return status == LB_OK ? send(symbol->runtime, &found, argc, argv, result)
                           : status;
}

/* ---- a class's attribute ------------------------------------------------ */

lb_status lbi_call_attribute(lb_class *cls, const lb_attribute *attribute,
                             size_t argc, const lb_value *argv,
                             lb_value *result)
{
    const lbi_answered a = {.meaning = {(uintptr_t)attribute, LBI_CELL_OTHER}};
    lbi_question q = {.cls = cls, .symbol = lbi_symbol_of(attribute->symbol)};
    lb_found found;
    lb_status status =
        lbi_yield(&q, &a, argv[0], attribute->symbol->text, &found);
    return status == LB_OK ? send(cls->runtime, &found, argc, argv, result)
                           : status;
}

/* The class of a receiver of any form, or NULL. */
static lb_class *class_of_receiver(const lb_attribute *self, lb_value receiver)
{
    lb_runtime *runtime = self->symbol->runtime;
    if (runtime->config.class_of)
        return runtime->config.class_of(runtime->config.class_of_context,
                                        receiver);
    return lb_class_of(runtime, receiver.constant);
}

/* In a class method: what is next is as the class itself gives it. */
static lb_status call_class_super(const lb_attribute *self, size_t argc,
                                  const lb_value *argv, lb_value *result)
{
    lb_found found;
    lb_status status =
        lb_class_get_super(self->owner, argv[0].pointer, self->symbol, &found);
    return status == LB_OK ? lb_call(self->owner->runtime, &found, argc - 1,
                                     argv + 1, result)
                           : status;
}

lb_status lb_invoke_super(const lb_attribute *self, size_t argc,
                          const lb_value *argv, lb_value *result)
{
    const lb_attribute *next = NULL;
    if (self == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "self is NULL");
    lb_status status = check_call(self->symbol, argc, argv, result);
    if (status != LB_OK)
        return status;
    if (self->kind == LB_CLASS_METHOD)
        return call_class_super(self, argc, argv, result);
    if (self->kind != LB_FUNCTION)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "super: %s.%s has no receiver; want a method or a "
                        "class method",
                        self->owner->name, self->symbol->text);
    lb_class *cls = class_of_receiver(self, argv[0]);
    if (cls == NULL)
        return lbi_fail(LB_NO_CLASS,
                        "super: argv[0] of %s.%s is no living object of the "
                        "runtime",
                        self->owner->name, self->symbol->text);
    status = lbi_search_after(cls, self->owner, self->symbol, &next);
    return status == LB_OK ? lbi_call_attribute(cls, next, argc, argv, result)
                           : status;
}
