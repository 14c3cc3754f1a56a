/* generic/plugin.c - opening and closing shared objects with methods.
 *
 * Unloading is: remove the group, wait until no call can be inside a method of
 * the plug-in, unload, dlclose. In this order nothing can call what is gone.
 */
#include "generic/plugin.h"

#include "core/reclaim.h"
#include "generic/generic.h"
#include "latebind/plugin.h"

#include <dlfcn.h>

struct lb_plugin {
    lb_runtime *runtime;
    lb_plugin *next, *previous; /* of the runtime */
    const lb_plugin_info *info;
    lb_group *group; /* NULL once detached */
    void *library;
    void *data;
};

static lb_status check_info(const lb_plugin_info *info, const char *path)
{
    if (info == NULL)
        return lbi_fail(LB_BAD_PLUGIN,
                        "%s exports no lb_plugin_entry; define one by "
                        "LB_PLUGIN",
                        path);
    if (info->abi != LB_ABI)
        return lbi_fail(LB_BAD_ABI,
                        "plug-in %s (%s) was built for LB_ABI %u, this "
                        "library has LB_ABI %u: rebuild the plug-in",
                        info->name ? info->name : "?", path, info->abi,
                        (unsigned)LB_ABI);
    if (info->name == NULL || info->load == NULL)
        return lbi_fail(LB_BAD_PLUGIN, "%s: its LB_PLUGIN lacks a %s", path,
                        info->name ? "load function" : "name");
    return LB_OK;
}

static lb_status load_library(const char *path, void **library,
                              const lb_plugin_info **info)
{
    *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (*library == NULL) {
        const char *why = dlerror();
        const bool head = why && strstr(why, "undefined symbol: lb_head_");
        return lbi_fail(LB_BAD_PLUGIN, "%s%s", why ? why : path,
                        head ? " (does the host export its generic functions, "
                               "-rdynamic?)"
                             : "");
    }
    *info = dlsym(*library, "lb_plugin_entry");
    const lb_status status = check_info(*info, path);
    if (status != LB_OK)
        dlclose(*library);
    return status;
}

static lb_status start(lb_plugin *plugin)
{
    lb_status status =
        lb_group_create(plugin->runtime, plugin->info->name, 0, &plugin->group);
    if (status != LB_OK)
        return status;
    status = plugin->info->load(plugin->runtime, plugin->group, &plugin->data);
    if (status != LB_OK) {
        lb_group_remove(plugin->group);
        return status;
    }
    status = lb_group_commit(plugin->group);
    if (status != LB_OK) {
        lb_group_remove(plugin->group);
        if (plugin->info->unload)
            plugin->info->unload(plugin->runtime, plugin->data);
    }
    return status;
}

static lb_status link_plugin(lb_plugin *plugin)
{
    lb_runtime *runtime = plugin->runtime;
    lb_status status = lbi_enter_runtime(runtime);
    if (status != LB_OK)
        return status;
    plugin->next = runtime->first_plugin;
    if (plugin->next)
        plugin->next->previous = plugin;
    runtime->first_plugin = plugin;
    return lbi_leave_runtime(runtime, LB_OK);
}

/* After a load that failed the library stays mapped: what it may have left
 * behind, generic functions or release hooks, is inside it. */
lb_status lb_plugin_open(lb_runtime *runtime, const char *path,
                         lb_plugin **result)
{
    if (runtime == NULL || path == NULL || result == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        !runtime ? "runtime"
                        : !path  ? "path"
                                 : "result");
    *result = NULL;
    lb_plugin *plugin = lbi_zalloc(&runtime->allocator, sizeof *plugin);
    if (plugin == NULL)
        return lbi_no_memory();
    plugin->runtime = runtime;
    lb_status status = load_library(path, &plugin->library, &plugin->info);
    if (status == LB_OK) {
        status = start(plugin);
        if (status == LB_OK)
            status = link_plugin(plugin);
    }
    if (status != LB_OK) {
        lbi_free(&runtime->allocator, plugin, sizeof *plugin);
        return status;
    }
    *result = plugin;
    return LB_OK;
}

lb_status lb_plugin_detach(lb_plugin *plugin)
{
    if (plugin == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "plugin is NULL");
    lb_group *group =
        __atomic_exchange_n(&plugin->group, NULL, __ATOMIC_ACQ_REL);
    if (group == NULL)
        return LB_OK;
    const lb_status status = lb_group_remove(group);
    if (status != LB_OK)
        lbi_store(&plugin->group, group); /* from inside a hook */
    return status;
}

static void unlink_plugin(lb_plugin *plugin)
{
    lb_runtime *runtime = plugin->runtime;
    if (plugin->previous)
        plugin->previous->next = plugin->next;
    else
        runtime->first_plugin = plugin->next;
    if (plugin->next)
        plugin->next->previous = plugin->previous;
}

static lb_status check_outside(lb_runtime *runtime)
{
    lb_status status = lbi_enter_runtime(runtime);
    if (status != LB_OK)
        return status;
    if (lbi_thread_reads(runtime))
        status = lbi_fail(LB_BUSY, "the calling thread is inside lb_enter; "
                                   "leave it before closing a plug-in");
    return lbi_leave_runtime(runtime, status);
}

static lb_status wait_for_calls(lb_runtime *runtime)
{
    return runtime->config.reclaim == LB_RECLAIM_EPOCH ? lb_synchronize(runtime)
                                                       : lb_quiesce(runtime);
}

static void finish(lb_plugin *plugin)
{
    if (plugin->info->unload)
        plugin->info->unload(plugin->runtime, plugin->data);
    /* What `unload` destroyed, and what calls held until now, may have release
     * hooks inside the plug-in. */
    wait_for_calls(plugin->runtime);
    lbi_wait_for_hooks(plugin->runtime);
    dlclose(plugin->library);
    lbi_free(&plugin->runtime->allocator, plugin, sizeof *plugin);
}

lb_status lb_plugin_close(lb_plugin *plugin)
{
    if (plugin == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "plugin is NULL");
    lb_runtime *runtime = plugin->runtime;
    lb_status status;
    if ((status = check_outside(runtime)) != LB_OK ||
        (status = lb_plugin_detach(plugin)) != LB_OK ||
        (status = wait_for_calls(runtime)) != LB_OK ||
        (status = lbi_enter_runtime(runtime)) != LB_OK)
        return status;
    unlink_plugin(plugin);
    lbi_leave_runtime(runtime, LB_OK);
    finish(plugin);
    return LB_OK;
}

const char *lb_plugin_name(const lb_plugin *plugin)
{
    return plugin->info->name;
}

/* The runtime has ended: its rules are gone, no call is in flight. */
void lbi_plugins_end(lb_runtime *runtime)
{
    while (runtime->first_plugin) {
        lb_plugin *plugin = runtime->first_plugin;
        unlink_plugin(plugin);
        dlclose(plugin->library);
        lbi_free(&runtime->allocator, plugin, sizeof *plugin);
    }
}
