/* Any bytes may stand in a trace, compressed or not: the reader says what is
 * wrong with them, and where. What it accepts can be replayed, or the library
 * says why not; and whatever the policy, each get finds the same.
 *
 * The last byte chooses the search order and the knobs of the tables. */
#include "knobs.h"
#include "replay.h"

#include <stdlib.h>
#include <string.h>

static const trace_limits small = {.lines = {.line = 4096, .text = 1 << 20},
                                   .operations = 4096};

static lb_object_options options_of(uint8_t choice)
{
    return (lb_object_options){
        .order = choice & 1 ? LB_ORDER_1998 : LB_ORDER_PYTHON3,
        .counting = choice >> 1 & 1,
        .table_size = choice & 4 ? 2 : 0,
        .cache_negative = choice & 8 ? LB_YES : LB_DEFAULT,
        .drop_changed = choice & 16 ? LB_YES : LB_DEFAULT,
        .when_full = (lb_when_full)(choice >> 5 & 3),
        .table_pool = choice & 128 ? 2 : 0};
}

static trace *read_bytes(const uint8_t *data, size_t size, fault *why)
{
    FILE *in = fmemopen((void *)(uintptr_t)data, size, "rb");
    if (in == NULL)
        abort();
    trace *t = trace_read(in, "fuzz", small, why);
    fclose(in);
    return t;
}

/* Both failed, or both gets found the same everywhere. */
static void compare(bool good, const replay_run *a, bool also_good,
                    const replay_run *b)
{
    if (good != also_good ||
        (good && (a->differing != b->differing || a->sum != b->sum ||
                  a->nowhere != b->nowhere)))
        abort();
}

static void replay_all(const trace *t, uint8_t choice)
{
    static const lb_cache_policy others[] = {LB_POLICY_TABLE64, LB_POLICY_SITE,
                                             LB_POLICY_TABLE};
    fault why = {""};
    replay_run other, first = {.options = knobs_for_policy(options_of(choice),
                                                           LB_POLICY_SEARCH)};
    const bool good = replay_check(t, &first, &why);
    if (!good && strncmp(why.text, "fuzz:", 5) != 0)
        abort();
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        other = (replay_run){
            .options = knobs_for_policy(options_of(choice), others[i])};
        compare(good, &first, replay_check(t, &other, &why), &other);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fault why = {""};
    if (size < 2)
        return 0;
    trace *t = read_bytes(data, size - 1, &why);
    if (t)
        replay_all(t, data[size - 1]);
    else if (strncmp(why.text, "fuzz:", 5) != 0)
        abort();
    trace_free(t);
    return 0;
}
