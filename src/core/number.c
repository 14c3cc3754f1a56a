/* core/number.c - serials and ids of classes, headers of objects.
 *
 * Every class has a serial: its place in the runtime's registry. It gets an
 * id, by which the tables know it, when its header is first asked for; then
 * its whole family (the tree under its topmost first base) is numbered at once
 * and in preorder, so that a name used by a subtree uses a run of ids and its
 * table stays small. Without a free id the class shares the runtime's reserved
 * id, which no table ever holds: its calls go the slow way.
 */
#include "core/number.h"

#include "core/ids.h"
#include "core/reclaim.h"

static lb_class **cell(const lb_runtime *runtime, uint32_t serial)
{
    const uint64_t at = (uint64_t)serial + (1u << LBI_FIRST_CHUNK_BITS);
    const int top = 63 - __builtin_clzll(at);
    lb_class **chunk = lbi_load(&runtime->chunks[top - LBI_FIRST_CHUNK_BITS]);
    return chunk ? &chunk[at - (UINT64_C(1) << top)] : NULL;
}

static bool make_chunk(lb_runtime *runtime, uint32_t serial)
{
    const uint64_t at = (uint64_t)serial + (1u << LBI_FIRST_CHUNK_BITS);
    const int top = 63 - __builtin_clzll(at);
    lb_class ***chunk = &runtime->chunks[top - LBI_FIRST_CHUNK_BITS];
    if (*chunk == NULL)
        lbi_store(chunk,
                  lbi_zalloc(&runtime->allocator, sizeof(lb_class *) << top));
    return *chunk != NULL;
}

lb_status lbi_serial_take(lb_runtime *runtime, lb_class *cls)
{
    uint32_t serial;
    if (runtime->free_serial_count) {
        serial = runtime->free_serials[--runtime->free_serial_count];
    } else {
        serial = runtime->serial_limit;
        if (serial == UINT32_MAX)
            return lbi_fail(LB_LIMIT, "class %s: 2^32 - 2 classes are living",
                            cls->name);
        /* Room to give it back comes with taking it. */
        if (!make_chunk(runtime, serial) ||
            !lbi_reserve(&runtime->allocator, &runtime->free_serials,
                         &runtime->free_serial_capacity, serial,
                         sizeof *runtime->free_serials))
            return lbi_no_memory();
        runtime->serial_limit++;
    }
    cls->serial = serial;
    lbi_store(cell(runtime, serial), cls);
    return LB_OK;
}

lb_class *lbi_class_by_serial(const lb_runtime *runtime, uint32_t serial)
{
    if (serial == 0)
        return NULL;
    lb_class **at = cell(runtime, serial);
    return at ? lbi_load(at) : NULL;
}

void lbi_number_end(lb_runtime *runtime, lb_class *cls)
{
    const uint32_t id = lbi_id(cls->handle);
    lbi_store(cell(runtime, cls->serial), NULL);
    if (id == runtime->unnumbered)
        runtime->unnumbered_count--;
    else if (id)
        lbi_class_by_id_set(id, NULL);
}

void lbi_number_give(lb_runtime *runtime, lb_class *cls)
{
    const uint32_t id = lbi_id(cls->handle);
    runtime->free_serials[runtime->free_serial_count++] = cls->serial;
    if (id && id != runtime->unnumbered) {
        lbi_id_give(id);
        runtime->id_count--;
    }
}

void lbi_numbers_end(lb_runtime *runtime)
{
    for (int i = 0; i < LBI_CHUNKS; i++) {
        lbi_free(&runtime->allocator, runtime->chunks[i],
                 sizeof(lb_class *) << (i + LBI_FIRST_CHUNK_BITS));
        runtime->chunks[i] = NULL; /* release hooks may still ask */
    }
    lbi_free(&runtime->allocator, runtime->free_serials,
             runtime->free_serial_capacity * sizeof *runtime->free_serials);
}

/* ---- ids ---------------------------------------------------------------- */

static void number(lb_class *cls, uint32_t id)
{
    lb_runtime *runtime = cls->runtime;
    lbi_class_by_id_set(id, cls);
    runtime->id_count++;
    lbi_store(&cls->handle, lbi_handle(id));
}

static lb_class *primary_root(lb_class *cls)
{
    while (cls->base_count)
        cls = cls->bases[0];
    return cls;
}

typedef uint32_t (*number_fn)(lb_class *cls, uint32_t next);

static uint32_t count_one(lb_class *cls, uint32_t next)
{
    return next + (cls->handle == 0);
}

static uint32_t number_one(lb_class *cls, uint32_t next)
{
    if (cls->handle != 0)
        return next;
    number(cls, next);
    return next + 1;
}

/* Preorder over the tree of first bases. */
static uint32_t walk_family(lb_class *cls, number_fn visit, uint32_t next)
{
    next = visit(cls, next);
    for (size_t i = 0; i < cls->derived_count; i++)
        if (cls->derived[i]->bases[0] == cls)
            next = walk_family(cls->derived[i], visit, next);
    return next;
}

static bool number_family(lb_class *cls)
{
    lb_runtime *runtime = cls->runtime;
    const uint32_t limit = runtime->config.max_ids;
    lb_class *root = primary_root(cls);
    if (root->numbered)
        return false;
    root->numbered = true;
    const uint32_t count = walk_family(root, count_one, 0);
    if (count < 2 || (limit && runtime->id_count + count > limit))
        return false;
    const uint32_t first = lbi_id_take_run(count);
    if (first == 0)
        return false;
    walk_family(root, number_one, first);
    return true;
}

/* A class that came after its family was numbered: near its nearest kin. */
static uint32_t near_kin(const lb_class *cls)
{
    if (cls->base_count == 0)
        return 0;
    const lb_class *base = cls->bases[0];
    uint32_t near_id = lbi_id(base->handle);
    for (size_t i = base->derived_count, seen = 0; i-- > 0 && seen < 2; seen++)
        if (lbi_id(base->derived[i]->handle) > near_id)
            near_id = lbi_id(base->derived[i]->handle);
    return near_id;
}

static void number_class(lb_class *cls)
{
    lb_runtime *runtime = cls->runtime;
    const uint32_t limit = runtime->config.max_ids;
    if (number_family(cls))
        return;
    const uint32_t id =
        limit && runtime->id_count >= limit ? 0 : lbi_id_take(near_kin(cls));
    if (id) {
        number(cls, id);
    } else {
        runtime->unnumbered_count++;
        lbi_store(&cls->handle, lbi_handle(runtime->unnumbered));
    }
}

lb_header lbi_class_header(lb_class *cls)
{
    if (cls->handle == 0)
        number_class(cls);
    return (lb_header){cls->handle, cls->serial};
}

lb_header lb_class_header(lb_class *cls)
{
    const uint32_t handle = lbi_load(&cls->handle);
    if (handle)
        return (lb_header){handle, cls->serial};
    if (cls == lb_any_class)
        return (lb_header){0, 0};
    if (lbi_enter_runtime(cls->runtime) != LB_OK)
        return (lb_header){lbi_handle(cls->runtime->unnumbered), cls->serial};
    const lb_header head = lbi_class_header(cls);
    lbi_leave_runtime(cls->runtime, LB_OK);
    return head;
}

/* ---- objects ------------------------------------------------------------ */

lb_header lbi_read_header(const lb_header *head)
{
    const uint64_t both =
        __atomic_load_n((const lbi_word *)head, __ATOMIC_ACQUIRE);
    return lbi_header_of(both);
}

lb_class *lbi_class_of(const lb_runtime *runtime, lb_header head)
{
    lb_class *cls = lbi_class_by_serial(runtime, head.serial);
    return cls && lbi_peek(&cls->handle) == head.handle ? cls : NULL;
}

lb_class *lbi_class_of_any(lb_header head)
{
    const uint32_t id = lbi_id(head.handle);
    const lb_class *known = id < LBI_ID_END ? lbi_class_by_id(id) : NULL;
    return known ? lbi_class_of(known->runtime, head) : NULL;
}

lb_class *lb_class_of(lb_runtime *runtime, const lb_header *head)
{
    if (runtime == NULL || head == NULL)
        return NULL;
    return lbi_class_of(runtime, lbi_read_header(head));
}

/* Whether an instance of `old` (NULL: of no living class) can become one of
 * `cls`. What is asked here is the same for every class it can be of. */
static lb_status check_reclass(const lb_class *old, const lb_class *cls)
{
    if (old == NULL)
        return LB_OK;
    if (old->runtime != cls->runtime)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "an instance of %s cannot become one of %s, which is "
                        "of another runtime",
                        old->name, cls->name);
    if (old->instance_size && cls->instance_size > old->instance_size)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "an instance of %s cannot become one of %s: it has "
                        "%zu bytes, and they take %zu",
                        old->name, cls->name, old->instance_size,
                        cls->instance_size);
    if ((old->flags ^ cls->flags) & LB_FREE_ATTRIBUTES)
        return lbi_fail(LB_BAD_ARGUMENT,
                        "an instance of %s cannot become one of %s: only one "
                        "of the two has free attributes",
                        old->name, cls->name);
    return LB_OK;
}

/* Under the lock, so that what an instance holds and what its class knows of
 * its instances change together. */
static lb_status reclass(void *object, lb_class *cls)
{
    lb_runtime *runtime = cls->runtime;
    const lb_header head = lbi_class_header(cls);
    const lbi_observer *objects = lbi_load(&runtime->observers[LBI_OBJECTS]);
    lb_status status =
        objects ? objects->reclassed(runtime, object, cls) : LB_OK;
    if (status == LB_OK)
        lbi_store((lbi_word *)object, lbi_word_of(head));
    return status;
}

lb_status lb_set_class(void *object, lb_class *cls)
{
    if (object == NULL || cls == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        object ? "cls" : "object");
    if (cls == lb_any_class)
        return lbi_fail(LB_BAD_ARGUMENT, "lb_any_class has no instances");
    lb_status status =
        check_reclass(lbi_class_of_any(lbi_read_header(object)), cls);
    if (status != LB_OK)
        return status;
    if (cls->flags & LB_FREE_ATTRIBUTES) {
        status = lbi_enter_runtime(cls->runtime);
        if (status != LB_OK)
            return status;
        return lbi_leave_runtime(cls->runtime, reclass(object, cls));
    }
    const lb_header head = lb_class_header(cls);
    lbi_store((lbi_word *)object, lbi_word_of(head));
    return LB_OK;
}

void *lb_new(lb_class *cls)
{
    if (cls == NULL) {
        lbi_fail(LB_BAD_ARGUMENT, "cls is NULL");
        return NULL;
    }
    if (cls->instance_size < sizeof(lb_header)) {
        lbi_fail(LB_BAD_ARGUMENT,
                 "class %s has instances of %zu bytes; a header takes %zu",
                 cls->name, cls->instance_size, sizeof(lb_header));
        return NULL;
    }
    void *object = lbi_zalloc(&cls->runtime->allocator, cls->instance_size);
    if (object)
        lb_init(cls, object);
    else
        lbi_no_memory();
    return object;
}

void lb_delete(lb_class *cls, void *object)
{
    if (object == NULL)
        return;
    const lbi_observer *objects =
        lbi_load(&cls->runtime->observers[LBI_OBJECTS]);
    if (objects && cls->flags & LB_FREE_ATTRIBUTES)
        objects->deleted(cls->runtime, object);
    lbi_free(&cls->runtime->allocator, object, cls->instance_size);
}
