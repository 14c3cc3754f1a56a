/* generic/plugin.h - plug-ins, for the end of a runtime. */
#ifndef LBI_GENERIC_PLUGIN_H
#define LBI_GENERIC_PLUGIN_H

#include "core/runtime.h"

void lbi_plugins_end(lb_runtime *runtime);

#endif
