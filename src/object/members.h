/* object/members.h - the dictionary of a class. */
#ifndef LBI_OBJECT_MEMBERS_H
#define LBI_OBJECT_MEMBERS_H

#include "object/space.h"

/* The attribute in the dictionary of `cls` itself, or NULL. Locked, or by the
 * only thread. */
const lb_attribute *lbi_member_own(const lb_class *cls, const lb_symbol *symbol,
                                   uint64_t *probes);

/* Whether the dictionary holds a reference to the attribute's value. */
bool lbi_holds_value(const lb_attribute *attribute);

/* Makes everything forgotten that a change of this name, in this class, makes
 * stale. Locked. */
void lbi_member_changed(lb_class *cls, lbi_symbol *symbol, bool was_defined);

/* The class ends: gives its members up. Locked. */
void lbi_members_end(lb_runtime *runtime, lb_class *cls);

/* A class that has attributes at all. */
lb_status lbi_check_owner(const lb_class *cls);
/* cls, symbol not NULL, of one runtime; a class that has members at all. */
lb_status lbi_check_member(const lb_class *cls, const lb_symbol *symbol);

#endif
