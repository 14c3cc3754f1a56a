/* A plug-in that says it was built for another binary interface. */
#include "latebind/plugin.h"

extern LB_PUBLIC const lb_plugin_info lb_plugin_entry;
const lb_plugin_info lb_plugin_entry = {LB_ABI + 41, "from-another-time", NULL,
                                        NULL};
