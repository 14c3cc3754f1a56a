/* tensor/storage.h - memory of a device, counted. */
#ifndef LBO_TENSOR_STORAGE_H
#define LBO_TENSOR_STORAGE_H

#include "library.h"

/* `bytes` of `device` with one reference. */
lb_status lboi_storage_create(lbo_device *device, size_t bytes,
                              lbo_storage **result);
/* Over memory of somebody else. */
lb_status lboi_storage_wrap(lbo_device *device, void *memory, size_t bytes,
                            uint32_t flags, void (*release)(void *owner),
                            void *owner, lbo_storage **result);
void lboi_storage_release(lbo_storage *storage);

#endif
