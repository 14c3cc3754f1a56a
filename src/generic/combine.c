/* generic/combine.c - sum, and, or over C results; list, append over boxed. */
#include "generic/combine.h"

#define SUM(name, type)                                                        \
    static int sum_##name(void *context, void *accumulator,                    \
                          const void *result, size_t index)                    \
    {                                                                          \
        (void)context;                                                         \
        if (index)                                                             \
            *(type *)accumulator =                                             \
                (type)(*(type *)accumulator + *(const type *)result);          \
        return 0;                                                              \
    }

SUM(int, int)
SUM(long, long)
SUM(llong, long long)
SUM(uint, unsigned)
SUM(ulong, unsigned long)
SUM(ullong, unsigned long long)
SUM(float, float)
SUM(double, double)
SUM(value, int64_t)

/* and: the last result, or the first false one; or: the first true one, or
 * the last. The decision is the same for every type. */
#define LOGIC(name, type)                                                      \
    static int and_##name(void *context, void *accumulator,                    \
                          const void *result, size_t index)                    \
    {                                                                          \
        (void)context;                                                         \
        (void)index;                                                           \
        *(type *)accumulator = *(const type *)result;                          \
        return !*(type *)accumulator;                                          \
    }                                                                          \
    static int or_##name(void *context, void *accumulator, const void *result, \
                         size_t index)                                         \
    {                                                                          \
        (void)context;                                                         \
        (void)index;                                                           \
        *(type *)accumulator = *(const type *)result;                          \
        return !!*(type *)accumulator;                                         \
    }

LOGIC(bool, _Bool)
LOGIC(int, int)
LOGIC(long, long)
LOGIC(llong, long long)
LOGIC(uint, unsigned)
LOGIC(ulong, unsigned long)
LOGIC(ullong, unsigned long long)
LOGIC(float, float)
LOGIC(double, double)
LOGIC(value, int64_t)

typedef struct folds {
    lb_combine_fn sum, all, any;
} folds;

static const folds by_type[] = {
    [LB_TYPE_BOOL] = {NULL, and_bool, or_bool},
    [LB_TYPE_INT] = {sum_int, and_int, or_int},
    [LB_TYPE_LONG] = {sum_long, and_long, or_long},
    [LB_TYPE_LLONG] = {sum_llong, and_llong, or_llong},
    [LB_TYPE_UINT] = {sum_uint, and_uint, or_uint},
    [LB_TYPE_ULONG] = {sum_ulong, and_ulong, or_ulong},
    [LB_TYPE_ULLONG] = {sum_ullong, and_ullong, or_ullong},
    [LB_TYPE_FLOAT] = {sum_float, and_float, or_float},
    [LB_TYPE_DOUBLE] = {sum_double, and_double, or_double}};

static lb_combine_fn choose(lb_combination combination, const folds *f)
{
    return combination == LB_SUM   ? f->sum
           : combination == LB_AND ? f->all
                                   : f->any;
}

static lb_status refuse(const lb_signature *s, const char *what,
                        const char *accepted)
{
    return lbi_fail(LB_BAD_SIGNATURE,
                    "%s %s cannot be combined by %s, which takes %s; give a "
                    "function by LB_USER_COMBINATION",
                    s->name, s->text, what, accepted);
}

lb_status lbi_combination_choose(const lb_signature *s, bool boxed,
                                 lb_policy *policy)
{
    static const folds values = {sum_value, and_value, or_value};
    static const char *const names[] = {
        "LB_STANDARD", "LB_FIRST", "LB_LIST",   "LB_SUM",
        "LB_AND",      "LB_OR",    "LB_APPEND", "LB_USER_COMBINATION"};
    const lb_combination how = policy->combination;
    if ((unsigned)how > LB_USER_COMBINATION)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "policy.combination is %d; want LB_STANDARD (0) to "
                        "LB_USER_COMBINATION (%d)",
                        (int)how, (int)LB_USER_COMBINATION);
    if (how == LB_USER_COMBINATION)
        return policy->combine
                   ? LB_OK
                   : lbi_fail(LB_BAD_ARGUMENT,
                              "LB_USER_COMBINATION without policy.combine");
    policy->combine = NULL;
    policy->combine_context = NULL;
    if (how == LB_STANDARD || how == LB_FIRST)
        return LB_OK;
    if (how == LB_LIST || how == LB_APPEND)
        return boxed ? LB_OK : refuse(s, names[how], "boxed generic functions");
    const lb_type_code type = s->result_type();
    if (boxed)
        policy->combine = choose(how, &values);
    else if ((size_t)type < sizeof by_type / sizeof *by_type)
        policy->combine = choose(how, &by_type[type]);
    return policy->combine ? LB_OK
                           : refuse(s, names[how], "arithmetic results");
}
