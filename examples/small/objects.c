/* Objects with attributes: fields of a C struct, methods, and what is set
 * freely, all by one kind of look-up.
 *
 * An account is a C struct whose balance C code reads directly; programs that
 * know only its name reach it as an attribute, too. */
#include <latebind/latebind.h>
#include <stdio.h>
#include <stdlib.h>

/* An instance that can hold attributes of its own starts with an lb_object. */
typedef struct account {
    lb_object object;
    int64_t balance;
} account;

static void check(lb_status status)
{
    if (status == LB_OK)
        return;
    fprintf(stderr, "%s: %s\n", lb_status_name(status), lb_message());
    exit(1);
}

/* Methods. argv[0] is the receiver. */
static lb_status deposit(const lb_attribute *self, size_t argc,
                         const lb_value *argv, lb_value *result)
{
    account *a = argv[0].pointer;
    (void)self;
    if (argc != 2)
        return lb_fail_with(LB_METHOD_FAILED, "deposit wants an amount");
    a->balance += argv[1].integer;
    *result = lb_integer(a->balance);
    return LB_OK;
}

/* A savings account pays one on each ten, then does what accounts do. */
static lb_status deposit_with_bonus(const lb_attribute *self, size_t argc,
                                    const lb_value *argv, lb_value *result)
{
    if (argc != 2)
        return lb_fail_with(LB_METHOD_FAILED, "deposit wants an amount");
    const int64_t amount = argv[1].integer;
    const lb_value more[] = {argv[0], lb_integer(amount + amount / 10)};
    return lb_invoke_super(self, argc, more, result);
}

static lb_class *make_account(lb_runtime *runtime)
{
    lb_class *cls;
    const lb_class_spec spec = {.name = "Account",
                                .instance_size = sizeof(account),
                                .flags = LB_FREE_ATTRIBUTES};
    const lb_attribute_spec balance = {.kind = LB_FIELD,
                                       .type = LB_FIELD_INT64,
                                       .offset = offsetof(account, balance)};
    check(lb_class_create(runtime, &spec, &cls));
    check(lb_class_set(cls, lb_intern(runtime, "balance"), &balance));
    check(lb_class_set_method(cls, "deposit", deposit, NULL));
    return cls;
}

int main(void)
{
    lb_runtime *runtime;
    lb_value result;
    lb_found found, kept;
    check(lb_runtime_create(NULL, &runtime));
    lb_class *plain = make_account(runtime);
    lb_class *savings = lb_object_class(runtime, "Savings", plain, NULL);
    account *a = lb_new(savings);
    check(lb_class_set_method(savings, "deposit", deposit_with_bonus, NULL));

    /* A field and a free attribute are set and got in the same way. */
    const lb_symbol *balance = lb_intern(runtime, "balance");
    const lb_symbol *owner = lb_intern(runtime, "owner");
    const lb_symbol *put = lb_intern(runtime, "deposit");
    check(lb_set(a, balance, lb_integer(100)));
    check(lb_set(a, owner, lb_pointer("Ada")));
    check(lb_get(a, owner, &found));
    printf("%s has %lld\n", (const char *)found.value.constant,
           (long long)a->balance);

    check(lb_invoke_symbol(put, 2, (lb_value[]){lb_pointer(a), lb_integer(50)},
                           &result));
    printf("deposit(50): %lld\n", (long long)result.integer);

    /* A bound method is found once, kept, and called later. */
    check(lb_get(a, put, &kept));
    for (int i = 0; i < 3; i++)
        check(lb_call(runtime, &kept, 1, (lb_value[]){lb_integer(10)}, NULL));
    check(lb_get(a, balance, &found));
    printf("three times 10: %lld\n", (long long)found.value.integer);

    /* Names may be computed, too; a wrong one is told with the nearest. */
    const lb_status status = lb_get_text(a, "balence", &found);
    printf("%s: %s\n", lb_status_name(status), lb_message());

    lb_delete(savings, a);
    lb_runtime_destroy(runtime);
    return 0;
}
