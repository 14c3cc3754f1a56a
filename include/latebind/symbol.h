/* latebind/symbol.h - names of attributes, one symbol per name.
 *
 * A symbol is the place where a look-up begins: it owns a table from classes
 * to what that name means for their instances. It is made when a name is first
 * interned or first written, and lives as long as its runtime. Reading by a
 * text that nobody has written makes no symbol.
 */
#ifndef LATEBIND_SYMBOL_H
#define LATEBIND_SYMBOL_H

#include "latebind/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What callers' inlined code loads; the rest is the library's. ABI. */
typedef struct lb_symbol {
    const char *cells; /* of 16 bytes: {payload, word}, see object.h */
    uint32_t mask;     /* (cells - 1) * 16 */
    uint32_t hash;     /* of the text; a well mixed number */
    lb_runtime *runtime;
    const char *text;
} lb_symbol;

LBI_STATIC_ASSERT(offsetof(lb_symbol, mask) == 8 && sizeof(lb_symbol) == 32,
                  "lb_symbol is ABI");

/* The symbol of that text (copied; UTF-8 by convention, any bytes but NUL), made
 * if need be. The same text gives the same symbol, so symbols are compared as
 * pointers. NULL on failure (see lb_message): NULL arguments, no memory. Any
 * thread. Cost: a hash of the text, the lock. */
LB_PUBLIC const lb_symbol *lb_intern(lb_runtime *runtime, const char *text);

/* The symbol of that text, or NULL when there is none yet: then no object and
 * no class of the runtime has an attribute of that name. Makes nothing and
 * sets no message. Any thread. */
LB_PUBLIC const lb_symbol *lb_symbol_find(lb_runtime *runtime,
                                          const char *text);

#ifdef __cplusplus
}
#endif
#endif
