/* generic/group.h - groups, for the end of a runtime and for plug-ins. */
#ifndef LBI_GENERIC_GROUP_H
#define LBI_GENERIC_GROUP_H

#include "generic/generic.h"

void lbi_groups_end(lb_runtime *runtime);
const char *lbi_group_name(const lb_group *group);

#endif
