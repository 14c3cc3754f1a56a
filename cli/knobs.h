/* knobs.h - the search order, the cache policy and its knobs, as words. The
 * command line and files of expected counts use the same ones. */
#ifndef CLI_KNOBS_H
#define CLI_KNOBS_H

#include "text.h"

#include <latebind/latebind.h>

/* How many words of the command line were taken. */
typedef enum knobs_taken {
    KNOBS_WRONG = -1,  /* the message is in `why` */
    KNOBS_UNKNOWN = 0, /* not one of these options */
    KNOBS_ONE = 1,     /* the option */
    KNOBS_TWO = 2      /* with its value */
} knobs_taken;

/* Takes the option `name`, with `value` (NULL: there is none) if it wants one.
 * Every option but --policy. */
knobs_taken knobs_take(lb_object_options *options, const char *name,
                       const char *value, fault *why);

/* The policy of that name; false when there is none. */
bool knobs_policy(const char *name, lb_cache_policy *policy);

const char *knobs_policy_name(lb_cache_policy policy);
const char *knobs_order_name(lb_search_order order);
const char *knobs_when_full_name(lb_when_full when_full);

/* The options with those knobs alone that the policy knows. */
lb_object_options knobs_for_policy(lb_object_options options,
                                   lb_cache_policy policy);

/* Whether a runtime with these options marks names. */
bool knobs_marks(const lb_object_options *options);

/* The policy and what was turned, e.g. "table64 256 + negative + drop". */
typedef struct knobs_text {
    char text[160];
} knobs_text;
knobs_text knobs_describe(const lb_object_options *options);

extern const char knobs_usage[];

#endif
