/* latebind/plugin.h - shared objects that add methods to a host's generics.
 *
 * A plug-in defines, once,
 *     LB_PLUGIN("splines", load, unload)
 * where load adds rules to the group it is handed (and may make classes), and
 * unload undoes what else load did. The host opens it by path; its rules
 * appear in one step, and go in one step.
 *
 * A plug-in that uses the host's typed generic functions finds their heads
 * (lb_head_area) in the host, which must export them: link it with -rdynamic,
 * or Meson's export_dynamic. To take a plug-in away while threads call: stop
 * making objects of its classes and end those there are, then close it. A
 * class that unload destroys must not be named by rules; those of the group
 * are gone by then. In load, do what may fail before adding to the group: what
 * the group holds cannot be destroyed.
 */
#ifndef LATEBIND_PLUGIN_H
#define LATEBIND_PLUGIN_H

#include "latebind/generic.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lb_plugin lb_plugin;

/* What LB_PLUGIN exports under the name lb_plugin_entry. ABI: the first member
 * stays the first for ever. */
typedef struct lb_plugin_info {
    uint32_t abi;
    const char *name;
    /* Adds to `group`. A status other than LB_OK: nothing is added, unload
     * is not called, and the library stays mapped. `*data` is the
     * plug-in's own. */
    lb_status (*load)(lb_runtime *runtime, lb_group *group, void **data);
    /* Called when no method of the plug-in can run any more. May be NULL. Not
     * called when the runtime ends before the plug-in was closed. */
    void (*unload)(lb_runtime *runtime, void *data);
} lb_plugin_info;

#ifdef __cplusplus
#define LBI_PLUGIN_LINKAGE extern "C"
#else
#define LBI_PLUGIN_LINKAGE extern
#endif

#define LB_PLUGIN(name, load, unload)                                          \
    LBI_PLUGIN_LINKAGE LB_PUBLIC const lb_plugin_info lb_plugin_entry;         \
    const lb_plugin_info lb_plugin_entry = {LB_ABI, name, load, unload}

/* Opens the plug-in in the file `path` and publishes its rules.
 * Errors: LB_BAD_PLUGIN (not loadable: the loader's words are in the message;
 * or no lb_plugin_entry), LB_BAD_ABI (both numbers and the name are in the
 * message), what load returned, what lb_group_commit returns. Any thread. */
LB_PUBLIC lb_status lb_plugin_open(lb_runtime *runtime, const char *path,
                                   lb_plugin **result);

/* Takes the plug-in's rules away in one step; calls in flight finish on them.
 * Any thread, at any time; calling it again does nothing. */
LB_PUBLIC lb_status lb_plugin_detach(lb_plugin *plugin);

/* Detaches, waits for quiescence, calls unload, unloads the shared object.
 * With LB_RECLAIM_EPOCH other threads may go on calling: it waits for them
 * (the caller must not be inside lb_enter: LB_BUSY, nothing done). Not from
 * inside a report or release hook, for which it would wait. Otherwise
 * calling it states, like lb_quiesce, that no dispatch is in flight. */
LB_PUBLIC lb_status lb_plugin_close(lb_plugin *plugin);

/* The name that the plug-in gave itself; lives as long as it is open. */
LB_PUBLIC const char *lb_plugin_name(const lb_plugin *plugin);

#ifdef __cplusplus
}
#endif
#endif
