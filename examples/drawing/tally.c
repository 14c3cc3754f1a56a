/* The counting method. Its context, found in its entry, is the runtime that
 * can tell the class of an object; each thread counts into its own table. */
#include "tally.h"

static _Thread_local tally *counts;

LB_METHOD(intersect, count_call);
static pair_status count_call(lb_slot slot, const shape *a, const shape *b,
                              hits *found)
{
    LB_SELF(intersect, count_call, slot, a, b, found);
    if (counts) {
        const shape_kind i = shape_kind_of(self->context, a);
        const shape_kind k = shape_kind_of(self->context, b);
        counts->calls[i][k]++;
        counts->plain += i != SHAPE_KINDS && k != SHAPE_KINDS;
    }
    return lb_next_intersect(self, a, b, found);
}

/* No specializers: for arguments of every class. */
static const lb_rule around = {.method = LB_DESCRIPTOR(count_call),
                               .qualifier = LB_AROUND};

lb_status tally_start(lb_runtime *runtime)
{
    lb_rule rule = around;
    rule.context = runtime;
    return lb_add_rules(LB_GENERIC_OF(intersect), &rule, 1);
}

lb_status tally_end(void)
{
    return lb_remove_rules(LB_GENERIC_OF(intersect), &around, 1);
}

void tally_into(tally *to)
{
    counts = to;
}

void tally_add(tally *to, const tally *from)
{
    for (int i = 0; i <= SHAPE_KINDS; i++)
        for (int k = 0; k <= SHAPE_KINDS; k++)
            to->calls[i][k] += from->calls[i][k];
    to->plain += from->plain;
}
