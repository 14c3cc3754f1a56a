/* promote.c - the type that several inputs have in common. */
#include "dispatch/promote.h"

/* The usual case: two inputs of one type, both promoted. */
static inline bool is_settled(const lbo_call *call)
{
    const lbo_operator_spec *const spec = &call->op->spec;

    return call->in_count == 2 && spec->promoted == 0 && call->in[1] != NULL &&
           call->in[0]->dtype == call->in[1]->dtype &&
           !((call->in[0]->flags | call->in[1]->flags) & LBO_WEAK) &&
           !(spec->flags & LBO_TO_FLOAT);
}

lbo_dtype lboi_common_dtype(const lbo_call *call)
{
    const lbo_operator_spec *const spec = &call->op->spec;
    int strong = LBO_ANY_DTYPE, weak = LBO_ANY_DTYPE;

    if (LB_LIKELY(is_settled(call)))
        return (lbo_dtype)call->in[0]->dtype;

    for (uint32_t i = 0; i < call->in_count; i++) {
        const lbo_tensor *const in = call->in[i];
        if (in == NULL ||
            (spec->promoted != 0 && i < 32 && !(spec->promoted >> i & 1)))
            continue;
        int *const into = in->flags & LBO_WEAK ? &weak : &strong;
        *into = *into < 0
                    ? in->dtype
                    : (int)lbo_promote((lbo_dtype)*into, (lbo_dtype)in->dtype);
    }
    lbo_dtype type = strong < 0 ? (lbo_dtype)weak
                     : weak < 0
                         ? (lbo_dtype)strong
                         : lbo_promote_weak((lbo_dtype)strong, (lbo_dtype)weak);
    if (spec->flags & LBO_TO_FLOAT && lbo_dtype_kind(type) != LBO_KIND_FLOATING)
        type = LBO_F32;
    return type;
}
