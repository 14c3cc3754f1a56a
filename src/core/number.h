/* core/number.h - the numbers by which headers name classes. */
#ifndef LBI_CORE_NUMBER_H
#define LBI_CORE_NUMBER_H

#include "core/class.h"

/* Gives `cls` a serial. LB_LIMIT, LB_NO_MEMORY. */
lb_status lbi_serial_take(lb_runtime *runtime, lb_class *cls);
/* The class has ended: its numbers name nothing, but stay taken. */
void lbi_number_end(lb_runtime *runtime, lb_class *cls);
/* Its numbers may be given out again. */
void lbi_number_give(lb_runtime *runtime, lb_class *cls);
void lbi_numbers_end(lb_runtime *runtime);

#endif
