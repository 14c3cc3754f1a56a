/* device.c - the CPU as a device: memory aligned for vectors, copied by memcpy.
 */
#include "cpu/tables.h"

#include <string.h>

LB_METHOD(lbo_on_allocate, cpu_allocate);
LB_METHOD(lbo_on_free, cpu_free);
LB_METHOD(lbo_on_copy, cpu_copy);

enum { ALIGN = 64 };

/* The hook promises alignment for any C type; the block begins earlier, and the
 * byte before the memory says by how much. */
static lb_status cpu_allocate(lb_slot slot, lbo_device *device, size_t bytes,
                              void **memory)
{
    unsigned char *const block =
        bytes > SIZE_MAX - ALIGN ? NULL
                                 : lboi_alloc(device->library, bytes + ALIGN);

    LB_IGNORE(slot);
    if (block == NULL)
        return lbo_fail(LB_NO_MEMORY, "no memory for %zu bytes", bytes);
    const size_t gap = ALIGN - (uintptr_t)block % ALIGN;
    block[gap - 1] = (unsigned char)gap;
    *memory = block + gap;
    return LB_OK;
}

static void cpu_free(lb_slot slot, lbo_device *device, void *memory,
                     size_t bytes)
{
    unsigned char *const at = memory;

    LB_IGNORE(slot);
    lboi_free(device->library, at - at[-1], bytes + ALIGN);
}

static lb_status cpu_copy(lb_slot slot, lbo_device *to, lbo_device *from,
                          const lbo_transfer *copy)
{
    LB_IGNORE(slot);
    (void)to;
    (void)from;
    memmove((char *)copy->to + copy->to_offset,
            (const char *)copy->from + copy->from_offset, copy->bytes);
    return LB_OK;
}

static lb_status add_methods(lbo_library *library, lb_class *cls)
{
    lb_class *const both[LB_MAX_DISPATCH] = {cls, cls};
    lb_status status = lb_add_classes(library->functions[LBOI_ALLOCATE],
                                      LB_DESCRIPTOR(cpu_allocate), both);

    if (status == LB_OK)
        status = lb_add_classes(library->functions[LBOI_FREE],
                                LB_DESCRIPTOR(cpu_free), both);
    if (status == LB_OK)
        status = lb_add_classes(library->functions[LBOI_COPY],
                                LB_DESCRIPTOR(cpu_copy), both);
    return status;
}

lb_status lboi_cpu_init(lbo_library *library)
{
    static const lboi_table *const tables[] = {
#define LBOI_TABLE(name) &lboi_cpu_##name,
        LBOI_EACH_TABLE(LBOI_TABLE)
#undef LBOI_TABLE
    };
    lb_class *const cls = lb_class_make(library->runtime, "cpu device", 0,
                                        library->devices_class, NULL);
    lb_status status = cls == NULL ? LB_NO_MEMORY : add_methods(library, cls);

    if (status == LB_OK)
        status = lbo_device_create(library, "cpu", cls, LBO_HOST, 0, NULL, NULL,
                                   &library->cpu);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (status == LB_OK)
            status = lbo_register_kernels(library, NULL, library->cpu,
                                          tables[i]->kernels, tables[i]->count);
    return status;
}
