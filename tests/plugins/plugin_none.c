/* A shared object that is no plug-in at all. */
#include "latebind/status.h"

LB_PUBLIC int no_plugin_here(void);

int no_plugin_here(void)
{
    return 7;
}
