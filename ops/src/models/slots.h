/* slots.h - what a module holds, for the files of this room. */
#ifndef LBO_MODELS_SLOTS_H
#define LBO_MODELS_SLOTS_H

#include "library.h"

typedef enum lboi_slot_kind {
    LBOI_PARAMETER,
    LBOI_BUFFER,
    LBOI_CHILD
} lboi_slot_kind;

typedef struct lboi_slot {
    char *name;
    lboi_slot_kind kind;
    lbo_tensor *tensor; /* kept; NULL for a child */
    lbo_module *child;  /* kept; NULL for tensors */
} lboi_slot;

struct lbo_slot_list {
    size_t count;
    size_t capacity;
    lboi_slot *at;
};

/* The tensor (child) that was added as number `index`; NULL past the end. */
static inline lbo_tensor *lboi_slot_tensor(const lbo_module *module,
                                           size_t index)
{
    return index < module->slots->count ? module->slots->at[index].tensor
                                        : NULL;
}

static inline lbo_module *lboi_slot_child(const lbo_module *module,
                                          size_t index)
{
    return index < module->slots->count ? module->slots->at[index].child : NULL;
}

/* Runs a part of a module: unlike lbo_forward it keeps neither input nor
 * output for a backward of the part alone. */
static inline lb_status lboi_forward_part(lbo_context *context,
                                          lbo_module *part, lbo_tensor *input,
                                          lbo_tensor **output)
{
    return lb_in_lbo_on_forward(part->library->functions[LBOI_FORWARD], part,
                                context, input, output);
}

/* Gives a module a child that the caller made for it; takes the caller's
 * reference whatever comes out. */
lb_status lboi_adopt(lbo_module *module, const char *name, lbo_module *child);

/* Makes the classes that come along: modules.c, attention.c, optimizer.c. */
lb_status lboi_modules_init(lbo_library *library);
lb_status lboi_attention_init(lbo_library *library);
lb_status lboi_optimizers_init(lbo_library *library);
/* A class below `module` with a forward. */
lb_status lboi_module_class_make(lbo_library *library, const char *name,
                                 size_t size, const lb_method *forward);

#endif
