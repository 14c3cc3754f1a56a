/* What the writer of an interpreter needs: values that are small integers with
 * a tag bit, or pointers to objects; one class for each; operators that choose
 * by both operands, called with however many arguments the program gives. */
#include <latebind/latebind.h>

#include <stdio.h>
#include <stdlib.h>

typedef struct text {
    lb_header head;
    const char *words;
} text;

static lb_class *number_class, *text_class;

static lb_value number(int64_t n)
{
    return lb_integer(n * 2 + 1);
}

static int64_t as_number(lb_value v)
{
    return v.integer >> 1;
}

/* Asked for every argument: a tagged one is a number, others have headers. */
static lb_class *class_of(void *runtime, lb_value v)
{
    return v.integer & 1 ? number_class
                         : lb_class_of(*(lb_runtime **)runtime, v.pointer);
}

LB_BOXED_METHOD(add_numbers);
static lb_status add_numbers(lb_slot slot, size_t argc, const lb_value *argv,
                             lb_value *result)
{
    int64_t sum = 0;
    LB_IGNORE(slot);
    for (size_t i = 0; i < argc; i++)
        sum += as_number(argv[i]);
    *result = number(sum);
    return LB_OK;
}

LB_BOXED_METHOD(add_texts);
static lb_status add_texts(lb_slot slot, size_t argc, const lb_value *argv,
                           lb_value *result)
{
    LB_IGNORE(slot);
    (void)argc;
    printf("(joins \"%s\" and \"%s\") ", ((text *)argv[0].pointer)->words,
           ((text *)argv[1].pointer)->words);
    *result = argv[0];
    return LB_OK;
}

static void check(lb_status status)
{
    if (status == LB_OK)
        return;
    fprintf(stderr, "%s: %s\n", lb_status_name(status), lb_message());
    exit(1);
}

static void show(lb_generic *add, size_t argc, const lb_value *argv)
{
    lb_value result;
    const lb_status status = lb_invoke(add, argc, argv, &result);
    if (status != LB_OK)
        printf("%s\n", lb_message());
    else if (result.integer & 1)
        printf("%lld\n", (long long)as_number(result));
    else
        printf("a text\n");
}

int main(void)
{
    lb_runtime *runtime;
    lb_config config;
    lb_config_init(&config);
    config.class_of = class_of;
    config.class_of_context = &runtime;
    check(lb_runtime_create(&config, &runtime));
    number_class = lb_class_make(runtime, "number", 0, NULL, NULL);
    text_class = lb_class_make(runtime, "text", sizeof(text), NULL, NULL);

    lb_generic *add;
    check(lb_generic_create_boxed(runtime, "add", 2, NULL, &add));
    const lb_specializer numbers[] = {lb_is(number_class), lb_is(number_class)};
    const lb_specializer texts[] = {lb_is(text_class), lb_is(text_class)};
    const lb_rule rules[] = {
        {.method = LB_DESCRIPTOR(add_numbers),
         .specializers = numbers,
         .count = 2,
         .rest = &numbers[0]}, /* two numbers or more */
        {.method = LB_DESCRIPTOR(add_texts), .specializers = texts, .count = 2},
    };
    check(lb_add_rules(add, rules, 2));

    text hello = {.words = "hello "}, world = {.words = "world"};
    lb_init(text_class, &hello);
    lb_init(text_class, &world);
    show(add, 2, (lb_value[]){number(40), number(2)});
    show(add, 4, (lb_value[]){number(1), number(2), number(3), number(4)});
    show(add, 2, (lb_value[]){lb_pointer(&hello), lb_pointer(&world)});
    show(add, 2, (lb_value[]){number(1), lb_pointer(&world)});
    show(add, 1, (lb_value[]){number(1)});
    lb_runtime_destroy(runtime);
}
