/* core/linearize.c - C3.
 *
 * merge(L(B1), …, L(Bn), [B1 … Bn]): take the first head that is in no list's
 * tail; remove it everywhere; repeat. (Barrett, Cassel, Haahr, Moon, Playford,
 * Withington, OOPSLA 1996.) `scratch` of a class counts the tails it is in, so
 * a step costs the number of lists, not their length.
 */
#include "core/class.h"

#include <stdio.h>

typedef struct list {
    lb_class *const *at;
    uint32_t left;
    const lb_class *of; /* whose order it is; NULL: the bases themselves */
} list;

static list order_of(const lb_class *cls)
{
    if (cls->new_order)
        return (list){cls->new_order, cls->new_order_count, cls};
    return (list){cls->order, cls->order_count, cls};
}

static void count_tails(list *lists, uint32_t count, bool up)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 1; j < lists[i].left; j++)
            lists[i].at[j]->scratch += up ? 1u : (uint32_t)-1;
}

static lb_class *good_head(list *lists, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (lists[i].left && lists[i].at[0]->scratch == 0)
            return lists[i].at[0];
    return NULL;
}

static void drop_head(list *lists, uint32_t count, const lb_class *head)
{
    for (uint32_t i = 0; i < count; i++)
        if (lists[i].left && lists[i].at[0] == head) {
            lists[i].at++;
            if (--lists[i].left)
                lists[i].at[0]->scratch--;
        }
}

static bool in_tail(const list *l, const lb_class *cls)
{
    for (uint32_t j = 1; j < l->left; j++)
        if (l->at[j] == cls)
            return true;
    return false;
}

static void where(char *to, size_t size, const list *l, const char *name)
{
    if (l->of)
        snprintf(to, size, "the order of %s", l->of->name);
    else
        snprintf(to, size, "the bases of %s", name);
}

/* Two heads each of which another list wants behind the other. */
static lb_status explain_conflict(const char *name, list *lists, uint32_t count)
{
    char one[160], two[160];
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = i + 1; j < count; j++) {
            if (!lists[i].left || !lists[j].left ||
                !in_tail(&lists[i], lists[j].at[0]) ||
                !in_tail(&lists[j], lists[i].at[0]))
                continue;
            where(one, sizeof one, &lists[i], name);
            where(two, sizeof two, &lists[j], name);
            return lbi_fail(LB_BAD_ORDER,
                            "class %s has no order: %s comes before %s in %s, "
                            "but %s before %s in %s",
                            name, lists[i].at[0]->name, lists[j].at[0]->name,
                            one, lists[j].at[0]->name, lists[i].at[0]->name,
                            two);
        }
    char heads[256] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < count && used < sizeof heads; i++)
        if (lists[i].left)
            used += (size_t)snprintf(heads + used, sizeof heads - used, "%s%s",
                                     used ? ", " : "", lists[i].at[0]->name);
    return lbi_fail(LB_BAD_ORDER,
                    "class %s has no order: of %s each must come after "
                    "another",
                    name, heads);
}

static lb_status merge(lb_class *cls, list *lists, uint32_t count,
                       lb_class **out, uint32_t *out_count)
{
    lb_status status = LB_OK;
    uint32_t n = 0;
    bool left;
    count_tails(lists, count, true);
    out[n++] = cls;
    do {
        left = false;
        for (uint32_t i = 0; i < count; i++)
            left = left || lists[i].left;
        lb_class *head = left ? good_head(lists, count) : NULL;
        if (head == cls) {
            status = lbi_fail(LB_BAD_ORDER,
                              "class %s has no order: it would come after "
                              "itself",
                              cls->name);
            count_tails(lists, count, false);
            left = false;
        } else if (head) {
            out[n++] = head;
            drop_head(lists, count, head);
        } else if (left) {
            status = explain_conflict(cls->name, lists, count);
            count_tails(lists, count, false);
            left = false;
        }
    } while (left);
    *out_count = n;
    return status;
}

lb_status lbi_linearize(lb_class *cls, lb_class *const *bases,
                        uint32_t base_count, lb_class ***order, uint32_t *count)
{
    lbi_allocator *allocator = &cls->runtime->allocator;
    size_t room = 1 + base_count;
    for (uint32_t i = 0; i < base_count; i++)
        room += order_of(bases[i]).left;
    const size_t lists_size = (base_count + 1) * sizeof(list);
    list *lists = lbi_alloc(allocator, lists_size);
    lb_class **out = lbi_alloc(allocator, room * sizeof *out);
    lb_status status = LB_NO_MEMORY;
    if (lists && out) {
        for (uint32_t i = 0; i < base_count; i++)
            lists[i] = order_of(bases[i]);
        lists[base_count] = (list){bases, base_count, NULL};
        status = merge(cls, lists, base_count + 1, out, count);
    }
    lbi_free(allocator, lists, lists_size);
    if (status == LB_OK) {
        *order = lbi_resize(allocator, out, room * sizeof *out,
                            *count * sizeof *out);
        if (*order)
            return LB_OK;
        status = LB_NO_MEMORY;
    }
    lbi_free(allocator, out, room * sizeof *out);
    return status == LB_NO_MEMORY ? lbi_no_memory() : status;
}
