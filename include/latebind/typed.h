/* latebind/typed.h - generic functions with a C signature.
 *
 * In a header, one macro declares a generic function; in one source file
 * another defines it; then it is called like any function, checked by the
 * compiler, with the look-up inlined:
 *
 *     LB_GENERIC(double, area, (ON, const shape *, s));
 *     LB_DEFINE_GENERIC(area);
 *     LB_METHOD(area, circle_area);
 *     static double circle_area(lb_slot slot, const shape *s) { ... }
 *     ...
 *     lb_bind(runtime, LB_HEAD(area), NULL);
 *     lb_add(LB_HEAD(area), LB_DESCRIPTOR(circle_area), circle);
 *     printf("%g\n", area(s));
 *
 * A parameter is (KIND, type, name):
 *     (ON, type, name)        a pointer to an object that starts with a header;
 *                             dispatched on; not NULL
 *     (REF, lb_ref, name)     a fat reference; dispatched on
 *     (BY, type, name, of)    dispatched on the header that of(name) returns:
 *                             `const lb_header *of(type)`, e.g. for the tagged
 *                             immediates of an interpreter
 *     (WITH, type, name)      plain: handed through
 * At most LB_MAX_DISPATCH are dispatched on, LB_MAX_PARAMETERS in all. Types are
 * unqualified at the top (`const shape *`, not `shape *const`), not arrays; in
 * C++ trivially copyable and no references.
 *
 * LB_GENERIC(R, name, ...) declares
 *     R name(...)                        the call
 *     R lb_in_name(head, ...)            the call of another runtime's binding
 *     lb_status lb_try_name(R *, ...)    the call that says by status whether
 *                                        there is a method, and else leaves
 *                                        the result alone
 *     R lb_next_name(self, ...)          the next method, from inside a method
 *     lb_fn_name                         the function type of its methods
 * LB_GENERIC_VOID is the same for functions that return nothing.
 *
 * When no method is applicable the fallback runs: a function of the same type
 * as the methods, given to LB_DEFINE_GENERIC_WITH, or one that reports to the
 * runtime and returns zero. Nothing aborts.
 *
 * Thread safety: as lb_resolve_call; a hit is wait-free. Cost: a hit is five
 * loads and one indirect call; see README.md for measured ratios.
 */
#ifndef LATEBIND_TYPED_H
#define LATEBIND_TYPED_H

#include "latebind/abi.h"
#include "latebind/generic.h"

/* The head of a typed generic function, for lb_bind, lb_add and the like. */
#define LB_HEAD(name) (&lb_head_##name)

/* The generic function itself, NULL until it is bound. */
#define LB_GENERIC_OF(name) (lb_head_##name.generic)

/* The descriptor of a method that LB_METHOD announced. */
#define LB_DESCRIPTOR(function) (&lb_method_##function)

/* Announces a method: declares the static function with the generic's type,
 * so that the compiler checks its definition, and makes its descriptor. */
#define LB_METHOD(name, function)                                              \
    static lb_fn_##name function;                                              \
    static const lb_method lb_method_##function = {                            \
        LB_ABI,   0,       #function, (lb_fn)(function), LBI_TEXT_OF(name),    \
        __FILE__, __LINE__}

/* The same for a boxed method (an lb_boxed_fn), of any generic function. */
#define LB_BOXED_METHOD(function)                                              \
    static lb_status function(lb_slot, size_t, const lb_value *, lb_value *);  \
    static const lb_method lb_method_##function = {                            \
        LB_ABI, LB_BOXED, #function, (lb_fn)(function),                        \
        NULL,   __FILE__, __LINE__}

/* For a method that uses its context or the next method, before it has done
 * anything that must not be done twice (in the first line, or where it turns
 * out to need them): declares `self`, its entry. When the cell was changed
 * between the look-up and now, the call goes on as a call after the change:
 * one step, no loop. The arguments are the method's own, slot first; none of
 * them may be called self. One descriptor per function. */
#define LB_SELF(name, function, slot, ...)                                     \
    const lb_entry *const self = lb_load_entry(slot);                          \
    if (LB_UNLIKELY(self->method != &lb_method_##function))                    \
    return lb_hand_on_##name(lb_overtaken(self, __func__, #function),          \
                             __VA_ARGS__)

#define LB_SELF_VOID(name, function, slot, ...)                                \
    const lb_entry *const self = lb_load_entry(slot);                          \
    if (LB_UNLIKELY(self->method != &lb_method_##function)) {                  \
        lb_hand_on_##name(lb_overtaken(self, __func__, #function),             \
                          __VA_ARGS__);                                        \
        return;                                                                \
    }

/* 1 when a commutative rule was applied with its first two arguments exchanged:
 * the method's first parameter is the call's second. */
LBI_INLINE int lb_is_swapped(const lb_entry *self)
{
    return (self->flags & LB_ENTRY_SWAPPED) != 0;
}

/* For methods that do not look at it. */
#define LB_IGNORE(slot) ((void)(slot))

#define LB_GENERIC(R, name, ...) LBI_GENERIC(VALUE, R, name, __VA_ARGS__)

#define LB_GENERIC_VOID(name, ...) LBI_GENERIC(VOID, void, name, __VA_ARGS__)

/* Defines a generic function that LB_GENERIC declared. Once per program. */
#define LB_DEFINE_GENERIC(name) LB_DEFINE_GENERIC_WITH(name, lb_fallback_##name)

/* The same with a fallback of type lb_fn_name, called when no method is
 * applicable; its entry (lb_load_entry(slot)) says why in `status`. */
#define LB_DEFINE_GENERIC_WITH(name, fallback)                                 \
    LBI_DEFINE(name, fallback, NULL, NULL)

/* The same two for a generic function with commutative rules, which LB_COMMUTES
 * has announced. */
#define LB_DEFINE_COMMUTATIVE(name)                                            \
    LB_DEFINE_COMMUTATIVE_WITH(name, lb_fallback_##name)
#define LB_DEFINE_COMMUTATIVE_WITH(name, fallback)                             \
    LBI_DEFINE(name, fallback, (lb_fn)lb_swap_call_##name,                     \
               (lb_fn)lb_swap_next_##name)

/* Lets rules of `name` be commutative: the first two parameters, both
 * dispatched on and of type T, may be exchanged. The rest of the parameters is
 * repeated, e.g. LB_COMMUTES(int, meet, shape *, (WITH, hits *, out)); without
 * any, LB_COMMUTES_PAIR(int, meet, shape *). */
#define LB_COMMUTES_PAIR(R, name, T) LBI_COMMUTES_PAIR(VALUE, R, name, T)
#define LB_COMMUTES(R, name, T, ...)                                           \
    LBI_COMMUTES(VALUE, R, name, T, __VA_ARGS__)
/* The same for generic functions that return nothing. */
#define LB_COMMUTES_PAIR_VOID(name, T) LBI_COMMUTES_PAIR(VOID, void, name, T)
#define LB_COMMUTES_VOID(name, T, ...)                                         \
    LBI_COMMUTES(VOID, void, name, T, __VA_ARGS__)

/* ---- below: how the macros above are made ------------------------------ */

/* Lets a macro that ends with it be followed by a semicolon. */
#define LBI_END LBI_STATIC_ASSERT(sizeof(lb_head) == 32, "lb_head is ABI")

/* Parameters are copied as bytes where they are boxed. */
#ifdef __cplusplus
#define LBI_CHECK_(kind, T, x, ...)                                            \
    static_assert(__is_trivially_copyable(T),                                  \
                  "a parameter must be trivially copyable, no reference");
#else
#define LBI_CHECK_(kind, T, x, ...)
#endif
#define LBI_CHECK(i, tuple) LBI_APPLY(LBI_CHECK_, LBI_STRIP tuple, 0)

#ifdef __cplusplus
#define LBI_EXTERN extern "C"
#define LBI_ZERO(R) R()
template <class R> lb_type_code lbi_type(R *)
{
    return LB_TYPE_OTHER;
}
LBI_INLINE lb_type_code lbi_type(void *)
{
    return LB_TYPE_VOID;
}
LBI_INLINE lb_type_code lbi_type(bool *)
{
    return LB_TYPE_BOOL;
}
LBI_INLINE lb_type_code lbi_type(int *)
{
    return LB_TYPE_INT;
}
LBI_INLINE lb_type_code lbi_type(long *)
{
    return LB_TYPE_LONG;
}
LBI_INLINE lb_type_code lbi_type(long long *)
{
    return LB_TYPE_LLONG;
}
LBI_INLINE lb_type_code lbi_type(unsigned *)
{
    return LB_TYPE_UINT;
}
LBI_INLINE lb_type_code lbi_type(unsigned long *)
{
    return LB_TYPE_ULONG;
}
LBI_INLINE lb_type_code lbi_type(unsigned long long *)
{
    return LB_TYPE_ULLONG;
}
LBI_INLINE lb_type_code lbi_type(float *)
{
    return LB_TYPE_FLOAT;
}
LBI_INLINE lb_type_code lbi_type(double *)
{
    return LB_TYPE_DOUBLE;
}
#define LBI_TYPE(R) lbi_type(static_cast<R *>(nullptr))
#else
#define LBI_EXTERN extern
#define LBI_ZERO(R) ((R){0})
#define LBI_TYPE(R)                                                            \
    _Generic((R *)0, void *: LB_TYPE_VOID, _Bool *: LB_TYPE_BOOL,             \
             int *: LB_TYPE_INT, long *: LB_TYPE_LONG,                        \
             long long *: LB_TYPE_LLONG, unsigned *: LB_TYPE_UINT,            \
             unsigned long *: LB_TYPE_ULONG,                                  \
             unsigned long long *: LB_TYPE_ULLONG, float *: LB_TYPE_FLOAT,    \
             double *: LB_TYPE_DOUBLE, default: LB_TYPE_OTHER)
#endif

#define LBI_STRIP(...) __VA_ARGS__
#define LBI_APPLY(macro, ...) macro(__VA_ARGS__)
#define LBI_TEXT(...) #__VA_ARGS__
#define LBI_TEXT_LATER(...) LBI_TEXT(__VA_ARGS__)
#define LBI_TEXT_OF(name) lb_text_##name

/* What each kind of parameter contributes, by its tuple (kind, T, name, ...).
 * The trailing 0 keeps `...` from being empty. */
#define LBI_PARAMETER(i, tuple) LBI_APPLY(LBI_PARAMETER_, LBI_STRIP tuple, 0)
#define LBI_PARAMETER_(kind, T, x, ...) T x
#define LBI_NAME(i, tuple) LBI_APPLY(LBI_NAME_, LBI_STRIP tuple, 0)
#define LBI_NAME_(kind, T, x, ...) x
#define LBI_TYPE_ONLY(i, tuple) LBI_APPLY(LBI_TYPE_ONLY_, LBI_STRIP tuple, 0)
#define LBI_TYPE_ONLY_(kind, T, x, ...) T
#define LBI_PACK(i, tuple) LBI_APPLY(LBI_PACK_, LBI_STRIP tuple, 0)
#define LBI_PACK_(kind, T, x, ...) lb_pack(&x, sizeof x)
#define LBI_UNPACK(i, tuple) LBI_APPLY(LBI_UNPACK_, i, LBI_STRIP tuple, 0)
#define LBI_UNPACK_(i, kind, T, x, ...)                                        \
    T x;                                                                       \
    lb_unpack((void *)&x, sizeof x, &lbi_argv[i]);
#define LBI_COUNT(i, tuple) LBI_APPLY(LBI_COUNT_, LBI_STRIP tuple, 0)
#define LBI_COUNT_(kind, T, x, ...) +LBI_COUNT_##kind
#define LBI_COUNT_ON 1
#define LBI_COUNT_REF 1
#define LBI_COUNT_BY 1
#define LBI_COUNT_WITH 0
#define LBI_HANDLE(i, tuple) LBI_APPLY(LBI_HANDLE_, LBI_STRIP tuple, 0)
#define LBI_HANDLE_(kind, T, x, ...) LBI_HANDLE_##kind(x, __VA_ARGS__)
#define LBI_HANDLE_ON(x, ...) lbi_h[lbi_n++] = lb_handle(x);
#define LBI_HANDLE_REF(x, ...) lbi_h[lbi_n++] = (x).head.handle;
#define LBI_HANDLE_BY(x, of, ...) lbi_h[lbi_n++] = lb_handle(of(x));
#define LBI_HANDLE_WITH(x, ...)
#define LBI_ARGUMENT(i, tuple) LBI_APPLY(LBI_ARGUMENT_, i, LBI_STRIP tuple, 0)
#define LBI_ARGUMENT_(i, kind, T, x, ...) LBI_ARGUMENT_##kind(i, x, __VA_ARGS__)
#define LBI_ARGUMENT_ON(i, x, ...)                                             \
    lbi_to->head = (const lb_header *)(const void *)(x);                       \
    (lbi_to++)->value = lb_pack(&x, sizeof x);
#define LBI_ARGUMENT_REF(i, x, ...)                                            \
    lbi_to->head = &(x).head;                                                  \
    (lbi_to++)->value = lb_pointer((x).object);
#define LBI_ARGUMENT_BY(i, x, of, ...)                                         \
    lbi_to->head = of(x);                                                      \
    (lbi_to++)->value = lb_pack(&x, sizeof x);
#define LBI_ARGUMENT_WITH(i, x, ...) (void)(x);
/* As above, when only `argv` stays valid: a reference is inside it. */
#define LBI_BOXED(i, tuple) LBI_APPLY(LBI_BOXED_, i, LBI_STRIP tuple, 0)
#define LBI_BOXED_(i, kind, T, x, ...) LBI_BOXED_##kind(i, x, __VA_ARGS__)
#define LBI_BOXED_ON LBI_ARGUMENT_ON
#define LBI_BOXED_REF(i, x, ...)                                               \
    lbi_to->head = &((const lb_ref *)lbi_argv[i].constant)->head;              \
    (lbi_to++)->value = lb_pointer((x).object);
#define LBI_BOXED_BY LBI_ARGUMENT_BY
#define LBI_BOXED_WITH LBI_ARGUMENT_WITH

/* A result, or none. */
#define LBI_RETURN_VALUE return
#define LBI_RETURN_VOID
#define LBI_LET_VALUE(R, x) R x =
#define LBI_LET_VOID(R, x)
#define LBI_GIVE_VALUE(x) return x
#define LBI_GIVE_VOID(x) return
#define LBI_SIZE_VALUE(R) sizeof(R)
#define LBI_SIZE_VOID(R) 0
#define LBI_OUT_VALUE(R) R *lbi_result,
#define LBI_OUT_VOID(R)
#define LBI_STORE_VALUE *lbi_result =
#define LBI_STORE_VOID
#define LBI_SPACE_VALUE(R, x)                                                  \
    R x = LBI_ZERO(R);                                                         \
    lb_value lbi_boxed = lb_pack(&x, sizeof x);
#define LBI_SPACE_VOID(R, x) lb_value lbi_boxed = lb_integer(0);
#define LBI_OPEN_VALUE(x) lb_unpack((void *)&x, sizeof x, &lbi_boxed)
#define LBI_OPEN_VOID(x) (void)lbi_boxed
#define LBI_SEAL_VALUE(x) lbi_seal(lbi_result, &x, sizeof x)
#define LBI_SEAL_VOID(x) (void)lbi_result

/* Hands a result of `size` bytes to a boxed caller: in the value, or, when it
 * is larger, in the storage that the value refers to. */
LBI_INLINE void lbi_seal(lb_value *result, const void *from, size_t size)
{
    if (result == NULL)
        return;
    if (size <= sizeof *result)
        *result = lb_pack(from, size);
    else
        memcpy(result->pointer, from, size);
}

/* The declaration of a generic function and everything a caller inlines. */
#define LBI_GENERIC(K, R, name, ...)                                           \
    LBI_EXTERN lb_head lb_head_##name;                                         \
    LBI_EACH(LBI_CHECK, __VA_ARGS__)                                           \
    typedef R lb_fn_##name(lb_slot lbi_slot,                                   \
                           LBI_LIST(LBI_PARAMETER, __VA_ARGS__));              \
    static __attribute__((unused)) const char lb_text_##name[] = LBI_TEXT(     \
        R) " " LBI_TEXT_LATER((LBI_LIST(LBI_TYPE_ONLY, __VA_ARGS__)));         \
    enum {                                                                     \
        lb_dispatched_##name = 0 LBI_EACH(LBI_COUNT, __VA_ARGS__),             \
        lb_parameters_##name = LBI_NUMBER(__VA_ARGS__)                         \
    };                                                                         \
    LBI_STATIC_ASSERT(lb_dispatched_##name >= 1 &&                             \
                          lb_dispatched_##name <= LB_MAX_DISPATCH,             \
                      "a generic function dispatches on 1 to 9 arguments");    \
                                                                               \
    /* The slow path: resolve, then call. */                                   \
    LBI_COLD R lb_miss_##name(const lb_head *lbi_head,                         \
                              LBI_LIST(LBI_PARAMETER, __VA_ARGS__))            \
    {                                                                          \
        lb_argument lbi_arguments[LB_MAX_DISPATCH], *lbi_to = lbi_arguments;   \
        LBI_EACH(LBI_ARGUMENT, __VA_ARGS__)                                    \
        const lb_entry *lbi_self = lb_resolve_call(lbi_head, lbi_arguments);   \
        LBI_RETURN_##K((lb_fn_##name *)lbi_self->fn)(                          \
            &lbi_self, LBI_LIST(LBI_NAME, __VA_ARGS__));                       \
    }                                                                          \
                                                                               \
    LBI_INLINE R lb_in_##name(const lb_head *lbi_head,                         \
                              LBI_LIST(LBI_PARAMETER, __VA_ARGS__))            \
    {                                                                          \
        uint32_t lbi_h[LB_MAX_DISPATCH], lbi_n = 0;                            \
        lb_fn lbi_fn;                                                          \
        lb_slot lbi_slot;                                                      \
        LBI_EACH(LBI_HANDLE, __VA_ARGS__)                                      \
        (void)lbi_n;                                                           \
        if (lb_find(lbi_head, lb_dispatched_##name, lbi_h, &lbi_fn,            \
                    &lbi_slot))                                                \
            LBI_RETURN_##K((lb_fn_##name *)lbi_fn)(                            \
                lbi_slot, LBI_LIST(LBI_NAME, __VA_ARGS__));                    \
        else                                                                   \
            LBI_RETURN_##K lb_miss_##name(lbi_head,                            \
                                          LBI_LIST(LBI_NAME, __VA_ARGS__));    \
    }                                                                          \
                                                                               \
    LBI_INLINE R name(LBI_LIST(LBI_PARAMETER, __VA_ARGS__))                    \
    {                                                                          \
        LBI_RETURN_##K lb_in_##name(&lb_head_##name,                           \
                                    LBI_LIST(LBI_NAME, __VA_ARGS__));          \
    }                                                                          \
                                                                               \
    /* A call that goes on with another entry than it found. */                \
    LBI_COLD R lb_hand_on_##name(const lb_entry *lbi_self,                     \
                                 LBI_LIST(LBI_PARAMETER, __VA_ARGS__))         \
    {                                                                          \
        LBI_RETURN_##K((lb_fn_##name *)lbi_self->fn)(                          \
            &lbi_self, LBI_LIST(LBI_NAME, __VA_ARGS__));                       \
    }                                                                          \
                                                                               \
    LBI_INLINE R lb_next_##name(const lb_entry *lbi_self,                      \
                                LBI_LIST(LBI_PARAMETER, __VA_ARGS__))          \
    {                                                                          \
        LBI_RETURN_##K((lb_fn_##name *)lbi_self->next_fn)(                     \
            &lbi_self->next, LBI_LIST(LBI_NAME, __VA_ARGS__));                 \
    }                                                                          \
                                                                               \
    static __attribute__((unused)) lb_status lb_try_in_##name(                 \
        const lb_head *lbi_head,                                               \
        LBI_OUT_##K(R) LBI_LIST(LBI_PARAMETER, __VA_ARGS__))                   \
    {                                                                          \
        lb_argument lbi_arguments[LB_MAX_DISPATCH], *lbi_to = lbi_arguments;   \
        LBI_EACH(LBI_ARGUMENT, __VA_ARGS__)                                    \
        const lb_entry *lbi_self = lb_look_up(lbi_head, lbi_arguments);        \
        if (lbi_self->status != LB_OK)                                         \
            return lb_fail(lbi_self, lbi_arguments);                           \
        LBI_STORE_##K((lb_fn_##name *)lbi_self->fn)(                           \
            &lbi_self, LBI_LIST(LBI_NAME, __VA_ARGS__));                       \
        return LB_OK;                                                          \
    }                                                                          \
                                                                               \
    static __attribute__((unused)) lb_status lb_try_##name(                    \
        LBI_OUT_##K(R) LBI_LIST(LBI_PARAMETER, __VA_ARGS__))                   \
    {                                                                          \
        return lb_try_in_##name(&lb_head_##name,                               \
                                LBI_PASS_##K LBI_LIST(LBI_NAME, __VA_ARGS__)); \
    }                                                                          \
    LBI_ADAPTERS(K, R, name, __VA_ARGS__)

/* Exchanging the first two. Declared by the generic's type first, so that the
 * compiler compares. */
#define LBI_COMMUTES_PAIR(K, R, name, T)                                       \
    static __attribute__((unused)) lb_fn_##name lb_swap_call_##name;           \
    static __attribute__((unused)) lb_fn_##name lb_swap_next_##name;           \
    static R lb_swap_call_##name(lb_slot lbi_slot, T lbi_a, T lbi_b)           \
    {                                                                          \
        const lb_entry *lbi_self = lb_load_entry(lbi_slot);                    \
        if (LB_UNLIKELY(!(lbi_self->flags & LB_ENTRY_SWAPPED)))                \
            LBI_RETURN_##K((lb_fn_##name *)lbi_self->fn)(&lbi_self, lbi_a,     \
                                                         lbi_b);               \
        else                                                                   \
            LBI_RETURN_##K((lb_fn_##name *)lbi_self->inner->fn)(               \
                &lbi_self->inner, lbi_b, lbi_a);                               \
    }                                                                          \
    static R lb_swap_next_##name(lb_slot lbi_slot, T lbi_a, T lbi_b)           \
    {                                                                          \
        LBI_RETURN_##K((lb_fn_##name *)lb_load_entry(lbi_slot)->fn)(           \
            lbi_slot, lbi_b, lbi_a);                                           \
    }                                                                          \
    LBI_END

#define LBI_COMMUTES(K, R, name, T, ...)                                       \
    static __attribute__((unused)) lb_fn_##name lb_swap_call_##name;           \
    static __attribute__((unused)) lb_fn_##name lb_swap_next_##name;           \
    static R lb_swap_call_##name(lb_slot lbi_slot, T lbi_a, T lbi_b,           \
                                 LBI_LIST(LBI_PARAMETER, __VA_ARGS__))         \
    {                                                                          \
        const lb_entry *lbi_self = lb_load_entry(lbi_slot);                    \
        if (LB_UNLIKELY(!(lbi_self->flags & LB_ENTRY_SWAPPED)))                \
            LBI_RETURN_##K((lb_fn_##name *)lbi_self->fn)(                      \
                &lbi_self, lbi_a, lbi_b, LBI_LIST(LBI_NAME, __VA_ARGS__));     \
        else                                                                   \
            LBI_RETURN_##K((lb_fn_##name *)lbi_self->inner->fn)(               \
                &lbi_self->inner, lbi_b, lbi_a,                                \
                LBI_LIST(LBI_NAME, __VA_ARGS__));                              \
    }                                                                          \
    static R lb_swap_next_##name(lb_slot lbi_slot, T lbi_a, T lbi_b,           \
                                 LBI_LIST(LBI_PARAMETER, __VA_ARGS__))         \
    {                                                                          \
        LBI_RETURN_##K((lb_fn_##name *)lb_load_entry(lbi_slot)->fn)(           \
            lbi_slot, lbi_b, lbi_a, LBI_LIST(LBI_NAME, __VA_ARGS__));          \
    }                                                                          \
    LBI_END

#define LBI_PASS_VALUE lbi_result,
#define LBI_PASS_VOID

/* The adapters that lb_signature points to. */
#define LBI_ADAPTERS(K, R, name, ...)                                          \
    static __attribute__((unused)) R lb_fallback_##name(                       \
        lb_slot lbi_slot, LBI_LIST(LBI_PARAMETER, __VA_ARGS__))                \
    {                                                                          \
        lb_argument lbi_arguments[LB_MAX_DISPATCH], *lbi_to = lbi_arguments;   \
        LBI_EACH(LBI_ARGUMENT, __VA_ARGS__)                                    \
        (void)lbi_to;                                                          \
        lb_report_failure(lb_load_entry(lbi_slot), lbi_arguments);             \
        LBI_NOTHING_##K(R);                                                    \
    }                                                                          \
                                                                               \
    /* Stands in a cell whose rule was taken away: resolves anew. */           \
    static __attribute__((unused))                                             \
    R lb_stub_##name(lb_slot lbi_slot, LBI_LIST(LBI_PARAMETER, __VA_ARGS__))   \
    {                                                                          \
        LBI_RETURN_##K lb_miss_##name(                                         \
            lb_generic_head(lb_load_entry(lbi_slot)->generic),                 \
            LBI_LIST(LBI_NAME, __VA_ARGS__));                                  \
    }                                                                          \
                                                                               \
    static __attribute__((unused))                                             \
    R lb_wrap_##name(lb_slot lbi_slot, LBI_LIST(LBI_PARAMETER, __VA_ARGS__))   \
    {                                                                          \
        const lb_entry *const lbi_self = lb_load_entry(lbi_slot);              \
        uint32_t lbi_at = 0;                                                   \
        if (!(lbi_self->flags & LBI_WRAPPED)) {                                \
            LBI_LET_##K(R, lbi_other)((lb_fn_##name *)lbi_self->fn)(           \
                &lbi_self, LBI_LIST(LBI_NAME, __VA_ARGS__));                   \
            LBI_GIVE_##K(lbi_other);                                           \
        }                                                                      \
        if (lbi_self->flags & LB_ENTRY_COMBINED) {                             \
            LBI_LET_##K(R, lbi_all)((lb_fn_##name *)lbi_self->parts[0]->fn)(   \
                &lbi_self->parts[0], LBI_LIST(LBI_NAME, __VA_ARGS__));         \
            LBI_FIRST_##K(lbi_all);                                            \
            while (++lbi_at < lbi_self->part_count) {                          \
                LBI_LET_##K(R, lbi_one)(                                       \
                    (lb_fn_##name *)lbi_self->parts[lbi_at]->fn)(              \
                    &lbi_self->parts[lbi_at],                                  \
                    LBI_LIST(LBI_NAME, __VA_ARGS__));                          \
                LBI_MERGE_##K(lbi_all, lbi_one);                               \
            }                                                                  \
            LBI_GIVE_##K(lbi_all);                                             \
        }                                                                      \
        for (; lbi_at < lbi_self->before_count; lbi_at++)                      \
            ((lb_fn_##name *)lbi_self->parts[lbi_at]->fn)(                     \
                &lbi_self->parts[lbi_at], LBI_LIST(LBI_NAME, __VA_ARGS__));    \
        if ((lbi_self->flags & LB_ENTRY_AT_START) && lb_has_next(lbi_self))    \
            ((lb_fn_##name *)lbi_self->next_fn)(                               \
                &lbi_self->next, LBI_LIST(LBI_NAME, __VA_ARGS__));             \
        LBI_LET_##K(R, lbi_own)((lb_fn_##name *)lbi_self->inner->fn)(          \
            &lbi_self->inner, LBI_LIST(LBI_NAME, __VA_ARGS__));                \
        if ((lbi_self->flags & LB_ENTRY_AT_END) && lb_has_next(lbi_self))      \
            ((lb_fn_##name *)lbi_self->next_fn)(                               \
                &lbi_self->next, LBI_LIST(LBI_NAME, __VA_ARGS__));             \
        for (; lbi_at < lbi_self->part_count; lbi_at++)                        \
            ((lb_fn_##name *)lbi_self->parts[lbi_at]->fn)(                     \
                &lbi_self->parts[lbi_at], LBI_LIST(LBI_NAME, __VA_ARGS__));    \
        LBI_GIVE_##K(lbi_own);                                                 \
    }                                                                          \
                                                                               \
    static __attribute__((unused))                                             \
    R lb_box_##name(lb_slot lbi_slot, LBI_LIST(LBI_PARAMETER, __VA_ARGS__))    \
    {                                                                          \
        const lb_entry *const lbi_self = lb_load_entry(lbi_slot);              \
        if (lbi_self->method == NULL ||                                        \
            !(lbi_self->method->flags & LB_BOXED)) {                           \
            LBI_LET_##K(R, lbi_other)((lb_fn_##name *)lbi_self->fn)(           \
                &lbi_self, LBI_LIST(LBI_NAME, __VA_ARGS__));                   \
            LBI_GIVE_##K(lbi_other);                                           \
        }                                                                      \
        const lb_value lbi_argv[] = {LBI_LIST(LBI_PACK, __VA_ARGS__)};         \
        LBI_SPACE_##K(R, lbi_own) lb_call_boxed(                               \
            lbi_self, lb_parameters_##name, lbi_argv, &lbi_boxed);             \
        LBI_OPEN_##K(lbi_own);                                                 \
        LBI_GIVE_##K(lbi_own);                                                 \
    }                                                                          \
                                                                               \
    static __attribute__((unused)) void lb_call_##name(                        \
        lb_fn lbi_fn, lb_slot lbi_slot, const lb_value *lbi_argv,              \
        lb_value *lbi_result)                                                  \
    {                                                                          \
        LBI_EACH(LBI_UNPACK, __VA_ARGS__)                                      \
        LBI_LET_##K(R, lbi_own)((lb_fn_##name *)lbi_fn)(                       \
            lbi_slot, LBI_LIST(LBI_NAME, __VA_ARGS__));                        \
        LBI_SEAL_##K(lbi_own);                                                 \
    }                                                                          \
                                                                               \
    static __attribute__((unused)) void lb_arguments_##name(                   \
        const lb_value *lbi_argv, lb_argument *lbi_to)                         \
    {                                                                          \
        LBI_EACH(LBI_UNPACK, __VA_ARGS__)                                      \
        LBI_EACH(LBI_BOXED, __VA_ARGS__)                                       \
        (void)lbi_to;                                                          \
    }                                                                          \
                                                                               \
    enum { lb_size_##name = (int)LBI_SIZE_##K(R) };                            \
    static __attribute__((unused)) lb_type_code lb_type_of_##name(void)        \
    {                                                                          \
        return LBI_TYPE(R);                                                    \
    }                                                                          \
    LBI_END

#define LBI_NOTHING_VALUE(R) return LBI_ZERO(R)
#define LBI_NOTHING_VOID(R) return
#define LBI_FIRST_VALUE(lbi_all)                                               \
    if (lbi_self->combine(lbi_self->context, &lbi_all, &lbi_all, 0))           \
    return lbi_all
#define LBI_FIRST_VOID(lbi_all)
#define LBI_MERGE_VALUE(lbi_all, lbi_one)                                      \
    if (lbi_self->combine(lbi_self->context, &lbi_all, &lbi_one, lbi_at))      \
    break
#define LBI_MERGE_VOID(lbi_all, lbi_one)

#define LBI_DEFINE(name_, fallback_, swap_call_, swap_next_)                   \
    static const lb_signature lb_signature_##name_ = {                         \
        LB_ABI,                                                                \
        lb_dispatched_##name_,                                                 \
        lb_parameters_##name_,                                                 \
        lb_size_##name_,                                                       \
        lb_type_of_##name_,                                                    \
        #name_,                                                                \
        lb_text_##name_,                                                       \
        (lb_fn)(lb_fn_##name_ *)(fallback_),                                   \
        (lb_fn)lb_wrap_##name_,                                                \
        (lb_fn)lb_box_##name_,                                                 \
        (lb_fn)lb_stub_##name_,                                                \
        swap_call_,                                                            \
        swap_next_,                                                            \
        lb_call_##name_,                                                       \
        lb_arguments_##name_};                                                 \
    lb_head lb_head_##name_ = {(const char *)lb_empty_table, 15 * 16, 0, NULL, \
                               &lb_signature_##name_};                         \
    LBI_END

/* Applies m(index, tuple) to each tuple: separated by commas, or by nothing. */
#define LBI_NUMBER(...)                                                        \
    LBI_NUMBER_(__VA_ARGS__, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3,  \
                2, 1, 0)
#define LBI_NUMBER_(t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12, t13,    \
                    t14, t15, t16, count, ...)                                 \
    count
#define LBI_LIST(m, ...)                                                       \
    LBI_CHOOSE(LBI_LIST_, LBI_NUMBER(__VA_ARGS__))(m, __VA_ARGS__)
#define LBI_EACH(m, ...)                                                       \
    LBI_CHOOSE(LBI_EACH_, LBI_NUMBER(__VA_ARGS__))(m, __VA_ARGS__)
#define LBI_CHOOSE(prefix, number) LBI_CHOOSE_(prefix, number)
#define LBI_CHOOSE_(prefix, number) prefix##number
#define LBI_LIST_1(m, t0) m(0, t0)
#define LBI_LIST_2(m, t0, t1) m(0, t0), m(1, t1)
#define LBI_LIST_3(m, t0, t1, t2) m(0, t0), m(1, t1), m(2, t2)
#define LBI_LIST_4(m, t0, t1, t2, t3) m(0, t0), m(1, t1), m(2, t2), m(3, t3)
#define LBI_LIST_5(m, t0, t1, t2, t3, t4)                                      \
    m(0, t0), m(1, t1), m(2, t2), m(3, t3), m(4, t4)
#define LBI_LIST_6(m, t0, t1, t2, t3, t4, t5)                                  \
    m(0, t0), m(1, t1), m(2, t2), m(3, t3), m(4, t4), m(5, t5)
#define LBI_LIST_7(m, t0, t1, t2, t3, t4, t5, t6)                              \
    m(0, t0), m(1, t1), m(2, t2), m(3, t3), m(4, t4), m(5, t5), m(6, t6)
#define LBI_LIST_8(m, t0, t1, t2, t3, t4, t5, t6, t7)                          \
    m(0, t0), m(1, t1), m(2, t2), m(3, t3), m(4, t4), m(5, t5), m(6, t6),      \
        m(7, t7)
#define LBI_LIST_9(m, t0, t1, t2, t3, t4, t5, t6, t7, t8)                      \
    m(0, t0), m(1, t1), m(2, t2), m(3, t3), m(4, t4), m(5, t5), m(6, t6),      \
        m(7, t7), m(8, t8)
#define LBI_LIST_10(m, t0, t1, t2, t3, t4, t5, t6, t7, t8, t9)                 \
    m(0, t0), m(1, t1), m(2, t2), m(3, t3), m(4, t4), m(5, t5), m(6, t6),      \
        m(7, t7), m(8, t8), m(9, t9)
#define LBI_LIST_11(m, t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10)            \
    m(0, t0), m(1, t1), m(2, t2), m(3, t3), m(4, t4), m(5, t5), m(6, t6),      \
        m(7, t7), m(8, t8), m(9, t9), m(10, t10)
#define LBI_LIST_12(m, t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11)       \
    m(0, t0), m(1, t1), m(2, t2), m(3, t3), m(4, t4), m(5, t5), m(6, t6),      \
        m(7, t7), m(8, t8), m(9, t9), m(10, t10), m(11, t11)
#define LBI_LIST_13(m, t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12)  \
    m(0, t0), m(1, t1), m(2, t2), m(3, t3), m(4, t4), m(5, t5), m(6, t6),      \
        m(7, t7), m(8, t8), m(9, t9), m(10, t10), m(11, t11), m(12, t12)
#define LBI_LIST_14(m, t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12,  \
                    t13)                                                       \
    m(0, t0), m(1, t1), m(2, t2), m(3, t3), m(4, t4), m(5, t5), m(6, t6),      \
        m(7, t7), m(8, t8), m(9, t9), m(10, t10), m(11, t11), m(12, t12),      \
        m(13, t13)
#define LBI_LIST_15(m, t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12,  \
                    t13, t14)                                                  \
    m(0, t0), m(1, t1), m(2, t2), m(3, t3), m(4, t4), m(5, t5), m(6, t6),      \
        m(7, t7), m(8, t8), m(9, t9), m(10, t10), m(11, t11), m(12, t12),      \
        m(13, t13), m(14, t14)
#define LBI_LIST_16(m, t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12,  \
                    t13, t14, t15)                                             \
    m(0, t0), m(1, t1), m(2, t2), m(3, t3), m(4, t4), m(5, t5), m(6, t6),      \
        m(7, t7), m(8, t8), m(9, t9), m(10, t10), m(11, t11), m(12, t12),      \
        m(13, t13), m(14, t14), m(15, t15)
#define LBI_EACH_1(m, t0) m(0, t0)
#define LBI_EACH_2(m, t0, t1) m(0, t0) m(1, t1)
#define LBI_EACH_3(m, t0, t1, t2) m(0, t0) m(1, t1) m(2, t2)
#define LBI_EACH_4(m, t0, t1, t2, t3) m(0, t0) m(1, t1) m(2, t2) m(3, t3)
#define LBI_EACH_5(m, t0, t1, t2, t3, t4)                                      \
    m(0, t0) m(1, t1) m(2, t2) m(3, t3) m(4, t4)
#define LBI_EACH_6(m, t0, t1, t2, t3, t4, t5)                                  \
    m(0, t0) m(1, t1) m(2, t2) m(3, t3) m(4, t4) m(5, t5)
#define LBI_EACH_7(m, t0, t1, t2, t3, t4, t5, t6)                              \
    m(0, t0) m(1, t1) m(2, t2) m(3, t3) m(4, t4) m(5, t5) m(6, t6)
#define LBI_EACH_8(m, t0, t1, t2, t3, t4, t5, t6, t7)                          \
    m(0, t0) m(1, t1) m(2, t2) m(3, t3) m(4, t4) m(5, t5) m(6, t6) m(7, t7)
#define LBI_EACH_9(m, t0, t1, t2, t3, t4, t5, t6, t7, t8)                      \
    m(0, t0) m(1, t1) m(2, t2) m(3, t3) m(4, t4) m(5, t5) m(6, t6) m(7, t7)    \
        m(8, t8)
#define LBI_EACH_10(m, t0, t1, t2, t3, t4, t5, t6, t7, t8, t9)                 \
    m(0, t0) m(1, t1) m(2, t2) m(3, t3) m(4, t4) m(5, t5) m(6, t6) m(7, t7)    \
        m(8, t8) m(9, t9)
#define LBI_EACH_11(m, t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10)            \
    m(0, t0) m(1, t1) m(2, t2) m(3, t3) m(4, t4) m(5, t5) m(6, t6) m(7, t7)    \
        m(8, t8) m(9, t9) m(10, t10)
#define LBI_EACH_12(m, t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11)       \
    m(0, t0) m(1, t1) m(2, t2) m(3, t3) m(4, t4) m(5, t5) m(6, t6) m(7, t7)    \
        m(8, t8) m(9, t9) m(10, t10) m(11, t11)
#define LBI_EACH_13(m, t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12)  \
    m(0, t0) m(1, t1) m(2, t2) m(3, t3) m(4, t4) m(5, t5) m(6, t6) m(7, t7)    \
        m(8, t8) m(9, t9) m(10, t10) m(11, t11) m(12, t12)
#define LBI_EACH_14(m, t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12,  \
                    t13)                                                       \
    m(0, t0) m(1, t1) m(2, t2) m(3, t3) m(4, t4) m(5, t5) m(6, t6) m(7, t7)    \
        m(8, t8) m(9, t9) m(10, t10) m(11, t11) m(12, t12) m(13, t13)
#define LBI_EACH_15(m, t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12,  \
                    t13, t14)                                                  \
    m(0, t0) m(1, t1) m(2, t2) m(3, t3) m(4, t4) m(5, t5) m(6, t6) m(7, t7)    \
        m(8, t8) m(9, t9) m(10, t10) m(11, t11) m(12, t12) m(13, t13)          \
            m(14, t14)
#define LBI_EACH_16(m, t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12,  \
                    t13, t14, t15)                                             \
    m(0, t0) m(1, t1) m(2, t2) m(3, t3) m(4, t4) m(5, t5) m(6, t6) m(7, t7)    \
        m(8, t8) m(9, t9) m(10, t10) m(11, t11) m(12, t12) m(13, t13)          \
            m(14, t14) m(15, t15)

#endif
