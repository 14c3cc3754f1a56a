/* pending.c - stands in for what is not written yet; goes when all is. */
#include "operators/run.h"

static lb_status pending(const lbo_call *call, lbo_spec *out)
{
    (void)out;
    return lbo_fail(LB_BAD_ARGUMENT, "%s is not written yet",
                    call->op->spec.name);
}

#define LBOI_PENDING(name_)                                                    \
    __attribute__((weak))                                                      \
    const lbo_operator_spec lboi_spec_##name_ = {.name = #name_,               \
                                                 .dispatched = 1,              \
                                                 .in_count = 1,                \
                                                 .out_count = 1,               \
                                                 .infer = pending};
LBOI_EACH_OPERATOR(LBOI_PENDING)

__attribute__((weak)) lb_status lboi_models_init(lbo_library *library)
{
    (void)library;
    return LB_OK;
}
__attribute__((weak)) void lboi_history_release(lbo_tensor *tensor)
{
    (void)tensor;
}
