/* attribute_peers.h - other languages' look-up of attributes, on the classes of
 * one small program: class X, class Y(X) with many names in its dictionary, y
 * an instance of Y without attributes of its own.
 *
 * A language is opened with the program; then each of its loops goes over
 * names, in a form of its own, and counts those that y has. A language that is
 * not installed is not there: its `open` is NULL.
 */
#ifndef BENCH_ATTRIBUTE_PEERS_H
#define BENCH_ATTRIBUTE_PEERS_H

#include "loops.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct attribute_program {
    const char *const *of_x; /* names in X's dictionary */
    size_t of_x_count;
    const char *const *of_y; /* in Y's */
    size_t of_y_count;
    int methods; /* X's are methods; else, as Y's, the number 1 */
} attribute_program;

typedef struct attribute_language {
    const char *name, *version;
    int (*open)(const attribute_program *program); /* 0 on failure */
    void (*close)(void);
} attribute_language;

typedef struct attribute_peer {
    const attribute_language *language;
    const char *name;
    /* `count` items for the loops, over the names in turn; by free, before the
     * language is closed. NULL: no memory. */
    void *(*items)(const char *const *names, size_t name_count, size_t count);
    bench_loop *const *loops;
} attribute_peer;

extern const attribute_language bench_python, bench_lua;

/* PyObject_GetAttr with interned names. */
extern const attribute_peer bench_python_get;
/* lua_getfield with the name's text; lua_gettable with a string of Lua's. */
extern const attribute_peer bench_lua_field, bench_lua_table;

#ifdef __cplusplus
}
#endif
#endif
