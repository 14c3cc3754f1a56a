/* grow.h - arrays that are doubled when they are full. */
#ifndef LBPY_GROW_H
#define LBPY_GROW_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* An array of `count` elements of `size` bytes, in memory of PyMem_Malloc (NULL:
 * none yet) for *room of them: the same or another one with room for one more.
 * NULL: MemoryError, and it is as it was. */
static inline void *lbpy_grown(void *array, size_t count, size_t *room,
                               size_t size)
{
    if (count < *room)
        return array;
    const size_t wanted = *room ? *room * 2 : 4;
    void *grown = PyMem_Realloc(array, wanted * size);
    if (grown == NULL)
        return PyErr_NoMemory();
    *room = wanted;
    return grown;
}

#endif
