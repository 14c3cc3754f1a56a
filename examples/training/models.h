/* models.h - the models that can be trained, by name.
 *
 * The loop in train.c knows a model only as a module: it calls lbo_forward and
 * lbo_module_backward. A new one is a function that makes it and a line in the
 * table of models.c; or a plug-in whose `load` calls models_add. */
#ifndef TRAINING_MODELS_H
#define TRAINING_MODELS_H

#include "data.h"

typedef struct model_options {
    const char *activation; /* NULL: the model's own */
    int64_t classes;        /* of the data */
    int64_t context;        /* of text */
    int64_t width;          /* 0: the model's own, as the next two */
    int64_t depth;
    double dropout;
} model_options;

typedef struct model {
    const char *name;
    data_kind kind;
    lb_status (*make)(lbo_context *context, const model_options *options,
                      lbo_module **result);
    int64_t steps; /* what suits it, where the caller does not say */
    int64_t batch;
    double rate;
} model;

/* Adds a model, found before those that are there; not copied. Returns false
 * when there is no room. */
LB_PUBLIC bool models_add(const model *added);

/* The model of that name (NULL: the one that was added last), or NULL. */
const model *models_find(const char *name);

/* Writes "mlp, cnn, gpt". */
void models_list(char *text, size_t size);

#endif
