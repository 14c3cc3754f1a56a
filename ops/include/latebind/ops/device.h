/* latebind/ops/device.h - where tensors live: a device is a class.
 *
 * Its functions are generic functions on device objects, so that a device
 * inherits what it does not do itself, and copying is chosen by both ends.
 * A plug-in makes a class below one that is there, adds methods, and calls
 * lbo_device_create:
 *
 *     LB_METHOD(lbo_on_allocate, mine_allocate);
 *     cls = lb_class_make(runtime, "mine", 0, lbo_device_class(library), NULL);
 *     ... lb_group_add(group, lbo_generic(library, "device.allocate"), rules, n) ...
 *     lbo_device_create(library, "mine", cls, data, &device);
 *     lbo_register_kernels(library, group, device, kernels, count);
 */
#ifndef LATEBIND_OPS_DEVICE_H
#define LATEBIND_OPS_DEVICE_H

#include "latebind/ops/tensor.h"
#include "latebind/plugin.h"
#include "latebind/typed.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    LBO_HOST = 1 /* its memory is addresses that the CPU may use */
};

/* The members may be read by anybody. */
struct lbo_device {
    lb_header head; /* of its class, e.g. `opencl device` */
    lbo_library *library;
    const char *name; /* "cpu", "opencl", "cuda:1": also its tensors' class */
    uint32_t flags;
    uint32_t index; /* of the devices in the library, 0 is the CPU */
    int64_t live;   /* storages that are alive; atomic */
    void *data;     /* the plug-in's */
    void *default_stream;
    lb_class *tensors;                  /* what all its tensors' classes derive
                                          from */
    lb_class *classes[LBO_DTYPE_COUNT]; /* `cpu.bool`, ..., `cpu.f64` */
    lb_header headers[LBO_DTYPE_COUNT]; /* of instances of these */
    int preference;          /* "auto" takes the highest; the CPU's is 0 */
    const char *description; /* e.g. the vendor's name for it; never NULL */
    uint32_t serial;         /* of the plug-in that made it; 0: none */
};

/* Bytes from one place to another. */
typedef struct lbo_transfer {
    void *to; /* the device's handle, of a host device an address */
    size_t to_offset;
    const void *from;
    size_t from_offset;
    size_t bytes;
    void *stream; /* of the end that is not the host; NULL: the default */
} lbo_transfer;

/* The heads of these are exported. */
#pragma GCC visibility push(default)

/* Memory of `bytes` (at least 1), aligned to 64. LB_NO_MEMORY. */
LB_GENERIC(lb_status, lbo_on_allocate, (ON, lbo_device *, device),
           (WITH, size_t, bytes), (WITH, void **, memory));
/* Gives back what lbo_on_allocate gave. The commands that use it may still be
 * waiting in the device's streams; it is for the device to order this. */
LB_GENERIC_VOID(lbo_on_free, (ON, lbo_device *, device), (WITH, void *, memory),
                (WITH, size_t, bytes));
/* Copies; does not return before the host's side may be used again. Between two
 * devices that do not know each other the method of `device` itself goes
 * through the host. */
LB_GENERIC(lb_status, lbo_on_copy, (ON, lbo_device *, to),
           (ON, lbo_device *, from), (WITH, const lbo_transfer *, copy));
/* Waits until everything in `stream` (NULL: in all) is done; gives the error of
 * what went wrong there. */
LB_GENERIC(lb_status, lbo_on_synchronize, (ON, lbo_device *, device),
           (WITH, void *, stream));
/* A stream is an order of commands; the base device has none (NULL). */
LB_GENERIC(lb_status, lbo_on_stream_create, (ON, lbo_device *, device),
           (WITH, void **, stream));
LB_GENERIC_VOID(lbo_on_stream_destroy, (ON, lbo_device *, device),
                (WITH, void *, stream));
/* An event is a place in a stream: recorded, waited for, and the time between
 * two in nanoseconds. The base device's is a clock reading. */
LB_GENERIC(lb_status, lbo_on_event_record, (ON, lbo_device *, device),
           (WITH, void *, stream), (WITH, void **, event));
LB_GENERIC(lb_status, lbo_on_event_wait, (ON, lbo_device *, device),
           (WITH, void *, event));
LB_GENERIC(lb_status, lbo_on_event_elapsed, (ON, lbo_device *, device),
           (WITH, void *, start), (WITH, void *, end), (WITH, double *, ns));
LB_GENERIC_VOID(lbo_on_event_destroy, (ON, lbo_device *, device),
                (WITH, void *, event));

#pragma GCC visibility pop

/* The class that all devices derive from; it has methods for everything but
 * allocate, free and copy to and from the host. */
LB_PUBLIC lb_class *lbo_device_class(lbo_library *library);

/* Makes a device known, with its nine classes of tensors.
 * name         copied; LB_EXISTS when taken
 * cls          of the device object itself
 * flags        LBO_HOST or 0
 * preference   what "auto" goes by; the CPU has 0
 * description  copied; NULL: the name
 * data         the plug-in's, found again in `data` */
LB_PUBLIC lb_status lbo_device_create(lbo_library *library, const char *name,
                                      lb_class *cls, uint32_t flags,
                                      int preference, const char *description,
                                      void *data, lbo_device **result);

/* Ends a device. LB_BUSY while storages of it are alive, or rules other than
 * those of its group name its classes; the message says how many or which. */
LB_PUBLIC lb_status lbo_device_destroy(lbo_device *device);

/* The device of that name; "auto": the one with the highest preference.
 * LB_NOT_FOUND: the message names those there are. */
LB_PUBLIC lb_status lbo_device_find(lbo_library *library, const char *name,
                                    lbo_device **result);

/* How many devices there are, and the one with that index (NULL: none). */
LB_PUBLIC size_t lbo_device_count(lbo_library *library);
LB_PUBLIC lbo_device *lbo_device_at(lbo_library *library, size_t index);

/* Waits until everything on the device is done. */
LB_PUBLIC lb_status lbo_synchronize(lbo_device *device);

#ifdef __cplusplus
}
#endif
#endif
