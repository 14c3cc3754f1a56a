/* plugin.c - opening plug-ins, and closing them with all that they brought. */
#define _GNU_SOURCE /* dladdr */
#include "library.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- opening --------------------------------------------------------------- */

static bool is_file(const char *path)
{
    return access(path, R_OK) == 0;
}

/* FOLDER/latebind-ops-NAME.so, if it is there. */
static bool in_folder(const char *folder, size_t length, const char *name,
                      char *path, size_t capacity)
{
    const int wrote = snprintf(path, capacity, "%.*s/latebind-ops-%s.so",
                               (int)length, folder, name);

    return wrote > 0 && (size_t)wrote < capacity && is_file(path);
}

/* The folder that this library lies in has ours in `latebind-ops` or beside. */
static bool beside_library(const char *name, char *path, size_t capacity)
{
    char folder[PATH_MAX];
    Dl_info info;

    if (dladdr((void *)(uintptr_t)lbo_plugin_open, &info) == 0 ||
        info.dli_fname == NULL || strlen(info.dli_fname) + 16 > sizeof folder)
        return false;
    strcpy(folder, info.dli_fname);
    char *const slash = strrchr(folder, '/');
    if (slash == NULL)
        return false;
    const size_t length = (size_t)(slash - folder);
    strcpy(slash, "/latebind-ops");
    return in_folder(folder, strlen(folder), name, path, capacity) ||
           in_folder(folder, length, name, path, capacity);
}

static bool find_plugin(const char *name, char *path, size_t capacity)
{
    const char *folders = getenv("LATEBIND_OPS_PLUGINS");

    if (strchr(name, '/') != NULL || is_file(name)) {
        const int wrote = snprintf(path, capacity, "%s", name);
        return wrote >= 0 && (size_t)wrote < capacity;
    }
    while (folders != NULL && *folders != '\0') {
        const size_t length = strcspn(folders, ":");
        if (in_folder(folders, length, name, path, capacity))
            return true;
        folders += length + (folders[length] == ':');
    }
    return beside_library(name, path, capacity);
}

/* What is made while `load` runs, in its thread, is the plug-in's: it carries the
 * plug-in's number. */
uint32_t lboi_opening(const lbo_library *library)
{
    const uint32_t serial =
        __atomic_load_n(&library->opening, __ATOMIC_ACQUIRE);

    return serial != 0 && pthread_equal(library->opener, pthread_self())
               ? serial
               : 0;
}

static lb_status open_and_keep(lbo_library *library, const char *path,
                               lb_plugin **result)
{
    const uint32_t serial = library->last_serial + 1;

    if (!lboi_reserve(library, &library->plugins, &library->plugin_capacity,
                      library->plugin_count + 1, sizeof *library->plugins))
        return LB_NO_MEMORY;
    library->opener = pthread_self();
    __atomic_store_n(&library->opening, serial, __ATOMIC_RELEASE);
    const lb_status status = lb_plugin_open(library->runtime, path, result);
    __atomic_store_n(&library->opening, 0, __ATOMIC_RELEASE);
    library->last_serial = serial;
    if (status == LB_OK)
        library->plugins[library->plugin_count++] =
            (lboi_plugin){*result, serial};
    return status;
}

lb_status lbo_plugin_open(lbo_library *library, const char *name,
                          lb_plugin **result)
{
    char path[PATH_MAX];
    lb_plugin *plugin;

    if (library == NULL || name == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_plugin_open: an argument is NULL");
    if (!find_plugin(name, path, sizeof path))
        return lbo_fail(LB_NOT_FOUND,
                        "plug-in \"%s\": neither a file nor in "
                        "LATEBIND_OPS_PLUGINS nor beside the library",
                        name);
    pthread_mutex_lock(&library->plugin_mutex);
    const lb_status status = open_and_keep(library, path, &plugin);
    pthread_mutex_unlock(&library->plugin_mutex);
    if (status == LB_OK && result != NULL)
        *result = plugin;
    return status;
}

/* ---- closing --------------------------------------------------------------- */

/* LB_BUSY while somebody still has what the plug-in brought. Under the mutexes. */
static lb_status check_unused(const lbo_library *library, uint32_t serial,
                              const char *name)
{
    for (size_t i = 0; i < library->device_count; i++) {
        const lbo_device *const device = library->devices[i];
        const int64_t live =
            device != NULL && device->serial == serial
                ? __atomic_load_n(&device->live, __ATOMIC_ACQUIRE)
                : 0;
        if (live != 0)
            return lbo_fail(LB_BUSY,
                            "plug-in %s: %lld storages of device %s are alive",
                            name, (long long)live, device->name);
    }
    for (size_t i = 0; i < library->operator_count; i++) {
        const lbo_operator *const op = library->operators[i];
        const int64_t live =
            op->serial == serial
                ? __atomic_load_n(&op->recorded, __ATOMIC_ACQUIRE)
                : 0;
        if (live != 0)
            return lbo_fail(LB_BUSY,
                            "plug-in %s: %lld recorded calls of operator %s "
                            "are alive",
                            name, (long long)live, op->spec.name);
    }
    for (size_t i = 0; i < library->layer_count; i++)
        if (library->layers[i]->serial == serial &&
            library->layers[i]->active != 0)
            return lbo_fail(LB_BUSY, "plug-in %s: its layer %s is active", name,
                            library->layers[i]->name);
    return LB_OK;
}

static lb_status check_busy(lbo_library *library, uint32_t serial,
                            const char *name)
{
    pthread_mutex_lock(&library->layer_mutex);
    pthread_mutex_lock(&library->mutex);
    const lb_status status = check_unused(library, serial, name);
    pthread_mutex_unlock(&library->mutex);
    pthread_mutex_unlock(&library->layer_mutex);
    return status;
}

/* The last layer of the plug-in, or NULL. */
static lbo_layer *layer_of(lbo_library *library, uint32_t serial)
{
    lbo_layer *found = NULL;

    pthread_mutex_lock(&library->layer_mutex);
    for (size_t i = 0; i < library->layer_count; i++)
        if (library->layers[i]->serial == serial)
            found = library->layers[i];
    pthread_mutex_unlock(&library->layer_mutex);
    return found;
}

/* Takes an operator out of the list. Under the mutex. */
static void forget_operator(lbo_library *library, const lbo_operator *op)
{
    for (size_t i = op->index + 1; i < library->operator_count; i++) {
        library->operators[i]->index--;
        library->operators[i - 1] = library->operators[i];
    }
    library->operator_count--;
    lboi_forget_kernels(library, NULL, op, 0);
}

/* The plug-in's last operator, out of the list; NULL: there is none. */
static lbo_operator *take_operator(lbo_library *library, uint32_t serial)
{
    lbo_operator *found = NULL;

    pthread_mutex_lock(&library->layer_mutex);
    pthread_mutex_lock(&library->mutex);
    for (size_t i = 0; i < library->operator_count; i++)
        if (library->operators[i]->serial == serial)
            found = library->operators[i];
    if (found != NULL)
        forget_operator(library, found);
    pthread_mutex_unlock(&library->mutex);
    pthread_mutex_unlock(&library->layer_mutex);
    return found;
}

/* 1. nobody may have anything of it
 * 2. its rules go; calls in flight finish
 * 3. its layers and operators go, which no call can reach now
 * 4. unload, and the file */
static lb_status close_and_forget(lbo_library *library, size_t at)
{
    const lboi_plugin entry = library->plugins[at];
    lb_status status =
        check_busy(library, entry.serial, lb_plugin_name(entry.plugin));

    if (status == LB_OK)
        status = lb_plugin_detach(entry.plugin);
    if (status == LB_OK)
        status = lb_synchronize(library->runtime);
    if (status == LB_OK) /* a call in flight may have recorded itself */
        status =
            check_busy(library, entry.serial, lb_plugin_name(entry.plugin));
    if (status != LB_OK)
        return status;
    pthread_mutex_lock(&library->mutex);
    lboi_forget_kernels(library, NULL, NULL, entry.serial);
    pthread_mutex_unlock(&library->mutex);
    for (lbo_layer *l = layer_of(library, entry.serial);
         l != NULL && status == LB_OK; l = layer_of(library, entry.serial))
        status = lbo_layer_destroy(l);
    if (status != LB_OK)
        return status;
    for (lbo_operator *op = take_operator(library, entry.serial); op != NULL;
         op = take_operator(library, entry.serial)) {
        (void)lb_generic_destroy(op->generic);
        lboi_operator_free(op);
    }
    if (status == LB_OK)
        status = lb_plugin_close(entry.plugin);
    if (status == LB_OK)
        library->plugins[at] = library->plugins[--library->plugin_count];
    return status;
}

/* Nobody has anything of them any more: nothing is in the way. */
void lboi_plugins_end(lbo_library *library)
{
    while (library->plugin_count > 0) {
        const size_t last = library->plugin_count - 1;
        if (close_and_forget(library, last) != LB_OK)
            library->plugin_count = last;
    }
}

lb_status lbo_plugin_close(lbo_library *library, lb_plugin *plugin)
{
    if (library == NULL || plugin == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_plugin_close: an argument is NULL");
    pthread_mutex_lock(&library->plugin_mutex);
    size_t at = 0;
    while (at < library->plugin_count && library->plugins[at].plugin != plugin)
        at++;
    const lb_status status =
        at == library->plugin_count
            ? lbo_fail(LB_NOT_FOUND, "lbo_plugin_close: it is not open here")
            : close_and_forget(library, at);
    pthread_mutex_unlock(&library->plugin_mutex);
    return status;
}

lb_status lbo_open_all(lbo_library *library)
{
    static const char *const names[] = {"cpu-fast", "opencl", "cuda"};

    if (library == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "lbo_open_all: library is NULL");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[PATH_MAX];
        if (!find_plugin(names[i], path, sizeof path))
            continue;
        const lb_status status = lbo_plugin_open(library, path, NULL);
        if (status != LB_OK)
            lboi_report(library, status, "plug-in %s: %s", names[i],
                        lb_message());
    }
    return LB_OK;
}
