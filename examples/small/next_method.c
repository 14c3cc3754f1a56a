/* Work around the inherited method.
 *
 * A method may call the next one, the method that would have run without it,
 * and do its own work before and after. The same can be said from outside, by
 * rules that run before, after or around whatever is chosen. */
#include <latebind/latebind.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct document {
    lb_header head;
    int pages;
} document;

LB_GENERIC_VOID(print, (ON, const document *, d));
LB_DEFINE_GENERIC(print);

LB_METHOD(print, print_pages);
static void print_pages(lb_slot slot, const document *d)
{
    LB_IGNORE(slot);
    printf("    %d pages\n", d->pages);
}

/* A letter is printed like any document, with something above and below. A
 * method that goes on to the next begins with LB_SELF, which declares `self`,
 * its place in the chain of methods. */
LB_METHOD(print, print_letter);
static void print_letter(lb_slot slot, const document *d)
{
    LB_SELF_VOID(print, print_letter, slot, d);
    printf("    the address\n");
    lb_next_print(self, d);
    printf("    the signature\n");
}

LB_METHOD(print, warm_up);
static void warm_up(lb_slot slot, const document *d)
{
    (void)slot, (void)d;
    printf("  the printer warms up\n");
}

LB_METHOD(print, cool_down);
static void cool_down(lb_slot slot, const document *d)
{
    (void)slot, (void)d;
    printf("  the printer cools down\n");
}

/* An around method decides whether the rest runs, and how often. */
LB_METHOD(print, twice);
static void twice(lb_slot slot, const document *d)
{
    LB_SELF_VOID(print, twice, slot, d);
    lb_next_print(self, d);
    lb_next_print(self, d);
}

static void check(int fine)
{
    if (fine)
        return;
    fprintf(stderr, "%s\n", lb_message());
    exit(1);
}

/* A rule without specializers is for arguments of every class. */
static void add_for_all(const lb_method *method, lb_qualifier when)
{
    const lb_rule rule = {.method = method, .qualifier = when};
    check(lb_add_rules(LB_GENERIC_OF(print), &rule, 1) == LB_OK);
}

int main(void)
{
    lb_runtime *runtime;
    check(lb_runtime_create(NULL, &runtime) == LB_OK);
    const size_t size = sizeof(document);
    lb_class *any = lb_class_make(runtime, "Document", size, NULL, NULL);
    lb_class *letter = lb_class_make(runtime, "Letter", size, any, NULL);
    check(any != NULL && letter != NULL);
    check(lb_bind(runtime, LB_HEAD(print), NULL) == LB_OK);
    check(lb_add(LB_HEAD(print), LB_DESCRIPTOR(print_pages), any) == LB_OK);
    check(lb_add(LB_HEAD(print), LB_DESCRIPTOR(print_letter), letter) == LB_OK);

    document mail = {.pages = 3};
    lb_init(letter, &mail);
    printf("A letter:\n");
    print(&mail);

    add_for_all(LB_DESCRIPTOR(warm_up), LB_BEFORE);
    add_for_all(LB_DESCRIPTOR(cool_down), LB_AFTER);
    printf("With a before and an after method:\n");
    print(&mail);

    add_for_all(LB_DESCRIPTOR(twice), LB_AROUND);
    printf("And one around them:\n");
    print(&mail);

    lb_runtime_destroy(runtime);
    return 0;
}
