/* formula.c - formulas over tensors: what they make, and give back together. */
#include "layers/formula.h"

#include <string.h>

lbo_tensor *lboi_formula_keep(lboi_formula *f, lb_status status,
                              lbo_tensor *const *tensor)
{
    if (status == LB_OK && f->count == LBOI_FORMULA_SIZE) {
        lbo_tensor_release(*tensor);
        status = lbo_fail(LB_LIMIT,
                          "a gradient's formula has more than %d "
                          "steps",
                          (int)LBOI_FORMULA_SIZE);
    }
    f->status = status;
    if (status != LB_OK)
        return NULL;
    f->made[f->count++] = *tensor;
    return *tensor;
}

lb_status lboi_formula_end(lboi_formula *f)
{
    while (f->count > 0)
        lbo_tensor_release(f->made[--f->count]);
    return f->status;
}

lbo_tensor *lboi_number(lboi_formula *f, double value)
{
    lbo_tensor *out = NULL;

    if (f->status != LB_OK)
        return NULL;
    return lboi_formula_keep(f, lbo_scalar(f->context, value, &out), &out);
}

lbo_tensor *lboi_like(lboi_formula *f, const lbo_spec *spec)
{
    static const int64_t none[LBO_MAX_DIMS] = {0};
    const lbo_spec point = {.device = spec->device, .dtype = spec->dtype};
    lbo_tensor *element = NULL, *view = NULL;

    if (f->status != LB_OK)
        return NULL;
    (void)lboi_formula_keep(f, lbo_tensor_create(f->context, &point, &element),
                            &element);
    if (f->status != LB_OK)
        return NULL;
    return lboi_formula_keep(
        f, lbo_tensor_view(element, 0, spec->ndim, spec->shape, none, &view),
        &view);
}
