/* inspect/report_dot.c - the classes of a runtime in the DOT language.
 *
 * A node per living class, in the order of creation, and an edge from each
 * class to each of its bases; of several bases the edges are numbered. Under
 * the lock; linear in classes and bases.
 */
#include "inspect/markup.h"

#include "core/class.h"
#include "latebind/inspect.h"

static void write_class(lbi_text *text, const lb_class *cls)
{
    lbi_text_print(text, "  c%u [label=\"", cls->serial);
    lbi_put_dot(text, cls->name);
    lbi_text_put(text, "\"];\n");
}

static void write_bases(lbi_text *text, const lb_class *cls)
{
    for (uint32_t i = 0; i < cls->base_count; i++) {
        lbi_text_print(text, "  c%u -> c%u", cls->serial,
                       cls->bases[i]->serial);
        if (cls->base_count > 1)
            lbi_text_print(text, " [label=\"%u\"]", i + 1);
        lbi_text_put(text, ";\n");
    }
}

lb_status lb_report_dot(lb_runtime *runtime, char **text)
{
    lbi_text dot;
    if (runtime == NULL || text == NULL)
        return lbi_fail(LB_BAD_ARGUMENT, "%s is NULL",
                        runtime ? "text" : "runtime");
    *text = NULL;
    const lb_status status = lbi_enter_runtime(runtime);
    if (status != LB_OK)
        return status;
    lbi_text_init(&dot, &runtime->allocator);
    lbi_text_put(&dot, "digraph classes {\n"
                       "  rankdir=BT;\n"
                       "  node [shape=box, style=rounded];\n");
    for (lb_class *cls = runtime->first_class; cls; cls = cls->next)
        write_class(&dot, cls);
    for (lb_class *cls = runtime->first_class; cls; cls = cls->next)
        write_bases(&dot, cls);
    lbi_text_put(&dot, "}\n");
    *text = lbi_text_take(&dot);
    return lbi_leave_runtime(runtime, *text ? LB_OK : lbi_no_memory());
}
