/* tiny FILE - runs a program of the tiny language; README.md describes it.
 *
 *   tiny FILE [--policy table|search|table64|site] [--order python3|1998]
 *             [--count]
 *
 * 1. read_program cuts the text into tokens. Each knows its line and how far
 *    that is indented, which is all that is known about blocks.
 * 2. The tokens are run as they stand, by recursive descent. A block that is
 *    not to run is skipped; a function is the place where its text goes on.
 * 3. Everything about classes and attributes is the library's. Names are
 *    attributes, too: of the class `program`, or of the frame of a function,
 *    which is an instance of `program`. What the body of a class sets are
 *    attributes of that class.
 *
 * A mistake ends the program at once; an interpreter that goes on would return
 * a status from call_value, which the library hands through. Instances stay
 * until the end; a collector would mark what lb_visit_classes and
 * lb_visit_object tell it, from the frames on. */
#include <inttypes.h>
#include <latebind/latebind.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* A value is an address with its kind in the lowest bits: of an instance, of
 * the symbol that a text is, of the token where a function goes on, of a class.
 * Or it is an integer; or zero, which is None. */
enum { INSTANCE = 0, INTEGER = 1, TEXT = 2, FUNCTION = 4, CLASS = 6, NONE = 8 };
enum { MOST_TOKENS = 1 << 16, MOST_INSTANCES = 1 << 20, DEEPEST = 500 };
enum { MOST_ARGUMENTS = 8, LONGEST = 500 };

typedef struct token {
    const lb_symbol *symbol; /* its text; of a text without the second quote */
    int line, indentation;   /* of its line, in spaces */
    lb_site site;            /* of an attribute, for LB_POLICY_SITE */
} token;

/* (a, b, ...), or nothing. */
typedef struct list {
    bool given;
    size_t count;
    lb_value values[MOST_ARGUMENTS];
} list;

/* What runs: the program, or a function. */
typedef struct frame {
    lb_object variables;   /* of a function */
    lb_value names;        /* whose attributes its names are */
    lb_value target;       /* who gets new ones: the same, or a class */
    const lb_class *owner; /* of a method: the class that defines it, */
    lb_value self;         /* and its receiver */
    lb_value result;
} frame;

static const char *path;
static lb_runtime *runtime;
static lb_class *program;
static lb_object instances[MOST_INSTANCES];
static size_t instance_count;
static token tokens[MOST_TOKENS], *at = tokens; /* at: the next */
static token *returned; /* the last, behind the end: where a return goes */
static int line, depth; /* of the statement; of expressions and calls */
static frame globals, *local = &globals;

static lb_value expression(int least);
static void run_block(const token *head, bool run);

/* ---- values --------------------------------------------------------------*/

static void require(bool fine, const char *message, const char *about)
{
    if (fine)
        return;
    fflush(stdout);
    fprintf(stderr, "%s:%d: %s%s\n", path, line, message, about);
    exit(1);
}

static void check(lb_status status)
{
    require(status == LB_OK, lb_message(), "");
}

static const lb_symbol *intern(const char *text)
{
    const lb_symbol *symbol = lb_intern(runtime, text);
    require(symbol != NULL, lb_message(), "");
    return symbol;
}

/* Numbers wrap; the lowest bit is the mark. */
static lb_value integer(uint64_t n)
{
    return (lb_value){.bits = n << 1 | INTEGER};
}

static lb_value tagged(const void *address, int kind)
{
    return lb_pointer((const char *)address + kind);
}

static int kind_of(lb_value v)
{
    return v.bits == 0 ? NONE : v.bits & INTEGER ? INTEGER : (int)v.bits & 6;
}

static void *as(int kind, lb_value v)
{
    require(kind_of(v) == kind, "a value of the wrong kind", "");
    return (char *)v.pointer - kind;
}

/* ---- tokens --------------------------------------------------------------*/

static size_t add_token(const char *c, int indentation)
{
    char word[LONGEST];
    size_t length = strspn(c, "abcdefghijklmnopqrstuvwxyz_0123456789"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (length == 0)
        length = strncmp(c, "==", 2) == 0 ? 2 : 1;
    if (*c == '"')
        length = 1 + strcspn(c + 1, "\"\n");
    require(length < LONGEST && indentation < LONGEST, "too long", "");
    require(at < tokens + MOST_TOKENS, "too many tokens", "");
    snprintf(word, LONGEST, "%.*s", (int)length, c);
    *at++ = (token){intern(word), line, indentation, {0}};
    require(*c != '"' || c[length++] == '"', "a text without an end", "");
    return length;
}

/* Makes a block of the program, whose head is the first token. */
static void read_program(const char *c)
{
    int indentation = (int)strspn(c, " ");
    add_token(":", -1);
    for (line = 1; *c != '\0'; c += *c == ' ')
        if (*c == '\n') {
            line++;
            indentation = (int)strspn(++c, " ");
        } else if (*c == '#')
            c += strcspn(c, "\n");
        else if (*c != ' ')
            c += add_token(c, indentation);
    line++;
    add_token("", -1);
    returned = at;
    add_token("", -1);
    at = tokens;
    line = at->line;
}

static bool is(const char *word)
{
    return strcmp(at->symbol->text, word) == 0;
}

static bool accept(const char *word)
{
    const bool yes = at->line == line && is(word);
    at += yes;
    return yes;
}

static void expect(const char *word)
{
    require(accept(word), "expected ", word);
}

static token *read_name(void)
{
    require(at->line == line && *at->symbol->text >= 'A', "no name", "");
    return at++;
}

/* ---- calls ---------------------------------------------------------------*/

/* A function in a class is a method, which the library calls by call_value. */
static void set_attribute(lb_value of, const lb_symbol *symbol, lb_value v)
{
    const bool method = kind_of(v) == FUNCTION && of.bits != globals.names.bits;
    const lb_attribute_spec spec = {method ? LB_FUNCTION : LB_VALUE,
                                    .value = v};
    check(kind_of(of) == CLASS ? lb_class_set(as(CLASS, of), symbol, &spec)
                               : lb_set(as(INSTANCE, of), symbol, v));
}

static lb_value make_instance(lb_class *cls, size_t argc, const lb_value *argv)
{
    const lb_value made = lb_pointer(&instances[instance_count]);
    lb_found init;
    require(++instance_count < MOST_INSTANCES, "too many instances", "");
    lb_object_init(cls, made.pointer);
    if (lb_try_get_special(cls, made, intern("__init__"), &init) == LB_OK)
        check(lb_call(runtime, &init, argc, argv, NULL));
    return made;
}

static lb_value run_function(token *f, size_t argc, const lb_value *argv)
{
    size_t i = 0;
    at = f;
    line = f->line;
    for (expect("("); !accept(")"); accept(",")) {
        require(i < argc, "too few arguments for ", f[-1].symbol->text);
        set_attribute(local->target, read_name()->symbol, argv[i++]);
    }
    require(i == argc, "too many arguments for ", f[-1].symbol->text);
    run_block(f, true);
    return local->result;
}

/* How the library calls what it finds; `self` is there for a method. */
static lb_status call_value(void *context, const lb_attribute *self, lb_value f,
                            size_t argc, const lb_value *argv, lb_value *result)
{
    frame body = {.owner = self != NULL ? self->owner : context};
    frame *const caller = local;
    token *const back = at;
    body.self = self != NULL ? argv[0] : body.result;
    body.names = body.target = lb_pointer(&body);
    lb_object_init(program, &body.variables);
    local = &body;
    require(++depth < DEEPEST, "nested too deep", "");
    *result = kind_of(f) == CLASS ? make_instance(as(CLASS, f), argc, argv)
                                  : run_function(as(FUNCTION, f), argc, argv);
    lb_object_clear(&body.variables);
    depth--;
    local = caller;
    at = back;
    line = back[-1].line;
    return LB_OK;
}

/* The name that __getattr__ is asked for. */
static lb_status name_value(void *context, const char *name, lb_value *value)
{
    *value = tagged(intern(name), TEXT);
    return context == NULL ? LB_OK : LB_BAD_ARGUMENT;
}

/* Puts what the first of two methods answers in place of v; false: neither. */
static bool ask(lb_value *v, const char *one, const char *other)
{
    const lb_symbol *const names[] = {intern(one), intern(other)};
    lb_class *cls = lb_class_of(runtime, as(INSTANCE, *v));
    lb_found found;
    if (lb_get_first_special(cls, *v, names, 2, NULL, &found) != LB_OK)
        return false;
    check(lb_call(runtime, &found, 0, NULL, v));
    return true;
}

static const char *words_of(lb_value v)
{
    char digits[32];
    if (kind_of(v) == INSTANCE)
        require(ask(&v, "__str__", "__repr__"), "no __str__ or __repr__", "");
    if (kind_of(v) == CLASS)
        return lb_class_name(as(CLASS, v));
    snprintf(digits, sizeof digits, "%" PRId64, v.integer >> 1);
    if (kind_of(v) == INTEGER)
        return intern(digits)->text;
    return v.bits == 0 ? "None" : ((const lb_symbol *)as(TEXT, v))->text;
}

/* ---- names and attributes ------------------------------------------------*/

/* A method as a value is the plain function. */
static lb_value value_of(const lb_found *found)
{
    return found->method != NULL ? found->method->value : found->value;
}

/* What programs find there already; false: that is not what `f` is. */
static bool call_built_in(const char *f, const lb_value *v, lb_value *result)
{
    const bool get = strcmp(f, "getattr") == 0;
    lb_found found;
    *result = (lb_value){0};
    if (strcmp(f, "print") == 0)
        puts(words_of(v[0]));
    else if (strcmp(f, "isinstance") == 0)
        *result =
            integer(lb_is_instance(as(INSTANCE, v[0]), as(CLASS, v[1])) != 0);
    else if (strcmp(f, "setattr") == 0)
        set_attribute(v[0], intern(words_of(v[1])), v[2]);
    else if (strcmp(f, "delattr") == 0)
        check(kind_of(v[0]) == CLASS
                  ? lb_class_delete(as(CLASS, v[0]), intern(words_of(v[1])))
                  : lb_unset_text(as(INSTANCE, v[0]), words_of(v[1])));
    else if (get || strcmp(f, "hasattr") == 0) {
        const lb_status status =
            lb_get_text(as(INSTANCE, v[0]), words_of(v[1]), &found);
        require(!get || status == LB_OK, lb_message(), "");
        *result = get ? value_of(&found) : integer(status == LB_OK);
    } else
        return false;
    return true;
}

/* Commas are not insisted on. */
static list arguments(void)
{
    list a = {.given = accept("(")};
    for (; a.given && !accept(")"); accept(",")) {
        require(a.count < MOST_ARGUMENTS, "too many arguments", "");
        a.values[a.count++] = expression(0);
    }
    return a;
}

/* of.name, or that of super() after a class. */
static lb_found look_up(lb_value of, token *n, const lb_class *after)
{
    const int kind = kind_of(of) == CLASS ? CLASS : INSTANCE;
    void *const object = as(kind, of);
    lb_found found;
    if (kind == CLASS)
        check(lb_class_get(object, n->symbol, &found));
    else if (after != NULL)
        check(lb_get_super(after, object, n->symbol, &found));
    else if (lb_try_get_at(&n->site, object, n->symbol, &found) != LB_OK)
        check(lb_get(object, n->symbol, &found)); /* for its message */
    return found;
}

/* A name comes next: it is set, called or got. Nothing runs between a look-up
 * and the call, and no bound method is made. */
static lb_value use(lb_value of, lb_value target, const lb_class *after)
{
    token *const n = read_name();
    lb_value v;
    if (accept("=")) {
        v = expression(0);
        set_attribute(target, n->symbol, v);
        return v;
    }
    const list a = arguments();
    if (a.given && of.bits == local->names.bits &&
        call_built_in(n->symbol->text, a.values, &v))
        return v;
    const lb_found found = look_up(of, n, after);
    v = value_of(&found);
    if (a.given)
        check(lb_call(runtime, &found, a.count, a.values, &v));
    return v;
}

/* ---- expressions ---------------------------------------------------------*/

/* (...), super().name, a text, a number, or a name; then .name and so on. */
static lb_value primary(void)
{
    const char *text = at->symbol->text;
    lb_value v;
    if (accept("(")) {
        v = expression(0);
        expect(")");
    } else if (accept("super")) {
        expect("("), expect(")"), expect(".");
        require(local->owner != NULL, "super() outside of a method", "");
        v = use(local->self, local->self, local->owner);
    } else if (*text == '"' || (*text >= '0' && *text <= '9')) {
        at++;
        v = *text == '"' ? tagged(intern(text + 1), TEXT)
                         : integer(strtoull(text, NULL, 10));
    } else
        v = use(local->names, local->target, NULL);
    while (accept("."))
        v = use(v, v, NULL);
    return v;
}

/* What binds tighter has the higher precedence. */
static const char *const signs[] = {"<", "==", "+", "-", "*"};
static const int precedences[] = {1, 1, 2, 2, 3};
static const char *const methods[] = {"__lt__", "__eq__", "__add__", "__sub__",
                                      "__mul__"};

static lb_value operate(int i, lb_value a, lb_value b)
{
    const uint64_t x = a.bits >> 1, y = b.bits >> 1;
    const uint64_t all[] = {a.integer < b.integer, x == y, x + y, x - y, x * y};
    lb_status status = LB_NO_ATTRIBUTE;
    char words[LONGEST];
    if (kind_of(a) == INTEGER && kind_of(b) == INTEGER)
        return integer(all[i]);
    if (kind_of(a) == INSTANCE)
        status =
            lb_invoke_special(lb_class_of(runtime, a.constant),
                              intern(methods[i]), 2, (lb_value[]){a, b}, &a);
    if (status == LB_OK || *signs[i] == '=')
        return status == LB_OK ? a : integer(x == y);
    require(kind_of(a) == TEXT && *signs[i] == '+', "no method ", methods[i]);
    const int length =
        snprintf(words, LONGEST, "%s%s", words_of(a), words_of(b));
    require(length < LONGEST, "the text is too long", "");
    return tagged(intern(words), TEXT);
}

static lb_value expression(int least)
{
    require(++depth < DEEPEST, "nested too deep", "");
    lb_value v = primary();
    for (int i = 0; i < 5; i++)
        if (precedences[i] > least && accept(signs[i])) {
            v = operate(i, v, expression(precedences[i]));
            i = -1;
        }
    depth--;
    return v;
}

/* ---- statements ----------------------------------------------------------*/

static void run_class(const token *head)
{
    const lb_symbol *symbol = read_name()->symbol;
    const lb_value outer = local->target;
    const list a = arguments();
    lb_class *bases[MOST_ARGUMENTS], *cls;
    for (size_t i = 0; i < a.count; i++)
        bases[i] = as(CLASS, a.values[i]);
    const lb_class_spec spec = {symbol->text, bases, a.count,
                                .flags = LB_FREE_ATTRIBUTES};
    check(lb_class_create(runtime, &spec, &cls));
    local->target = tagged(cls, CLASS);
    run_block(head, true);
    local->target = outer;
    set_attribute(outer, symbol, tagged(cls, CLASS));
}

/* A loop that goes on is the next statement again. */
static void run_condition(token *head, bool loop)
{
    lb_value v = expression(0);
    bool yes = v.bits >> 1 != 0;
    if (kind_of(v) == INSTANCE && ask(&v, "__nonzero__", "__len__"))
        yes = v.bits >> 1 != 0;
    run_block(head, yes);
    if (loop && yes && at != returned)
        at = head;
    else if (!loop && at->indentation == head->indentation && is("else")) {
        line = at->line;
        run_block(at++, !yes);
    }
}

static void run_statement(void)
{
    token *const head = at;
    if (accept("if"))
        run_condition(head, false);
    else if (accept("while"))
        run_condition(head, true);
    else if (accept("class"))
        run_class(head);
    else if (accept("def")) {
        const lb_symbol *symbol = read_name()->symbol;
        set_attribute(local->target, symbol, tagged(at, FUNCTION));
        run_block(head, false);
    } else if (accept("return")) {
        local->result = expression(0);
        at = returned;
    } else if (!accept("pass"))
        expression(0);
}

/* A block goes as far as lines are more indented than its head. */
static void run_block(const token *head, bool run)
{
    if (run)
        expect(":");
    while (!run &&
           (at->line == head->line || at->indentation > head->indentation))
        at++;
    const int indentation = at->indentation;
    require(!run || indentation > head->indentation, "no block", "");
    while (run && at->indentation > head->indentation) {
        require(at->line != line, "not expected: ", at->symbol->text);
        line = at->line;
        require(at->indentation == indentation, "strange indentation", "");
        run_statement();
    }
}

/* ---- all -----------------------------------------------------------------*/

static void read_options(char **argv, lb_object_options *options)
{
    static const char *const words[] = {"table",   "search",   "table64",
                                        "site",    "python3",  "1998",
                                        "--count", "--policy", "--order"};
    for (int i = 0; *argv != NULL; argv++, i = 0) {
        while (i < 9 && strcmp(*argv, words[i]) != 0)
            i++;
        require(i < 9, "no option ", *argv);
        if (i < 4)
            options->policy = (lb_cache_policy)i;
        else if (i < 6)
            options->order = (lb_search_order)(i - 4);
        options->counting |= i == 6;
    }
}

static void begin(const lb_object_options *options)
{
    lb_config config;
    lb_config_init(&config);
    config.threading = LB_SINGLE_THREADED;
    check(lb_runtime_create(&config, &runtime));
    check(lb_objects_configure(runtime, options));
    program = lb_object_class(runtime, "program", NULL, NULL);
    globals.names = globals.target = tagged(program, CLASS);
    check(lb_class_set_value(program, "None", (lb_value){0}));
}

static void print_counters(void)
{
    lb_counters c;
    check(lb_get_counters(runtime, &c));
    printf("%6" PRIu64 " gets\n%6" PRIu64 " instance look-ups\n"
           "%6" PRIu64 " saved\n%6" PRIu64 " class look-ups\n"
           "%6" PRIu64 " hits\n%6" PRIu64 " misses\n%6" PRIu64 " generations\n",
           c.gets, c.instance_lookups, c.saved_lookups, c.class_lookups, c.hits,
           c.misses, c.generations);
}

int main(int argc, char **argv)
{
    lb_object_options options = {.call_value = call_value,
                                 .name_value = name_value};
    char *source = NULL;
    size_t size = 0;
    path = argc > 1 ? argv[1] : "FILE";
    FILE *file = fopen(path, "r");
    require(file != NULL, "cannot be read", "");
    require(getdelim(&source, &size, '\0', file) > 0, "is empty", "");
    fclose(file);
    read_options(argv + 2, &options);
    begin(&options);
    read_program(source);
    free(source);
    check(lb_counters_reset(runtime));
    run_block(tokens, true);
    if (options.counting)
        print_counters();
    while (instance_count > 0)
        lb_object_clear(&instances[--instance_count]);
    lb_runtime_destroy(runtime);
    return 0;
}
