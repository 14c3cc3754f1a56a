/* safetensors.c - files of named tensors.
 *
 * The format (safetensors, "Format" in its README): 8 bytes, the length n of
 * the header, little-endian; n bytes of JSON,
 *     {"NAME": {"dtype": "F32", "shape": [..], "data_offsets": [from, to]},
 *      "__metadata__": {"key": "text"}}
 * and the elements, row-major; offsets count from the header's end and leave no
 * hole. Reading:
 *   1. the length is compared with the file's size
 *   2. the header is parsed; every entry is checked: type, shape (its product
 *      must not overflow), offsets (as many bytes as the shape says)
 *   3. sorted by offsets the entries must follow each other without hole or
 *      overlap, to the end of the file
 *   4. only then tensors are made, one after the other
 */
#include "library.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the file's bytes are those of little-endian memory"
#endif

/* What the format's own library reads at most. */
#define MAX_HEADER 100000000

static const char *const type_names[LBO_DTYPE_COUNT] = {
    [LBO_BOOL] = "BOOL", [LBO_U8] = "U8",   [LBO_I8] = "I8",
    [LBO_I32] = "I32",   [LBO_I64] = "I64", [LBO_F16] = "F16",
    [LBO_BF16] = "BF16", [LBO_F32] = "F32", [LBO_F64] = "F64"};

struct lbo_archive {
    lbo_library *library;
    json_t *header;
    lbo_named *tensors; /* names belong to the header */
    size_t count;
};

/* ---- writing ------------------------------------------------------------- */

static lb_status no_json(void)
{
    return lbo_fail(LB_NO_MEMORY, "no memory for a header of JSON");
}

static json_t *entry_of(const lbo_tensor *tensor, uint64_t from)
{
    json_t *const shape = json_array();
    const uint64_t to = from + lbo_tensor_bytes(tensor);

    for (unsigned i = 0; i < tensor->ndim; i++)
        if (json_array_append_new(shape, json_integer(tensor->dims[i])) != 0) {
            json_decref(shape);
            return NULL;
        }
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", type_names[tensor->dtype],
                     "shape", shape, "data_offsets", (json_int_t)from,
                     (json_int_t)to);
}

static lb_status put_metadata(json_t *header, const char *const (*metadata)[2],
                              size_t count)
{
    json_t *const texts = json_object();

    if (json_object_set_new(header, "__metadata__", texts) != 0)
        return no_json();
    for (size_t i = 0; i < count; i++)
        if (json_object_set_new(texts, metadata[i][0],
                                json_string(metadata[i][1])) != 0)
            return lbo_fail(LB_BAD_ARGUMENT,
                            "metadata number %zu is NULL or no UTF-8", i);
    return LB_OK;
}

static lb_status put_tensors(json_t *header, const lbo_named *tensors,
                             size_t count)
{
    uint64_t offset = 0;

    for (size_t i = 0; i < count; i++) {
        const char *const name = tensors[i].name;
        if (name == NULL || tensors[i].tensor == NULL ||
            strcmp(name, "__metadata__") == 0)
            return lbo_fail(LB_BAD_ARGUMENT,
                            "tensor number %zu is NULL, or has no name, or "
                            "that of the metadata",
                            i);
        if (json_object_get(header, name) != NULL)
            return lbo_fail(LB_EXISTS, "two tensors are named \"%s\"", name);
        if (json_object_set_new(header, name,
                                entry_of(tensors[i].tensor, offset)) != 0)
            return lbo_fail(LB_BAD_ARGUMENT,
                            "\"%s\": the name is no UTF-8, or no memory is "
                            "left",
                            name);
        offset += lbo_tensor_bytes(tensors[i].tensor);
    }
    return LB_OK;
}

static lb_status make_header(const lbo_named *tensors, size_t count,
                             const char *const (*metadata)[2],
                             size_t metadata_count, char **text)
{
    json_t *const header = json_object();
    lb_status status = header == NULL ? no_json() : LB_OK;

    if (status == LB_OK && metadata_count > 0)
        status = put_metadata(header, metadata, metadata_count);
    if (status == LB_OK)
        status = put_tensors(header, tensors, count);
    if (status == LB_OK) {
        *text = json_dumps(header, JSON_COMPACT);
        status = *text == NULL ? no_json() : LB_OK;
    }
    json_decref(header);
    return status;
}

static lb_status io_failed(const char *path, const char *what)
{
    return lbo_fail(LB_METHOD_FAILED, "%s: %s: %s", path, what,
                    strerror(errno));
}

/* Padded with blanks, so that the elements begin at a multiple of 8. */
static bool write_header(FILE *file, const char *text)
{
    const size_t length = strlen(text);
    const uint64_t padded = (length + 7) / 8 * 8;

    return fwrite(&padded, 8, 1, file) == 1 &&
           fwrite(text, 1, length, file) == length &&
           fwrite("       ", 1, padded - length, file) == padded - length;
}

static lb_status write_tensor(lbo_context *context, FILE *file,
                              const char *path, lbo_tensor *tensor)
{
    const size_t bytes = lbo_tensor_bytes(tensor);
    char *const host = lbo_scratch(context, bytes);
    lb_status status;

    if (host == NULL)
        return LB_NO_MEMORY;
    status = lbo_read(context, tensor, host, bytes);
    if (status == LB_OK && fwrite(host, 1, bytes, file) != bytes)
        status = io_failed(path, "writing");
    lbo_scratch_free(context, host, bytes);
    return status;
}

static lb_status write_all(lbo_context *context, FILE *file, const char *path,
                           const char *text, const lbo_named *tensors,
                           size_t count)
{
    lb_status status =
        write_header(file, text) ? LB_OK : io_failed(path, "writing");

    for (size_t i = 0; i < count && status == LB_OK; i++)
        status = write_tensor(context, file, path, tensors[i].tensor);
    if (status == LB_OK && (fflush(file) != 0 || fsync(fileno(file)) != 0))
        status = io_failed(path, "writing");
    return status;
}

static lb_status write_file(lbo_context *context, const char *path,
                            const char *temporary, const char *text,
                            const lbo_named *tensors, size_t count)
{
    FILE *const file = fopen(temporary, "wb");
    lb_status status;

    if (file == NULL)
        return io_failed(temporary, "opening");
    status = write_all(context, file, temporary, text, tensors, count);
    if (fclose(file) != 0 && status == LB_OK)
        status = io_failed(temporary, "closing");
    if (status == LB_OK && rename(temporary, path) != 0)
        status = io_failed(path, "renaming");
    if (status != LB_OK)
        (void)unlink(temporary);
    return status;
}

lb_status lbo_save_tensors(lbo_context *context, const char *path,
                           const lbo_named *tensors, size_t count,
                           const char *const (*metadata)[2],
                           size_t metadata_count)
{
    char *text = NULL;

    if (context == NULL || path == NULL || (tensors == NULL && count > 0) ||
        (metadata == NULL && metadata_count > 0))
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_save_tensors: an argument is NULL");
    lb_status status =
        make_header(tensors, count, metadata, metadata_count, &text);
    if (status != LB_OK)
        return status;
    const size_t size = strlen(path) + 5;
    char *const temporary = lbo_scratch(context, size);
    if (temporary != NULL) {
        (void)snprintf(temporary, size, "%s.tmp", path);
        status = write_file(context, path, temporary, text, tensors, count);
    } else
        status = LB_NO_MEMORY;
    lbo_scratch_free(context, temporary, size);
    free(text);
    return status;
}

/* ---- what the header says ------------------------------------------------ */

typedef struct entry {
    const char *name;
    lbo_spec spec;
    uint64_t from, to;
    size_t place; /* in the header */
} entry;

typedef struct reading {
    lbo_context *context;
    const char *path;
    FILE *file;
    uint64_t data; /* where the elements begin */
    uint64_t size; /* of them all, bytes */
    json_t *header;
    entry *entries;
    size_t count;
} reading;

static lb_status wrong(const reading *r, const char *name, const char *what)
{
    return lbo_fail(LB_BAD_ARGUMENT, "%s: \"%s\": %s", r->path, name, what);
}

static lb_status read_type(const reading *r, entry *e, const json_t *json)
{
    const char *const name = json_string_value(json);

    for (int i = 0; name != NULL && i < LBO_DTYPE_COUNT; i++)
        if (strcmp(name, type_names[i]) == 0) {
            e->spec.dtype = i;
            return LB_OK;
        }
    return lbo_fail(LB_BAD_ARGUMENT,
                    "%s: \"%s\": dtype %s; there are F64, F32, F16, BF16, I64, "
                    "I32, I8, U8, BOOL",
                    r->path, e->name, name ? name : "is not a text");
}

static lb_status read_shape(const reading *r, entry *e, const json_t *json)
{
    const size_t ndim = json_array_size(json);

    if (!json_is_array(json) || ndim > LBO_MAX_DIMS)
        return wrong(r, e->name, "the shape is no list of at most 16 sizes");
    for (size_t i = 0; i < ndim; i++) {
        const json_t *const size = json_array_get(json, i);
        if (!json_is_integer(size) || json_integer_value(size) < 0)
            return wrong(r, e->name, "a size is no integer from 0 on");
        e->spec.shape[i] = json_integer_value(size);
    }
    e->spec.ndim = (uint32_t)ndim;
    return LB_OK;
}

static bool read_offset(const json_t *list, size_t index, uint64_t *result)
{
    const json_t *const number = json_array_get(list, index);

    *result = (uint64_t)json_integer_value(number);
    return json_is_integer(number) && json_integer_value(number) >= 0;
}

/* The bytes that the shape asks for; false when they overflow. */
static bool bytes_of(const lbo_spec *spec, uint64_t *bytes)
{
    *bytes = lbo_dtype_size((lbo_dtype)spec->dtype);
    for (uint32_t i = 0; i < spec->ndim; i++)
        if (spec->shape[i] == 0) {
            *bytes = 0;
            return true;
        }
    for (uint32_t i = 0; i < spec->ndim; i++)
        if (__builtin_mul_overflow(*bytes, (uint64_t)spec->shape[i], bytes))
            return false;
    return true;
}

static lb_status read_offsets(const reading *r, entry *e, const json_t *json)
{
    uint64_t bytes;

    if (json_array_size(json) != 2 || !read_offset(json, 0, &e->from) ||
        !read_offset(json, 1, &e->to) || e->to < e->from)
        return wrong(r, e->name, "data_offsets are no two growing numbers");
    if (e->to > r->size)
        return wrong(r, e->name, "its data reach beyond the end of the file");
    if (!bytes_of(&e->spec, &bytes))
        return wrong(r, e->name, "the shape's bytes overflow");
    if (bytes != e->to - e->from)
        return wrong(r, e->name, "shape and data_offsets disagree");
    return LB_OK;
}

static lb_status read_entry(const reading *r, entry *e, const json_t *json)
{
    lb_status status;

    if (!json_is_object(json))
        return wrong(r, e->name, "its entry is no object");
    status = read_type(r, e, json_object_get(json, "dtype"));
    if (status == LB_OK)
        status = read_shape(r, e, json_object_get(json, "shape"));
    if (status == LB_OK)
        status = read_offsets(r, e, json_object_get(json, "data_offsets"));
    return status;
}

static lb_status check_metadata(const reading *r, const json_t *json)
{
    const char *key;
    json_t *value;

    if (json == NULL)
        return LB_OK;
    if (!json_is_object(json))
        return wrong(r, "__metadata__", "is no object");
    json_object_foreach(
        (json_t *)(uintptr_t)json, key,
        value) if (!json_is_string(value)) return wrong(r, "__metadata__",
                                                        "a value is no text");
    return LB_OK;
}

/* By offsets; those of no bytes in the header's order. */
static int by_offset(const void *a, const void *b)
{
    const entry *const x = a, *const y = b;

    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

static lb_status check_order(const reading *r)
{
    uint64_t at = 0;

    qsort(r->entries, r->count, sizeof *r->entries, by_offset);
    for (size_t i = 0; i < r->count; i++) {
        const entry *const e = &r->entries[i];
        if (e->from != at)
            return wrong(r, e->name,
                         e->from < at ? "its data overlap another tensor's"
                                      : "there is a hole before its data");
        at = e->to;
    }
    if (at != r->size)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "%s: %llu bytes at the end belong to no tensor",
                        r->path, (unsigned long long)(r->size - at));
    return LB_OK;
}

static lb_status read_entries(reading *r)
{
    const char *name;
    json_t *json;
    lb_status status =
        check_metadata(r, json_object_get(r->header, "__metadata__"));
    size_t i = 0;

    if (status != LB_OK)
        return status;
    r->count = json_object_size(r->header) -
               (json_object_get(r->header, "__metadata__") != NULL);
    r->entries =
        lboi_zalloc(r->context->library, (r->count + 1) * sizeof *r->entries);
    if (r->entries == NULL)
        return LB_NO_MEMORY;
    json_object_foreach(r->header, name, json)
    {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        r->entries[i].name = name;
        r->entries[i].place = i;
        status = read_entry(r, &r->entries[i++], json);
        if (status != LB_OK)
            return status;
    }
    return check_order(r);
}

/* ---- reading ------------------------------------------------------------- */

static lb_status parse_header(reading *r, const char *text, size_t length)
{
    json_error_t error;

    if (text[0] != '{')
        return lbo_fail(LB_BAD_ARGUMENT,
                        "%s: the header does not begin with {; this is no "
                        "safetensors file",
                        r->path);
    r->header = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (r->header == NULL)
        return lbo_fail(LB_BAD_ARGUMENT, "%s: header, byte %d: %s", r->path,
                        error.position, error.text);
    return read_entries(r);
}

static lb_status read_header(reading *r, uint64_t length)
{
    lbo_context *const context = r->context;
    char *const text = lbo_scratch(context, length);
    lb_status status;

    if (text == NULL)
        return LB_NO_MEMORY;
    if (fread(text, 1, length, r->file) != length)
        status =
            lbo_fail(LB_BAD_ARGUMENT, "%s: the header ends early", r->path);
    else
        status = parse_header(r, text, length);
    lbo_scratch_free(context, text, length);
    return status;
}

static lb_status check_lengths(reading *r, uint64_t *length)
{
    struct stat facts;

    if (fstat(fileno(r->file), &facts) != 0 || !S_ISREG(facts.st_mode))
        return lbo_fail(LB_BAD_ARGUMENT, "%s is no plain file", r->path);
    const uint64_t size = (uint64_t)facts.st_size;
    if (size < 8 || fread(length, 8, 1, r->file) != 1)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "%s: %llu bytes are too few for a header", r->path,
                        (unsigned long long)size);
    if (*length < 2 || *length > size - 8 || *length > MAX_HEADER)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "%s: a header of %llu bytes in a file of %llu; at most "
                        "%d are read",
                        r->path, (unsigned long long)*length,
                        (unsigned long long)size, MAX_HEADER);
    r->data = 8 + *length;
    r->size = size - r->data;
    return LB_OK;
}

static bool bools_are_bools(const unsigned char *at, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (at[i] > 1)
            return false;
    return true;
}

static lb_status read_elements(reading *r, const entry *e, lbo_tensor *tensor)
{
    const size_t bytes = (size_t)(e->to - e->from);
    void *const host = lbo_scratch(r->context, bytes);
    lb_status status = LB_OK;

    if (host == NULL)
        return LB_NO_MEMORY;
    if (fread(host, 1, bytes, r->file) != bytes)
        status = wrong(r, e->name, "its data end early");
    else if (e->spec.dtype == LBO_BOOL && !bools_are_bools(host, bytes))
        status = wrong(r, e->name, "a bool is neither 0 nor 1");
    if (status == LB_OK && bytes > 0)
        status = lbo_write(r->context, tensor, host, bytes);
    lbo_scratch_free(r->context, host, bytes);
    return status;
}

static lb_status read_tensors(reading *r, lbo_archive *archive)
{
    lb_status status = LB_OK;

    for (size_t i = 0; i < r->count && status == LB_OK; i++) {
        lbo_named *const to = &archive->tensors[i];
        to->name = r->entries[i].name;
        status =
            lbo_tensor_create(r->context, &r->entries[i].spec, &to->tensor);
        if (status == LB_OK)
            status = read_elements(r, &r->entries[i], to->tensor);
    }
    return status;
}

static lb_status make_archive(reading *r, lbo_archive **result)
{
    lbo_library *const library = r->context->library;
    lbo_archive *const archive = lboi_zalloc(library, sizeof *archive);
    lb_status status;

    if (archive == NULL)
        return LB_NO_MEMORY;
    archive->library = library;
    archive->header = json_incref(r->header);
    archive->count = r->count;
    archive->tensors =
        lboi_zalloc(library, (r->count + 1) * sizeof *archive->tensors);
    status = archive->tensors == NULL ? LB_NO_MEMORY : read_tensors(r, archive);
    if (status == LB_OK)
        *result = archive;
    else
        lbo_archive_destroy(archive);
    return status;
}

static lb_status read_file(reading *r, lbo_archive **result)
{
    uint64_t length;
    lb_status status = check_lengths(r, &length);

    if (status == LB_OK)
        status = read_header(r, length);
    if (status == LB_OK)
        status = make_archive(r, result);
    lboi_free(r->context->library, r->entries,
              (r->count + 1) * sizeof *r->entries);
    json_decref(r->header);
    return status;
}

lb_status lbo_load_tensors(lbo_context *context, const char *path,
                           lbo_archive **result)
{
    if (context == NULL || path == NULL || result == NULL)
        return lbo_fail(LB_BAD_ARGUMENT,
                        "lbo_load_tensors: an argument is NULL");
    reading r = {.context = context, .path = path, .file = fopen(path, "rb")};
    if (r.file == NULL)
        return lbo_fail(errno == ENOENT ? LB_NOT_FOUND : LB_BAD_ARGUMENT,
                        "%s: %s", path, strerror(errno));
    const lb_status status = read_file(&r, result);
    (void)fclose(r.file);
    return status;
}

/* ---- the archive --------------------------------------------------------- */

void lbo_archive_destroy(lbo_archive *archive)
{
    if (archive == NULL)
        return;
    for (size_t i = 0; archive->tensors != NULL && i < archive->count; i++)
        lbo_tensor_release(archive->tensors[i].tensor);
    lboi_free(archive->library, archive->tensors,
              (archive->count + 1) * sizeof *archive->tensors);
    json_decref(archive->header);
    lboi_free(archive->library, archive, sizeof *archive);
}

size_t lbo_archive_count(const lbo_archive *archive)
{
    return archive == NULL ? 0 : archive->count;
}

lbo_named lbo_archive_at(const lbo_archive *archive, size_t index)
{
    return index < lbo_archive_count(archive) ? archive->tensors[index]
                                              : (lbo_named){NULL, NULL};
}

lbo_tensor *lbo_archive_find(const lbo_archive *archive, const char *name)
{
    for (size_t i = 0; name != NULL && i < lbo_archive_count(archive); i++)
        if (strcmp(archive->tensors[i].name, name) == 0)
            return archive->tensors[i].tensor;
    return NULL;
}

const char *lbo_archive_metadata(const lbo_archive *archive, const char *key)
{
    if (archive == NULL || key == NULL)
        return NULL;
    return json_string_value(
        json_object_get(json_object_get(archive->header, "__metadata__"), key));
}
