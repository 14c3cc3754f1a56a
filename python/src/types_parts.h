/* types_parts.h - what the four files behind types.h share.
 *
 *   types.c     records: found by address, made, ended
 *   order.c     linearizations
 *   ask.c       what abstract classes say
 *   virtual.c   which classes are virtual
 */
#ifndef LBPY_TYPES_PARTS_H
#define LBPY_TYPES_PARTS_H

#include "types.h"

/* ---- types.c ------------------------------------------------------------ */

/* The record of a type that was met, or NULL. */
lbpy_type *lbpy_type_find(const lbpy_state *state, const PyTypeObject *type);

/* A new record, without an order yet; NULL: an exception. */
lbpy_type *lbpy_type_make(lbpy_state *state, PyTypeObject *type);

/* Frees one that nothing names; ends one that was met; ends a union. */
void lbpy_type_free(lbpy_type *record);
void lbpy_type_end_met(lbpy_state *state, lbpy_type *record);
void lbpy_type_end(lbpy_state *state, lbpy_type *record);

/* ---- order.c ------------------------------------------------------------ */

/* Is the MRO the one that was remembered? */
bool lbpy_order_same_mro(const lbpy_type *record);
int lbpy_order_remember_mro(lbpy_type *record);

/* Makes the order from what is known; 0, or -1. Runs no Python code. */
int lbpy_order_make(lbpy_state *state, lbpy_type *record);

/* Takes a class that ends out of all orders. */
void lbpy_order_leave(lbpy_state *state, const lbpy_type *gone);

/* The members of a union, and the record of one of them, or NULL. */
static inline Py_ssize_t lbpy_member_count(const lbpy_type *v)
{
    return PyTuple_GET_SIZE(v->joined->items);
}

lbpy_type *lbpy_member(const lbpy_state *state, const lbpy_type *v,
                       Py_ssize_t i);

/* ---- ask.c -------------------------------------------------------------- */

/* What is known of `a` being a subclass of the abstract class `v`. */
lbpy_answer lbpy_answer_of(const lbpy_type *a, const lbpy_type *v);

/* A number of abstract classes may be another one's next. */
void lbpy_answers_forget(lbpy_state *state, uint32_t number);

/* Ask what is not known of a record, or of all that its order depends on. 1:
 * asked, so look again; 0: all was known; -1: an exception. */
int lbpy_ask_one(lbpy_state *state, lbpy_type *record);
int lbpy_ask_around(lbpy_state *state, lbpy_type *record);

/* Asks what is not known of whatever rules name; 0, or -1. */
int lbpy_ask_named(lbpy_state *state);

/* ---- virtual.c ---------------------------------------------------------- */

/* Ends being virtual, if it was. */
void lbpy_virtual_leave(lbpy_state *state, lbpy_type *record);

#endif
