/* object/part.c - values wait in retired blocks, and are released by the
 * program's hook once the lock is free.
 */
#include "object/part.h"

#include "object/dictionary.h"

typedef struct departed {
    lbi_later later;
    lb_value value;
} departed;

static void release(lb_runtime *runtime, lb_value value)
{
    const lb_object_options *options = &runtime->space->options;
    options->release(options->context, value);
}

static void release_departed(lb_runtime *runtime, lbi_later *item)
{
    release(runtime, ((departed *)item)->value);
    lbi_block_free(runtime, item);
}

static void queue(lb_runtime *runtime, void *content)
{
    departed *d = content;
    d->later.call = release_departed;
    lbi_call_later(runtime, &d->later);
}

bool lbi_part_begin(lb_runtime *runtime, lbi_parting *parting)
{
    *parting = (lbi_parting){.wanted = runtime->space->options.release};
    if (parting->wanted)
        parting->block = lbi_block_alloc(runtime, sizeof(departed));
    return !parting->wanted || parting->block;
}

void lbi_part(lb_runtime *runtime, lbi_parting *parting, lb_value value)
{
    if (!parting->wanted)
        return;
    departed *d = parting->block;
    d->value = value;
    lbi_retire(runtime, d, queue);
    parting->wanted = false;
}

static void release_all(lb_runtime *runtime, lbi_later *item)
{
    lbi_holder *holder = (lbi_holder *)item;
    lb_attributes *dictionary = &holder->open;
    LBI_EACH_OWN (own, dictionary)
        release(runtime, own->value);
    lbi_block_free(runtime, holder);
}

void lbi_part_all(lb_runtime *runtime, void *content)
{
    lbi_holder *holder = content;
    if (runtime->space->options.release == NULL) {
        lbi_block_free(runtime, holder);
        return;
    }
    holder->later.call = release_all;
    lbi_call_later(runtime, &holder->later);
}
