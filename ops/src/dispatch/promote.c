/* promote.c - the type that several inputs have in common. */
#include "dispatch/promote.h"

lbo_dtype lboi_common_dtype(const lbo_call *call)
{
    const lbo_operator_spec *const spec = &call->op->spec;
    int strong = LBO_ANY_DTYPE, weak = LBO_ANY_DTYPE;

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
    lbo_dtype type = strong < 0 ? (weak == LBO_F64 ? LBO_F32 : (lbo_dtype)weak)
                     : weak < 0
                         ? (lbo_dtype)strong
                         : lbo_promote_weak((lbo_dtype)strong, (lbo_dtype)weak);
    if (spec->flags & LBO_TO_FLOAT && lbo_dtype_kind(type) != LBO_KIND_FLOATING)
        type = LBO_F32;
    return type;
}
