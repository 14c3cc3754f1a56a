/* latebind/value.h - what stands for an argument where its C type is unknown.
 *
 * An lb_value holds the bytes of an argument of at most eight bytes (integers,
 * floats, pointers), else the address of it. lb_pack and lb_unpack are the
 * only two places that know.
 */
#ifndef LATEBIND_VALUE_H
#define LATEBIND_VALUE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef union lb_value {
    void *pointer;
    const void *constant;
    int64_t integer;
    uint64_t bits;
    double real;
} lb_value;

/* The first eight bytes of every object that is dispatched on: which class it
 * is of. `handle` is the class's id times 16 (the fast path's key), `serial`
 * the class's place in its runtime (what the slow path goes by). Written by
 * lb_init and lb_set_class only. ABI. */
typedef struct __attribute__((aligned(8))) lb_header {
    uint32_t handle;
    uint32_t serial;
} lb_header;

/* A fat reference: the class travels with the pointer, so the object needs no
 * header and the dispatch does not load it. ABI. */
typedef struct lb_ref {
    void *object;
    lb_header head;
} lb_ref;

/* Packs the `size` bytes at `from` (not NULL). A larger argument is referred
 * to, so it must outlive the value. Pure. */
static inline lb_value lb_pack(const void *from, size_t size)
{
    lb_value value;
    value.bits = 0;
    if (size <= sizeof value)
        memcpy(&value, from, size);
    else
        value.constant = from;
    return value;
}

/* Copies the `size` bytes of the argument that `value` stands for to `to`.
 * Pure. */
static inline void lb_unpack(void *to, size_t size, const lb_value *value)
{
    memcpy(to, size <= sizeof *value ? (const void *)value : value->constant,
           size);
}

/* A pointer as a value. Pure. */
static inline lb_value lb_pointer(const void *pointer)
{
    lb_value value;
    value.constant = pointer;
    return value;
}

/* An integer as a value. Pure. */
static inline lb_value lb_integer(int64_t integer)
{
    lb_value value;
    value.integer = integer;
    return value;
}

#ifdef __cplusplus
}
#endif
#endif
