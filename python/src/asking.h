/* asking.h - which questions are running, in which threads.
 *
 * A question about hints or types may run Python code, and that may come to the
 * same question: it then goes on without the answer. Other threads that come to
 * it meanwhile ask for themselves.
 */
#ifndef LBPY_ASKING_H
#define LBPY_ASKING_H

#include "state.h"

/* One of them, on the stack of its thread. */
typedef struct lbpy_asking {
    const void *of, *about;
    unsigned long thread;
    struct lbpy_asking *outer;
} lbpy_asking;

static inline void lbpy_asking_begin(lbpy_asking **list, lbpy_asking *asking,
                                     const void *of, const void *about)
{
    *asking =
        (lbpy_asking){of, about, PyThread_get_thread_ident(), .outer = *list};
    *list = asking;
}

/* Those of several threads end in any order. */
static inline void lbpy_asking_end(lbpy_asking **list, lbpy_asking *asking)
{
    while (*list != asking)
        list = &(*list)->outer;
    *list = asking->outer;
}

/* Does this thread ask `of` (NULL: anybody) `about` it (NULL: anything)? */
static inline bool lbpy_is_asking(const lbpy_asking *list, const void *of,
                                  const void *about)
{
    const unsigned long thread = list ? PyThread_get_thread_ident() : 0;
    for (; list; list = list->outer)
        if (list->thread == thread && (of == NULL || list->of == of) &&
            (about == NULL || list->about == about))
            return true;
    return false;
}

/* Is the exception that is set what Python code has to say? Else it comes from
 * elsewhere, as an interrupt does, and is nobody's answer. */
static inline bool lbpy_is_answer(void)
{
    return PyErr_ExceptionMatches(PyExc_Exception) &&
           !PyErr_ExceptionMatches(PyExc_MemoryError);
}

#endif
