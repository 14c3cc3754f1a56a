/* latebind/status.h - results of public calls.
 *
 * Every call that can fail returns an lb_status. The text that goes with the
 * last failure of the calling thread is lb_message(). A failed call changes
 * nothing unless its comment says otherwise.
 */
#ifndef LATEBIND_STATUS_H
#define LATEBIND_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LB_PUBLIC __attribute__((visibility("default")))
#else
#define LB_PUBLIC
#endif

/* What a public call came to. The numbers are part of the ABI. */
typedef enum lb_status {
    LB_OK = 0,
    LB_NO_MEMORY = 1,         /* the allocator hook returned NULL             */
    LB_BAD_ARGUMENT = 2,      /* NULL or out of range; the message names it   */
    LB_LIMIT = 3,             /* a limit of the configuration was reached     */
    LB_BAD_ORDER = 4,         /* no C3 linearization; the message shows why   */
    LB_BUSY = 5,              /* still in use; the message says by what       */
    LB_EXISTS = 6,            /* the name is taken                            */
    LB_NOT_FOUND = 7,         /* no such rule                                */
    LB_NO_METHOD = 8,         /* no method is applicable to the arguments     */
    LB_AMBIGUOUS = 9,         /* no most specific method                      */
    LB_NO_NEXT_METHOD = 10,   /* the chain of applicable methods has ended    */
    LB_UNBOUND = 11,          /* the generic function has no runtime yet      */
    LB_NO_CLASS = 12,         /* an argument's header names no living class   */
    LB_BAD_SIGNATURE = 13,    /* method and generic differ in their C types   */
    LB_BAD_ABI = 14,          /* built for another LB_ABI                     */
    LB_BAD_PLUGIN = 15,       /* not loadable, or not a plug-in               */
    LB_PREDICATE_FAILED = 16, /* a predicate or equality reported an error  */
    LB_REENTERED = 17,        /* called from inside a hook that must not call */
    LB_METHOD_FAILED = 18,    /* a boxed method reported failure of its own   */
    LB_NO_ATTRIBUTE = 19, /* neither the instance nor its class has it       */
    LB_READ_ONLY = 20,    /* an attribute that cannot be set or deleted      */
    LB_NOT_CALLABLE = 21, /* a value was found where a method was wanted     */
    LB_MAY_BE_AMBIGUOUS = 22, /* in reports: if two tests of values both hold */
    LB_STATUS_COUNT = 23
} lb_status;

/* The name of a status, e.g. "LB_NO_METHOD"; "unknown status" for a number
 * that is none. Static text, any thread, never fails. */
LB_PUBLIC const char *lb_status_name(lb_status status);

/* The message of the calling thread's last failed call, or of the last report
 * that it caused (an ambiguity), in English, without a final newline; "" when none has failed. It stays valid until the thread's
 * next failing call. Any thread; never fails; text beyond 2,047 bytes is cut. */
LB_PUBLIC const char *lb_message(void);

/* For boxed methods and plug-ins: sets the calling thread's message (NULL: "")
 * and returns `status`, e.g. return lb_fail_with(LB_METHOD_FAILED, "…"). */
LB_PUBLIC lb_status lb_fail_with(lb_status status, const char *message);

#ifdef __cplusplus
}
#endif
#endif
