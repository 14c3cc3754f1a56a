/* object/symbol.h - interning. */
#ifndef LBI_OBJECT_SYMBOL_H
#define LBI_OBJECT_SYMBOL_H

#include "object/space.h"

/* The symbol of a text, or NULL. Locked. */
lbi_symbol *lbi_symbol_find(const lbi_space *space, const char *text);
/* The same, made if need be; NULL without memory. Locked. */
lbi_symbol *lbi_symbol_make(lb_runtime *runtime, lbi_space *space,
                            const char *text);
void lbi_symbols_end(lb_runtime *runtime, lbi_space *space);

#endif
