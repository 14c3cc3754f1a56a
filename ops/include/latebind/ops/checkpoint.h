/* latebind/ops/checkpoint.h - saving and loading in the safetensors format.
 *
 * The file: 8 bytes with the header's length, little-endian; the header, JSON;
 * the tensors' bytes. Readable by every library that knows safetensors.
 */
#ifndef LATEBIND_OPS_CHECKPOINT_H
#define LATEBIND_OPS_CHECKPOINT_H

#include "latebind/ops/optimizer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Named tensors. */
typedef struct lbo_named {
    const char *name;
    lbo_tensor *tensor;
} lbo_named;

/* Writes the file anew, by way of PATH.tmp, so that an old one stays whole until
 * the new one is. metadata: pairs of texts, NULL if count is 0. */
LB_PUBLIC lb_status lbo_save_tensors(lbo_context *context, const char *path,
                                     const lbo_named *tensors, size_t count,
                                     const char *const (*metadata)[2],
                                     size_t metadata_count);

/* A file that was read. The tensors are on the context's device. */
typedef struct lbo_archive lbo_archive;

/* Reads a file. Everything in it is checked (lengths, types, overlaps, names)
 * before memory is taken. LB_BAD_ARGUMENT: the message says what is wrong, and
 * where; LB_NOT_FOUND: no such file. */
LB_PUBLIC lb_status lbo_load_tensors(lbo_context *context, const char *path,
                                     lbo_archive **result);
LB_PUBLIC void lbo_archive_destroy(lbo_archive *archive); /* NULL allowed */
LB_PUBLIC size_t lbo_archive_count(const lbo_archive *archive);
/* Both live as long as the archive; index in the order of the file. */
LB_PUBLIC lbo_named lbo_archive_at(const lbo_archive *archive, size_t index);
LB_PUBLIC lbo_tensor *lbo_archive_find(const lbo_archive *archive,
                                       const char *name);
LB_PUBLIC const char *lbo_archive_metadata(const lbo_archive *archive,
                                           const char *key);

/* A module's parameters and buffers by their paths. Loading wants the same names
 * and shapes (the message lists what is missing, and what is too much) and
 * changes nothing unless all fit. */
LB_PUBLIC lb_status lbo_module_save(lbo_context *context, lbo_module *module,
                                    const char *path);
LB_PUBLIC lb_status lbo_module_load(lbo_context *context, lbo_module *module,
                                    const char *path);

/* The same with an optimizer's steps and state (".optimizer.INDEX.PATH"), so that
 * training goes on as if it had never stopped. metadata: further texts; a file
 * of lbo_module_save has no state and is LB_NOT_FOUND. */
LB_PUBLIC lb_status lbo_training_save(lbo_context *context, lbo_module *module,
                                      lbo_optimizer *optimizer,
                                      const char *const (*metadata)[2],
                                      size_t metadata_count, const char *path);
LB_PUBLIC lb_status lbo_training_load(lbo_context *context, lbo_module *module,
                                      lbo_optimizer *optimizer,
                                      const char *path);

#ifdef __cplusplus
}
#endif
#endif
