/* no_objc.c - stands for peers_objc.m where there is no Objective-C. */
#include "peers.h"

const bench_peer bench_objc = {0};

const char *bench_objc_version(void)
{
    return "none";
}
