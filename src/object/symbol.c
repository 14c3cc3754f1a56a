/* object/symbol.c - one symbol per text, in a hash table under the lock. */
#include "object/symbol.h"

#include "base/hash.h"

#include "core/reclaim.h"

lbi_symbol *lbi_symbol_find(const lbi_space *space, const char *text)
{
    const uint64_t hash = lbi_hash_text(text);
    for (lbi_link *l = lbi_map_chain(&space->symbols, hash); l; l = l->next) {
        lbi_symbol *symbol = lbi_linked_symbol(l);
        if (l->hash == hash && strcmp(symbol->open.text, text) == 0)
            return symbol;
    }
    return NULL;
}

static size_t bytes_of(const lbi_symbol *symbol)
{
    return sizeof *symbol + strlen(symbol->open.text) + 1;
}

lbi_symbol *lbi_symbol_make(lb_runtime *runtime, lbi_space *space,
                            const char *text)
{
    lbi_allocator *allocator = &runtime->allocator;
    lbi_symbol *symbol = lbi_symbol_find(space, text);
    if (symbol)
        return symbol;
    if (!lbi_map_reserve(&space->symbols, allocator, 1))
        return NULL;
    symbol = lbi_zalloc(allocator, sizeof *symbol);
    char *copy = lbi_copy_text(allocator, text);
    if (symbol == NULL || copy == NULL) {
        lbi_free(allocator, symbol, sizeof *symbol);
        lbi_free_text(allocator, copy);
        return NULL;
    }
    const uint64_t hash = lbi_hash_text(text);
    symbol->open = (lb_symbol){.cells = (const char *)lb_empty_table,
                               .hash = (uint32_t)lbi_hash_word(hash),
                               .runtime = runtime,
                               .text = copy};
    lbi_map_add(&space->symbols, &symbol->link, hash);
    symbol->next = space->first_symbol;
    space->first_symbol = symbol;
    space->counters.symbols++;
    space->symbol_bytes += bytes_of(symbol);
    return symbol;
}

void lbi_symbols_end(lb_runtime *runtime, lbi_space *space)
{
    lbi_symbol *next;
    for (lbi_symbol *s = space->first_symbol; s; s = next) {
        next = s->next;
        lbi_block_free(runtime, s->cells);
        lbi_free_text(&runtime->allocator, (char *)(uintptr_t)s->open.text);
        lbi_free(&runtime->allocator, s, sizeof *s);
    }
    lbi_map_free(&space->symbols, &runtime->allocator);
}

const lb_symbol *lb_intern(lb_runtime *runtime, const char *text)
{
    if (runtime == NULL || text == NULL) {
        lbi_fail(LB_BAD_ARGUMENT, "%s is NULL", runtime ? "text" : "runtime");
        return NULL;
    }
    if (lbi_enter_runtime(runtime) != LB_OK)
        return NULL;
    lbi_space *space = lbi_space_of(runtime);
    lbi_symbol *symbol = space ? lbi_symbol_make(runtime, space, text) : NULL;
    lbi_leave_runtime(runtime, symbol ? LB_OK : lbi_no_memory());
    return symbol ? &symbol->open : NULL;
}

const lb_symbol *lb_symbol_find(lb_runtime *runtime, const char *text)
{
    if (runtime == NULL || text == NULL || lbi_enter_runtime(runtime) != LB_OK)
        return NULL;
    const lbi_symbol *symbol =
        runtime->space ? lbi_symbol_find(runtime->space, text) : NULL;
    lbi_leave_quietly(runtime);
    return symbol ? &symbol->open : NULL;
}
