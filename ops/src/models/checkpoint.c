/* checkpoint.c - modules and optimizers to and from files.
 *
 * Saving lists the tensors by their paths. Loading:
 *   1. reads the file (safetensors.c checks it)
 *   2. compares names and shapes; says what is missing and what is too much
 *   3. converts what is of another type
 *   4. only then writes into the module's tensors
 */
#include "dispatch/words.h"
#include "library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct list {
    lbo_library *library;
    lbo_named *at; /* names are copies, tensors kept */
    size_t count, capacity;
} list;

static lb_status append(list *l, const char *name, lbo_tensor *tensor)
{
    if (!lboi_reserve(l->library, &l->at, &l->capacity, l->count + 1,
                      sizeof *l->at))
        return LB_NO_MEMORY;
    char *const copy = lboi_copy_text(l->library, name);
    if (copy == NULL)
        return LB_NO_MEMORY;
    l->at[l->count++] = (lbo_named){copy, lbo_tensor_retain(tensor)};
    return LB_OK;
}

static void free_list(list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        lboi_free_text(l->library, (char *)(uintptr_t)l->at[i].name);
        lbo_tensor_release(l->at[i].tensor);
    }
    lboi_free(l->library, l->at, l->capacity * sizeof *l->at);
}

static lb_status append_visited(void *context, const char *path,
                                lbo_tensor *tensor, bool learned)
{
    (void)learned;
    return append(context, path, tensor);
}

/* ".optimizer.INDEX.PATH" of what state there is; `make`: of all. (No path of a
 * module begins with a dot.) */
static lb_status append_state(list *l, lbo_context *context, lbo_optimizer *o,
                              bool make)
{
    lb_status status = LB_OK;

    for (size_t i = 0; i < o->count * o->state_each && status == LB_OK; i++) {
        const size_t parameter = i / o->state_each, index = i % o->state_each;
        const char *const path = o->paths[parameter];
        const size_t size = strlen(path) + 40;
        char *const name = lboi_alloc(l->library, size);
        lbo_tensor *state = o->state[i];
        if (name == NULL)
            return LB_NO_MEMORY;
        (void)snprintf(name, size, ".optimizer.%zu.%s", index, path);
        if (make)
            status = lbo_optimizer_state(context, o, parameter, index, &state);
        if (status == LB_OK && state != NULL)
            status = append(l, name, state);
        lboi_free(l->library, name, size);
    }
    return status;
}

/* ---- saving -------------------------------------------------------------- */

lb_status lbo_module_save(lbo_context *context, lbo_module *module,
                          const char *path)
{
    if (context == NULL || module == NULL || path == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_module_save: an argument is NULL");
    list l = {.library = context->library};
    lb_status status = lbo_module_visit(module, true, append_visited, &l);
    if (status == LB_OK)
        status = lbo_save_tensors(context, path, l.at, l.count, NULL, 0);
    free_list(&l);
    return status;
}

static lb_status save_with_steps(lbo_context *context, const list *l,
                                 const lbo_optimizer *optimizer,
                                 const char *const (*metadata)[2], size_t count,
                                 const char *path)
{
    const size_t size = (count + 1) * sizeof *metadata;
    const char *(*const all)[2] = lboi_alloc(l->library, size);
    char steps[24];
    lb_status status;

    if (all == NULL)
        return LB_NO_MEMORY;
    (void)snprintf(steps, sizeof steps, "%lld", (long long)optimizer->steps);
    all[0][0] = "optimizer.steps";
    all[0][1] = steps;
    if (count > 0)
        memcpy(all + 1, metadata, count * sizeof *metadata);
    status = lbo_save_tensors(context, path, l->at, l->count,
                              (const char *const(*)[2])all, count + 1);
    lboi_free(l->library, (void *)all, size);
    return status;
}

lb_status lbo_training_save(lbo_context *context, lbo_module *module,
                            lbo_optimizer *optimizer,
                            const char *const (*metadata)[2],
                            size_t metadata_count, const char *path)
{
    if (context == NULL || module == NULL || optimizer == NULL ||
        path == NULL || (metadata == NULL && metadata_count > 0))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_training_save: an argument is NULL");
    list l = {.library = context->library};
    lb_status status = lbo_module_visit(module, true, append_visited, &l);
    if (status == LB_OK)
        status = append_state(&l, context, optimizer, false);
    if (status == LB_OK)
        status = save_with_steps(context, &l, optimizer, metadata,
                                 metadata_count, path);
    free_list(&l);
    return status;
}

/* ---- loading ------------------------------------------------------------- */

/* Adds ", NAME" to a text, or dots where it is full. */
static void mention(char *text, size_t size, const char *name)
{
    const size_t used = strlen(text);
    const size_t need = strlen(name) + 2;

    if (used + need + 5 < size)
        (void)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "",
                       name);
    else if (used >= 3 && used + 5 < size &&
             strcmp(text + used - 3, "...") != 0)
        (void)snprintf(text + used, size - used, ", ...");
}

static const lbo_named *find(const list *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->at[i].name, name) == 0)
            return &l->at[i];
    return NULL;
}

static bool is_state(const char *name)
{
    return strncmp(name, ".optimizer.", 11) == 0;
}

/* state: what belongs to an optimizer is looked at, too; state that the file
 * lacks is what no step had made yet. */
static lb_status compare_names(const list *l, const lbo_archive *archive,
                               bool state, const char *path)
{
    char missing[512] = "", extra[512] = "";

    for (size_t i = 0; i < l->count; i++)
        if (!is_state(l->at[i].name) &&
            lbo_archive_find(archive, l->at[i].name) == NULL)
            mention(missing, sizeof missing, l->at[i].name);
    for (size_t i = 0; i < lbo_archive_count(archive); i++) {
        const char *const name = lbo_archive_at(archive, i).name;
        if ((state || !is_state(name)) && find(l, name) == NULL)
            mention(extra, sizeof extra, name);
    }
    if (missing[0] == '\0' && extra[0] == '\0')
        return LB_OK;
    return lbo_fail(LB_BAD_ARGUMENT, "%s: missing: %s; too much: %s", path,
                    missing[0] != '\0' ? missing : "nothing",
                    extra[0] != '\0' ? extra : "nothing");
}

static lb_status compare_shapes(const list *l, const lbo_archive *archive,
                                const char *path)
{
    char a[400], b[400];

    for (size_t i = 0; i < l->count; i++) {
        const lbo_tensor *const to = l->at[i].tensor;
        const lbo_tensor *const from = lbo_archive_find(archive, l->at[i].name);
        if (from != NULL && !lbo_same_shape(from, to))
            return lbo_fail(
                LB_BAD_ARGUMENT, "%s: \"%s\" is %s, not %s", path,
                l->at[i].name,
                lboi_shape_text(from->ndim, from->dims, a, sizeof a),
                lboi_shape_text(to->ndim, to->dims, b, sizeof b));
    }
    return LB_OK;
}

/* Elements of the tensor's own type, on the host, in `values`. */
static lb_status convert(lbo_context *context, lbo_tensor *from,
                         const lbo_tensor *to, void *host, size_t bytes)
{
    lbo_tensor *same = NULL;
    lb_status status = LB_OK;

    if (from->dtype == to->dtype)
        same = lbo_tensor_retain(from);
    else
        status = lbo_cast(context, &same, from, (lbo_dtype)to->dtype);
    if (status == LB_OK)
        status = lbo_read(context, same, host, bytes);
    lbo_tensor_release(same);
    return status;
}

/* from NULL: state that no step had made when the file was written: zeros. */
static lb_status fill_one(lbo_context *context, lbo_tensor *from,
                          lbo_tensor *to, void **host)
{
    const size_t bytes = lbo_tensor_bytes(to);

    *host = lbo_scratch(context, bytes);
    if (*host == NULL)
        return LB_NO_MEMORY;
    if (from != NULL)
        return convert(context, from, to, *host, bytes);
    memset(*host, 0, bytes);
    return LB_OK;
}

static void free_hosts(lbo_context *context, const list *l, void **hosts)
{
    for (size_t i = 0; i < l->count; i++)
        lbo_scratch_free(context, hosts[i], lbo_tensor_bytes(l->at[i].tensor));
    lboi_free(l->library, hosts, (l->count + 1) * sizeof *hosts);
}

/* First all conversions, then all writing: what may fail does so before
 * anything is changed. */
static lb_status put_values(lbo_context *context, const list *l,
                            const lbo_archive *archive)
{
    void **const hosts =
        lboi_zalloc(l->library, (l->count + 1) * sizeof *hosts);
    lb_status status = hosts == NULL ? LB_NO_MEMORY : LB_OK;

    if (status != LB_OK)
        return status;
    for (size_t i = 0; i < l->count && status == LB_OK; i++) {
        lbo_tensor *const from = lbo_archive_find(archive, l->at[i].name);
        status = fill_one(context, from, l->at[i].tensor, &hosts[i]);
    }
    for (size_t i = 0; i < l->count && status == LB_OK; i++)
        if (hosts[i] != NULL && l->at[i].tensor->size > 0)
            status = lbo_write(context, l->at[i].tensor, hosts[i],
                               lbo_tensor_bytes(l->at[i].tensor));
    free_hosts(context, l, hosts);
    return status;
}

static lb_status load_into(lbo_context *context, const list *l,
                           const lbo_archive *archive, bool state,
                           const char *path)
{
    lb_status status = compare_names(l, archive, state, path);

    if (status == LB_OK)
        status = compare_shapes(l, archive, path);
    if (status == LB_OK)
        status = put_values(context, l, archive);
    return status;
}

lb_status lbo_module_load(lbo_context *context, lbo_module *module,
                          const char *path)
{
    lbo_archive *archive = NULL;
    lb_status status;

    if (context == NULL || module == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_module_load: an argument is NULL");
    list l = {.library = context->library};
    status = lbo_load_tensors(context, path, &archive);
    if (status == LB_OK)
        status = lbo_module_visit(module, true, append_visited, &l);
    if (status == LB_OK)
        status = load_into(context, &l, archive, false, path);
    lbo_archive_destroy(archive);
    free_list(&l);
    return status;
}

static lb_status read_steps(const lbo_archive *archive, const char *path,
                            int64_t *steps)
{
    const char *const text = lbo_archive_metadata(archive, "optimizer.steps");
    char *end;

    if (text == NULL)
        return lbo_fail(LB_NOT_FOUND,
                        "%s: there is no \"optimizer.steps\"; the file holds "
                        "a module alone",
                        path);
    *steps = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || *steps < 0)
        return lbo_fail(LB_BAD_ARGUMENT, "%s: optimizer.steps is \"%s\"", path,
                        text);
    return LB_OK;
}

lb_status lbo_training_load(lbo_context *context, lbo_module *module,
                            lbo_optimizer *optimizer, const char *path)
{
    lbo_archive *archive = NULL;
    int64_t steps = 0;
    lb_status status;

    if (context == NULL || module == NULL || optimizer == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_training_load: an argument is NULL");
    list l = {.library = context->library};
    status = lbo_load_tensors(context, path, &archive);
    if (status == LB_OK)
        status = read_steps(archive, path, &steps);
    if (status == LB_OK)
        status = lbo_module_visit(module, true, append_visited, &l);
    if (status == LB_OK)
        status = append_state(&l, context, optimizer, true);
    if (status == LB_OK)
        status = load_into(context, &l, archive, true, path);
    if (status == LB_OK)
        optimizer->steps = steps;
    lbo_archive_destroy(archive);
    free_list(&l);
    return status;
}
