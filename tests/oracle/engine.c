#include "oracle/engine.h"

#include <string.h>

static or_trace *recorder;

static void push(int event)
{
    if (recorder->count < OR_EVENTS)
        recorder->event[recorder->count++] = event;
}

void mark_release(void *context)
{
    ((mark *)context)->released++;
}

/* Records a method; 1 when it shall call the next one. */
static int begin(const lb_entry *self, const subject *first)
{
    const mark *mine = self->context;
    push(or_event_method(mine->tag, first != NULL ? first->id : 99));
    if (mine->qualifier == LB_BEFORE || mine->qualifier == LB_AFTER ||
        mine->propagate != LB_PROPAGATE_NONE)
        return 0;
    if (lb_has_next(self))
        return 1;
    if (mine->tells_end)
        push(or_event_end((lb_status)self->next->status));
    return 0;
}

static int answer(const lb_entry *self)
{
    return or_answer(((const mark *)self->context)->tag);
}

static int failed(lb_slot slot)
{
    push(or_event_failed((lb_status)lb_load_entry(slot)->status));
    return 0;
}

/* ---- Typed generics of one to four arguments ---------------------------- */

LB_GENERIC(int, one, (ON, subject *, a));
static lb_fn_one one_failed;
LB_DEFINE_GENERIC_WITH(one, one_failed);
LB_METHOD(one, one_recorded);

LB_GENERIC(int, two, (ON, subject *, a), (ON, subject *, b));
LB_COMMUTES_PAIR(int, two, subject *);
static lb_fn_two two_failed;
LB_DEFINE_COMMUTATIVE_WITH(two, two_failed);
LB_METHOD(two, two_recorded);

LB_GENERIC(int, three, (ON, subject *, a), (ON, subject *, b),
           (ON, subject *, c));
LB_COMMUTES(int, three, subject *, (ON, subject *, c));
static lb_fn_three three_failed;
LB_DEFINE_COMMUTATIVE_WITH(three, three_failed);
LB_METHOD(three, three_recorded);

LB_GENERIC(int, four, (ON, subject *, a), (ON, subject *, b),
           (ON, subject *, c), (ON, subject *, d));
LB_COMMUTES(int, four, subject *, (ON, subject *, c), (ON, subject *, d));
static lb_fn_four four_failed;
LB_DEFINE_COMMUTATIVE_WITH(four, four_failed);
LB_METHOD(four, four_recorded);

LB_BOXED_METHOD(typed_boxed); /* a boxed method of a typed generic */
LB_BOXED_METHOD(any_boxed);

static int one_failed(lb_slot slot, subject *a)
{
    (void)a;
    return failed(slot);
}

static int two_failed(lb_slot slot, subject *a, subject *b)
{
    (void)a;
    (void)b;
    return failed(slot);
}

static int three_failed(lb_slot slot, subject *a, subject *b, subject *c)
{
    (void)a;
    (void)b;
    (void)c;
    return failed(slot);
}

static int four_failed(lb_slot slot, subject *a, subject *b, subject *c,
                       subject *d)
{
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return failed(slot);
}

static int one_recorded(lb_slot slot, subject *a)
{
    LB_SELF(one, one_recorded, slot, a);
    if (begin(self, a))
        (void)lb_next_one(self, a);
    return answer(self);
}

static int two_recorded(lb_slot slot, subject *a, subject *b)
{
    LB_SELF(two, two_recorded, slot, a, b);
    if (begin(self, a))
        (void)lb_next_two(self, a, b);
    return answer(self);
}

static int three_recorded(lb_slot slot, subject *a, subject *b, subject *c)
{
    LB_SELF(three, three_recorded, slot, a, b, c);
    if (begin(self, a))
        (void)lb_next_three(self, a, b, c);
    return answer(self);
}

static int four_recorded(lb_slot slot, subject *a, subject *b, subject *c,
                         subject *d)
{
    LB_SELF(four, four_recorded, slot, a, b, c, d);
    if (begin(self, a))
        (void)lb_next_four(self, a, b, c, d);
    return answer(self);
}

static lb_status typed_boxed(lb_slot slot, size_t argc, const lb_value *argv,
                             lb_value *result)
{
    const lb_entry *self = lb_load_entry(slot);
    lb_status status = LB_OK;
    if (begin(self, argv[0].constant)) {
        lb_value below = lb_integer(0);
        status = lb_invoke_next(self, argc, argv, &below);
    }
    const int own = answer(self);
    if (result != NULL)
        *result = lb_pack(&own, sizeof own);
    return status;
}

static lb_status any_boxed(lb_slot slot, size_t argc, const lb_value *argv,
                           lb_value *result)
{
    const lb_entry *self = lb_load_entry(slot);
    lb_status status = LB_OK;
    if (begin(self, argc > 0 ? argv[0].constant : NULL))
        status = lb_invoke_next(self, argc, argv, NULL);
    if (result != NULL)
        *result = lb_integer(answer(self));
    return status;
}

const lb_signature *engine_signature(int dispatched)
{
    const lb_head *heads[] = {LB_HEAD(one), LB_HEAD(two), LB_HEAD(three),
                              LB_HEAD(four)};
    return heads[dispatched - 1]->signature;
}

const lb_method *engine_method(int boxed, int dispatched)
{
    static const lb_method *const methods[] = {
        LB_DESCRIPTOR(any_boxed), LB_DESCRIPTOR(one_recorded),
        LB_DESCRIPTOR(two_recorded), LB_DESCRIPTOR(three_recorded),
        LB_DESCRIPTOR(four_recorded)};
    if (boxed && dispatched > 0)
        return LB_DESCRIPTOR(typed_boxed);
    return methods[dispatched];
}

/* ---- Predicates, equality, order ------------------------------------------ */

static int has_bits(void *context, lb_value value)
{
    const int mask = *(const int *)context;
    const subject *s = value.constant;
    return (s->number & mask) == mask;
}

const lb_predicate *engine_predicate(int i)
{
    static lb_predicate predicates[OR_PREDICATES];
    static const lb_predicate *implied[OR_PREDICATES][2];
    static int masks[OR_PREDICATES];
    static const char *const names[] = {"p0", "p1", "p2", "p3", "p4"};
    for (int k = 0; predicates[0].test == NULL && k < OR_PREDICATES; k++) {
        const int p = OR_PREDICATES - 1 - k;
        size_t count = 0;
        for (const int *d = or_declared(p); *d != OR_NONE; d++)
            implied[p][count++] = &predicates[*d];
        masks[p] = or_predicate_mask(p);
        predicates[p] =
            (lb_predicate){names[p], has_bits, &masks[p], implied[p], count};
    }
    return &predicates[i];
}

int engine_equal(void *context, lb_value expected, lb_value value)
{
    (void)context;
    return ((const subject *)value.constant)->number == expected.integer;
}

int engine_compare(void *context, const lb_rule *a, const lb_rule *b,
                   lb_class *const *classes, size_t count)
{
    const mark *left = a->context, *right = b->context;
    const int x = or_user_rank(left->tag), y = or_user_rank(right->tag);
    (void)context;
    (void)classes;
    (void)count;
    return x < y ? -1 : x > y;
}

/* ---- Calls ------------------------------------------------------------------ */

static int call_typed(const lb_head *head, int n, subject *const *v)
{
    switch (n) {
    case 1:
        return lb_in_one(head, v[0]);
    case 2:
        return lb_in_two(head, v[0], v[1]);
    case 3:
        return lb_in_three(head, v[0], v[1], v[2]);
    default:
        return lb_in_four(head, v[0], v[1], v[2], v[3]);
    }
}

static lb_status try_typed(const lb_head *head, int n, subject *const *v,
                           int *result)
{
    switch (n) {
    case 1:
        return lb_try_in_one(head, result, v[0]);
    case 2:
        return lb_try_in_two(head, result, v[0], v[1]);
    case 3:
        return lb_try_in_three(head, result, v[0], v[1], v[2]);
    default:
        return lb_try_in_four(head, result, v[0], v[1], v[2], v[3]);
    }
}

/* Adds up an LB_LIST's result. */
static int sum_list(lb_results *list)
{
    int sum = 0;
    for (size_t i = 0; list != NULL && i < list->count; i++)
        sum += (int)list->values[i].integer;
    lb_results_destroy(list);
    return sum;
}

static lb_status invoke(lb_generic *generic, const or_generic *model,
                        subject *const *v, int argc, or_trace *trace)
{
    lb_value argv[OR_ARGS], result = lb_integer(0);
    for (int i = 0; i < argc; i++)
        argv[i] = lb_pointer(v[i]);
    const lb_status status = lb_invoke(generic, (size_t)argc, argv, &result);
    if (status != LB_OK)
        push(or_event_failed(status));
    else if (trace->listed)
        trace->result = sum_list(result.pointer);
    else if (model->boxed)
        trace->result = (int)result.integer;
    else
        lb_unpack(&trace->result, sizeof(int), &result);
    return status;
}

lb_status engine_call(lb_generic *generic, const or_generic *model,
                      engine_way way, subject *const *arguments, int argc,
                      or_trace *trace)
{
    lb_status status = LB_OK;
    const lb_head *head = lb_generic_head(generic);
    trace->count = 0;
    trace->result = 0;
    recorder = trace;
    if (model->boxed || way == ENGINE_INVOKE)
        return invoke(generic, model, arguments, argc, trace);
    if (way == ENGINE_CALL) {
        trace->result = call_typed(head, argc, arguments);
        return LB_OK;
    }
    status = try_typed(head, argc, arguments, &trace->result);
    if (status != LB_OK)
        push(or_event_failed(status));
    return status;
}
