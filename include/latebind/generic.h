/* latebind/generic.h - generic functions, their rules, and how they combine.
 *
 * A rule says: this method, when the arguments are like that. Rules are plain
 * structs; adding one copies it. Two rules with the same specializers, arity
 * and qualifier are the same rule: adding the second replaces the first.
 *
 * Semantics (see docs/semantics.md for the definitions and sources):
 *   - arity filters first, then types; fixed beats optional beats variadic
 *     only when everything else is equal
 *   - a rule is applicable when each argument's class has the specializer in
 *     its linearization, or equals the `eql` value, or satisfies the predicate
 *   - specificity is the position in the argument's own linearization; an
 *     `eql` value comes before its class, a predicate just before its class
 *   - the applicable rules, most specific first, are the chain along which
 *     "call the next method" moves
 */
#ifndef LATEBIND_GENERIC_H
#define LATEBIND_GENERIC_H

#include "latebind/abi.h"
#include "latebind/class.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A named condition on a value, known by its address. test: 1 yes, 0 no, -1
 * failed (the call ends with LB_PREDICATE_FAILED). Runs without the lock and
 * may run more than once per call. */
typedef struct lb_predicate {
    const char *name;
    int (*test)(void *context, lb_value value);
    void *context;
    const struct lb_predicate *const *implies; /* these are more general */
    size_t implies_count;
} lb_predicate;

/* Equality of an `eql` value and an argument, as above; NULL: same bits. */
typedef int (*lb_equal_fn)(void *context, lb_value expected, lb_value value);

typedef enum lb_kind {
    LB_ANY = 0,  /* every argument                                        */
    LB_IS = 1,   /* instances of `cls` and its subclasses                 */
    LB_EQL = 2,  /* arguments equal to `value`, of class `cls` or below    */
    LB_WHERE = 3 /* instances of `cls` (NULL: of any) with `predicate`     */
} lb_kind;

/* What one dispatched argument must be. */
typedef struct lb_specializer {
    lb_kind kind;
    lb_class *cls;
    lb_value value;
    lb_equal_fn equal;
    void *equal_context;
    const lb_predicate *predicate;
} lb_specializer;

/* Any argument. These four are pure and only fill in the struct. */
LBI_INLINE lb_specializer lb_any(void)
{
    lb_specializer s;
    memset(&s, 0, sizeof s);
    return s;
}

/* Instances of `cls` (not NULL) and of its subclasses. */
LBI_INLINE lb_specializer lb_is(lb_class *cls)
{
    lb_specializer s = lb_any();
    s.kind = LB_IS;
    s.cls = cls;
    return s;
}

/* Arguments of `cls` (NULL: of any class) that are the same bits as `value`;
 * set `equal` in the result for another equality. */
LBI_INLINE lb_specializer lb_eql(lb_class *cls, lb_value value)
{
    lb_specializer s = lb_any();
    s.kind = LB_EQL;
    s.cls = cls;
    s.value = value;
    return s;
}

/* Instances of `cls` (NULL: of any class) for which `predicate` holds. It is
 * referred to, so it must outlive the rules made with it. */
LBI_INLINE lb_specializer lb_where(lb_class *cls, const lb_predicate *predicate)
{
    lb_specializer s = lb_any();
    s.kind = LB_WHERE;
    s.cls = cls;
    s.predicate = predicate;
    return s;
}

typedef enum lb_qualifier {
    LB_PRIMARY = 0,
    LB_BEFORE = 1, /* all run before the primary, most specific first; their
                      results are dropped */
    LB_AFTER = 2,  /* all run after it, most specific last */
    LB_AROUND = 3  /* run first; the next method of the last is the rest */
} lb_qualifier;

/* Mertz's propagation: the next method runs by itself, its result dropped. */
typedef enum lb_propagate {
    LB_PROPAGATE_NONE = 0,
    LB_AT_START = 1, /* before one's own body */
    LB_AT_END = 2    /* after one's own body  */
} lb_propagate;

/* A method in a generic function. Zero is a good default for all but
 * `method`, `specializers` and `count`. */
typedef struct lb_rule {
    const lb_method *method;
    const lb_specializer *specializers; /* of the dispatched arguments */
    size_t count;    /* typed: fewer than the generic's: any; boxed: the
                           arguments taken, past the dispatched ones LB_ANY */
    size_t optional; /* boxed: of these, how many may be missing */
    const lb_specializer *rest; /* boxed: what further arguments must be
                                   (LB_ANY or LB_IS); NULL: there are none */
    lb_qualifier qualifier;
    lb_propagate propagate;
    int commutative; /* also applicable with its first two exchanged */
    void *context;   /* what the method finds in its entry */
    void (*release)(void *context); /* called once nothing can run it any
                           more, once for each time the rule was added; if it
                           could not be, `context` stays yours */
} lb_rule;

typedef enum lb_order {
    LB_SYMMETRIC = 0,     /* wins if nowhere less specific, somewhere more  */
    LB_LEXICOGRAPHIC = 1, /* the first argument that differs decides (CLOS) */
    LB_DYLAN = 2,         /* as symmetric, but by subtype before position
                             (Dylan Reference Manual, "Method Dispatch")    */
    LB_WEIGHTED = 3,      /* least sum of distances (Perl, Mertz)           */
    LB_DEFINITION = 4,    /* first defined wins                             */
    LB_REVERSE_DEFINITION = 5, /* last defined wins                         */
    LB_USER_ORDER = 6
} lb_order;

/* Compares two applicable rules for arguments of these classes: < 0: `a` is
 * more specific, > 0: `b` is, 0: neither. Must be a strict partial order that
 * depends on nothing else; runs under the lock, must not call the runtime. */
typedef int (*lb_compare_fn)(void *context, const lb_rule *a, const lb_rule *b,
                             lb_class *const *classes, size_t count);

typedef enum lb_combination {
    LB_STANDARD = 0, /* the most specific; the rest by next method */
    LB_FIRST = 1,    /* as standard, but never ambiguous: of equally specific
                        rules the one defined first goes first */
    LB_LIST = 2,     /* boxed generics: every result, as an lb_results * */
    LB_SUM = 3,      /* results of all added up (arithmetic types) */
    LB_AND = 4,      /* until one is false; LB_OR: until one is true */
    LB_OR = 5,
    LB_APPEND = 6, /* boxed generics: the methods' lb_results * joined */
    LB_USER_COMBINATION = 7
} lb_combination;

/* What LB_LIST yields and LB_APPEND takes and yields: `result.pointer`. The
 * caller gives it back by lb_results_destroy. */
typedef struct lb_results {
    lb_runtime *runtime;
    size_t count;
    lb_value *values; /* in the same allocation */
} lb_results;

/* A list of `count` values (copied; NULL if none), or NULL without memory. */
LB_PUBLIC lb_results *lb_results_create(lb_runtime *runtime,
                                        const lb_value *values, size_t count);
LB_PUBLIC void lb_results_destroy(lb_results *results); /* NULL allowed */

/* How a generic function chooses and combines. Zero: symmetric, standard,
 * ambiguities reported at the definition, an error at the call. */
typedef struct lb_policy {
    lb_order order;
    lb_compare_fn compare; /* LB_USER_ORDER */
    void *compare_context;
    lb_combination combination;
    lb_combine_fn combine; /* LB_USER_COMBINATION; lb_value results if boxed */
    void *combine_context;
    const uint32_t *precedence; /* the order in which the dispatched
                                   arguments count; NULL: left to right */
    size_t precedence_count;
    int silent; /* 1: do not look for ambiguities at definitions; 2: only when
                   rules are added, not for classes that come later */
} lb_policy;

/* Binds a typed generic function to a runtime, once: LB_EXISTS when it is
 * bound, or the name is taken. `policy` NULL: all zero. */
LB_PUBLIC lb_status lb_bind(lb_runtime *runtime, lb_head *head,
                            const lb_policy *policy);

/* Makes another generic function of the same signature, e.g. in a second
 * runtime; called by lb_in_name(lb_generic_head(g), ...).
 * name  NULL: without a name
 * Errors: LB_BAD_ARGUMENT (the policy, too), LB_BAD_ABI, LB_BAD_SIGNATURE (a
 * combination that does not suit the result), LB_EXISTS, LB_LIMIT,
 * LB_NO_MEMORY. The same for the next two and lb_bind. */
LB_PUBLIC lb_status lb_generic_create(lb_runtime *runtime, const char *name,
                                      const lb_signature *signature,
                                      const lb_policy *policy,
                                      lb_generic **result);

/* Makes a generic function whose methods are boxed (lb_boxed_fn), which is
 * called by lb_invoke with any number of arguments. The first `dispatched`
 * (1 to 8) select the method. */
LB_PUBLIC lb_status lb_generic_create_boxed(lb_runtime *runtime,
                                            const char *name,
                                            unsigned dispatched,
                                            const lb_policy *policy,
                                            lb_generic **result);

/* A copy of `generic` with its rules, under another name (NULL: none). It
 * shares the rules' contexts, but does not release them: they must outlive it.
 * Errors: as lb_generic_create. */
LB_PUBLIC lb_status lb_generic_clone(lb_generic *generic, const char *name,
                                     lb_generic **result);

/* Ends a generic function (NULL is allowed); a typed one becomes unbound. No
 * call of it may be in flight. LB_BUSY when a group holds rules of it. */
LB_PUBLIC lb_status lb_generic_destroy(lb_generic *generic);

/* The generic function of that name, or NULL. Any thread. */
LB_PUBLIC lb_generic *lb_generic_find(lb_runtime *runtime, const char *name);

/* Facts about a generic function (not NULL). The name is NULL when it has
 * none; name and head live as long as the generic function. */
LB_PUBLIC const char *lb_generic_name(const lb_generic *generic);
LB_PUBLIC const lb_head *lb_generic_head(const lb_generic *generic);
LB_PUBLIC lb_runtime *lb_generic_runtime(const lb_generic *generic);
LB_PUBLIC size_t lb_generic_dispatched(const lb_generic *generic);

/* A number that is another one after every change by which a call of `generic`
 * (not NULL) may come to something else: of its rules, of the order of classes.
 * For callers that keep what lb_resolve said: read it (acquire) before asking,
 * and what was said holds as long as it stays. It lives as long as the generic
 * function. Any thread, no lock. */
LB_PUBLIC const uint64_t *lb_generic_version(const lb_generic *generic);

/* Adds rules, all or none, in one step: a call that starts after the return
 * sees all of them. An equal rule is replaced. Errors: LB_BAD_ARGUMENT,
 * LB_BAD_SIGNATURE, LB_UNBOUND, LB_LIMIT, LB_NO_MEMORY. Ambiguities that a
 * new rule brings are reported (not an error). Any thread; but in a
 * single-threaded runtime a method that changes its own generic function must
 * be inside lb_enter if it uses its entry afterwards. */
LB_PUBLIC lb_status lb_add_rules(lb_generic *generic, const lb_rule *rules,
                                 size_t count);

/* Removes rules, all or none; equal means the same specializers, arity and
 * qualifier, and the same method unless `method` is NULL. LB_NOT_FOUND. A call
 * in flight may still run a removed method. */
LB_PUBLIC lb_status lb_remove_rules(lb_generic *generic, const lb_rule *rules,
                                    size_t count);

/* The short forms for class specializers: one class per dispatched argument
 * (lb_any_class: any). `head` must be bound. A NULL among the classes is an
 * error, since it mostly comes from a class that could not be made. */
LB_PUBLIC lb_status lb_add_classes(const lb_head *head, const lb_method *method,
                                   lb_class *const *classes);
LB_PUBLIC lb_status lb_remove_classes(const lb_head *head,
                                      const lb_method *method,
                                      lb_class *const *classes);
/* The same with everything but the specializers taken from `like`: method,
 * qualifier, propagation, commutative, context. */
LB_PUBLIC lb_status lb_add_classes_like(const lb_head *head,
                                        const lb_rule *like,
                                        lb_class *const *classes);
#ifndef __cplusplus
/* lb_add(LB_HEAD(area), LB_DESCRIPTOR(circle_area), circle)
 * lb_add_like(LB_HEAD(meet), (&(lb_rule){.method = m, .commutative = 1}), a, b)
 */
#define lb_add(head, method, ...)                                              \
    lb_add_classes(head, method,                                               \
                   (lb_class *const[LB_MAX_DISPATCH]){__VA_ARGS__})
#define lb_remove(head, method, ...)                                           \
    lb_remove_classes(head, method,                                            \
                      (lb_class *const[LB_MAX_DISPATCH]){__VA_ARGS__})
#define lb_add_like(head, like, ...)                                           \
    lb_add_classes_like(head, like,                                            \
                        (lb_class *const[LB_MAX_DISPATCH]){__VA_ARGS__})
#endif

/* A group of rules, of any generic functions, that come and go in one step: a
 * plug-in's, a module's. Nothing is visible before lb_group_commit. */
typedef struct lb_group lb_group;

/* strict: committing fails with LB_AMBIGUOUS when it would bring an
 * ambiguity. `name` is copied and shown by explain. */
LB_PUBLIC lb_status lb_group_create(lb_runtime *runtime, const char *name,
                                    int strict, lb_group **result);
/* Adds rules to what the next commit publishes. Errors: as lb_add_rules. */
LB_PUBLIC lb_status lb_group_add(lb_group *group, lb_generic *generic,
                                 const lb_rule *rules, size_t count);
/* Publishes what was added since the last commit, all or nothing. After a
 * failure the additions stay pending: commit again, or remove the group.
 * Errors: LB_AMBIGUOUS (strict), LB_LIMIT, LB_NO_MEMORY. */
LB_PUBLIC lb_status lb_group_commit(lb_group *group);
/* Removes every rule of the group that is still in place, and the group. The
 * methods may still run until quiescence. Errors: LB_BAD_ARGUMENT for NULL. */
LB_PUBLIC lb_status lb_group_remove(lb_group *group);

/* Calls with boxed arguments.
 * argc    all arguments, plain ones too; a typed generic wants exactly its own
 * argv    not NULL unless argc is 0
 * result  receives the result; NULL: dropped. For a typed generic whose result
 *         is larger than a value, result->pointer is the storage to fill
 * Errors: LB_NO_METHOD, LB_AMBIGUOUS, LB_NO_CLASS, LB_UNBOUND, what a boxed
 * method returned. Any thread. */
LB_PUBLIC lb_status lb_invoke(lb_generic *generic, size_t argc,
                              const lb_value *argv, lb_value *result);

/* From inside a boxed method: runs the next method (LB_NO_NEXT_METHOD). */
LB_PUBLIC lb_status lb_invoke_next(const lb_entry *self, size_t argc,
                                   const lb_value *argv, lb_value *result);

/* The entry a call with arguments of these classes would run (one class per
 * dispatched argument; boxed: NULL for a missing one), without running it. When
 * the choice depends on values, `values` are asked; NULL: no value and no
 * predicate holds. Never NULL; its status says whether the call would fail.
 * Valid until quiescence (single-threaded: until the next change). */
LB_PUBLIC const lb_entry *lb_resolve(lb_generic *generic,
                                     lb_class *const *classes,
                                     const lb_value *values);

/* The rule that `entry` runs, or NULL for one that stands for a failure, for
 * several rules (befores and afters, combinations). Valid until quiescence. */
LB_PUBLIC const lb_rule *lb_entry_rule(const lb_entry *entry);

#ifdef __cplusplus
}
#endif
#endif
