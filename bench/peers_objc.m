/* peers_objc.m - message sends of GCC's Objective-C runtime. A message finds
 * its method by the object alone, so the classes may stand in this file. */
#include "peers.h"
#include "repeat.h"

/* Classes that add no fields of their own, which the standard's C has not. */
#pragma GCC diagnostic ignored "-Wpedantic"

#import <objc/Object.h>
#import <objc/runtime.h>

#include <stdio.h>

@interface Thing : Object {
@public
    int value;
}
- (int)get;
@end

@implementation Thing
- (int)get
{
    return value;
}
@end

#define DEFINE(n)                                                             \
    @interface Thing##n : Thing                                               \
    @end                                                                      \
    @implementation Thing##n                                                  \
    -(int)get                                                                 \
    {                                                                         \
        return value + n;                                                     \
    }                                                                         \
    @end
REPEAT_64(DEFINE, 0)

/* The runtime places its objects itself. */
static void *make(void *at, unsigned cls, int value)
{
    Thing *object;
    char name[16];
    (void)at;
    snprintf(name, sizeof name, "Thing%03o", cls);
    object = class_createInstance(objc_getClass(name), 0);
    object->value = value;
    return object;
}

BENCH_LOOPS(message, void *const, [(Thing *)item get]);

const bench_peer bench_objc = {"Objective-C message (GCC's libobjc)", 8, 0,
                               make, message_loops};

const char *bench_objc_version(void)
{
    return "GCC's runtime " __VERSION__;
}
