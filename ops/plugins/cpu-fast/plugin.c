/* plugin.c - cpu-fast: kernels of the CPU by OpenBLAS, SLEEF and oneDNN.
 *
 * They come before the library's own for f32 and f64, and leave these in place:
 * when the plug-in is closed they run again. The plug-in links what the library
 * does not.
 */
#define _GNU_SOURCE /* dladdr, RTLD_NODELETE */
#include "cpu_fast.h"

#include <cblas.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

const fast_set *fast_chosen = &fast_set_base;

/* LATEBIND_OPS_LOOPS=portable (or avx2) takes a lesser set than there is, so that
 * it can be tested. */
static const fast_set *choose(void)
{
#ifdef FAST_HAVE_X86
    const char *const wanted = getenv("LATEBIND_OPS_LOOPS");
    const char *const most = wanted != NULL ? wanted : "";

    if (strcmp(most, "portable") == 0)
        return &fast_set_base;
    if (__builtin_cpu_supports("avx512f") && strcmp(most, "avx2") != 0)
        return &fast_set_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &fast_set_avx2;
#endif
    return &fast_set_base;
}

/* Its threads may be waiting in it. */
void fast_pin(uintptr_t function)
{
    Dl_info info;

    if (function != 0 && dladdr((const void *)function, &info) != 0)
        (void)dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
}

static lb_status load(lb_runtime *runtime, lb_group *group, void **data)
{
    static const fast_table *const tables[] = {&fast_products, &fast_maps,
                                               &fast_rows, &fast_steps,
                                               &fast_convolutions};
    lbo_library *const library = lbo_library_of(runtime);
    lbo_device *cpu;
    lb_status status;

    *data = NULL;
    if (library == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "cpu-fast: the runtime is not that of a library of "
                        "operators");
    __atomic_store_n(&fast_chosen, choose(), __ATOMIC_RELAXED);
    fast_pin((uintptr_t)cblas_sgemm);
    fast_convolutions_begin();
    status = lbo_device_find(library, "cpu", &cpu);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (status == LB_OK)
            status = lbo_register_kernels(library, group, cpu,
                                          tables[i]->kernels, tables[i]->count);
    return status;
}

static void unload(lb_runtime *runtime, void *data)
{
    (void)runtime;
    (void)data;
    fast_convolutions_end();
}

LB_PLUGIN("cpu-fast", load, unload);
