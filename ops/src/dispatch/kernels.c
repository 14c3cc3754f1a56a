/* kernels.c - tables of kernels become rules. */
#include "library.h"

#include <string.h>

static bool is_dtype(int dtype)
{
    return dtype >= LBO_ANY_DTYPE && dtype < LBO_DTYPE_COUNT;
}

static lb_status check_kernel(const lbo_kernel *kernel, size_t index)
{
    if (kernel->op == NULL || kernel->method == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "kernel %zu: its operator or its method is NULL",
                        index);
    if (!is_dtype(kernel->a) || !is_dtype(kernel->b))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "kernel %s: types %d and %d; there are 0 (bool) to %d "
                        "(f64), and -1 for any",
                        kernel->method->name, kernel->a, kernel->b,
                        LBO_DTYPE_COUNT - 1);
    return LB_OK;
}

/* All that a table needs, found before anything is added. */
static lb_status find_operators(lbo_library *library, const lbo_kernel *kernels,
                                size_t count, const lbo_operator **found)
{
    for (size_t i = 0; i < count; i++) {
        const lb_status status = check_kernel(&kernels[i], i);
        if (status != LB_OK)
            return status;
        found[i] = lbo_operator_find(library, kernels[i].op);
        if (found[i] == NULL)
            return lbo_fail(LB_NOT_FOUND,
                            "kernel %s: there is no operator \"%s\"",
                            kernels[i].method->name, kernels[i].op);
    }
    return LB_OK;
}

static lb_class *class_for(const lbo_device *device, int dtype)
{
    return dtype == LBO_ANY_DTYPE ? device->tensors : device->classes[dtype];
}

/* A kernel that comes later, for the very types of one that the library brought,
 * is more special than that one by the context: it comes first, and leaves the
 * other in place for when it goes. For kernels of any type that would be
 * ambiguous. */
static lb_rule rule_for(const lbo_operator *op, const lbo_device *device,
                        const lbo_kernel *kernel, lb_specializer *s)
{
    const bool special =
        kernel->a != LBO_ANY_DTYPE &&
        (op->spec.dispatched < 2 || kernel->b != LBO_ANY_DTYPE);

    s[0] =
        op->library->ready && special ? lb_is(op->library->contexts) : lb_any();
    s[1] = lb_is(class_for(device, kernel->a));
    s[2] = lb_is(class_for(device, kernel->b));
    return (lb_rule){.method = kernel->method,
                     .specializers = s,
                     .count = op->spec.dispatched == 2 ? 3 : 2,
                     .context = kernel->context};
}

static lb_status add_all(lb_group *group, const lbo_device *device,
                         const lbo_kernel *kernels, size_t count,
                         const lbo_operator *const *found)
{
    lb_status status = LB_OK;

    for (size_t i = 0; i < count && status == LB_OK; i++) {
        lb_specializer specializers[3];
        const lb_rule rule =
            rule_for(found[i], device, &kernels[i], specializers);
        status = lb_group_add(group, found[i]->generic, &rule, 1);
    }
    return status;
}

void lboi_forget_kernels(lbo_library *library, const lbo_device *device,
                         const lbo_operator *op, uint32_t serial)
{
    size_t kept = 0;

    for (size_t i = 0; i < library->known_count; i++) {
        const lboi_known *const known = &library->known[i];
        if (known->device == device || known->op == op ||
            (serial != 0 && known->serial == serial))
            lboi_free_text(library, (char *)(uintptr_t)known->provider);
        else
            library->known[kept++] = *known;
    }
    library->known_count = kept;
}

/* For messages; not having memory for it is no failure. */
static void remember(lbo_library *library, lbo_device *device,
                     const lbo_kernel *kernels, size_t count,
                     const lbo_operator *const *found)
{
    pthread_mutex_lock(&library->mutex);
    if (lboi_reserve(library, &library->known, &library->known_capacity,
                     library->known_count + count, sizeof *library->known))
        for (size_t i = 0; i < count; i++) {
            char *const provider =
                lboi_copy_text(library, kernels[i].method->name);
            if (provider == NULL)
                break;
            library->known[library->known_count++] =
                (lboi_known){.op = found[i],
                             .device = device,
                             .a = kernels[i].a,
                             .b = kernels[i].b,
                             .serial = lboi_opening(library),
                             .provider = provider};
        }
    pthread_mutex_unlock(&library->mutex);
}

static lb_status register_found(lbo_library *library, lb_group *group,
                                lbo_device *device, const lbo_kernel *kernels,
                                size_t count, const lbo_operator **found)
{
    lb_group *own = NULL;
    lb_status status = find_operators(library, kernels, count, found);

    if (status == LB_OK && group == NULL)
        status = lb_group_create(library->runtime, device->name, 0, &own);
    if (status != LB_OK)
        return status;
    status = add_all(own ? own : group, device, kernels, count, found);
    if (own != NULL && status == LB_OK)
        status = lb_group_commit(own);
    if (own != NULL && status != LB_OK)
        (void)lb_group_remove(own);
    if (status == LB_OK)
        remember(library, device, kernels, count, found);
    return status;
}

lb_status lbo_register_kernels(lbo_library *library, lb_group *group,
                               lbo_device *device, const lbo_kernel *kernels,
                               size_t count)
{
    if (library == NULL || device == NULL || (kernels == NULL && count > 0))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_register_kernels: an argument is NULL");
    if (count == 0)
        return LB_OK;
    const lbo_operator **const found =
        lboi_alloc(library, count * sizeof *found);
    if (found == NULL)
        return LB_NO_MEMORY;
    const lb_status status =
        register_found(library, group, device, kernels, count, found);
    lboi_free(library, found, count * sizeof *found);
    return status;
}
