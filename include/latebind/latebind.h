/* latebind.h - all of Latebind's public interface.
 *
 * Late binding at early-binding speed: classes, generic functions, and one
 * table for every call whose target is known only at run time. Start with
 * typed.h; README.md has a complete program.
 */
#ifndef LATEBIND_LATEBIND_H
#define LATEBIND_LATEBIND_H

#include "latebind/abi.h"
#include "latebind/attribute.h"
#include "latebind/class.h"
#include "latebind/generic.h"
#include "latebind/inspect.h"
#include "latebind/object.h"
#include "latebind/plugin.h"
#include "latebind/policy.h"
#include "latebind/runtime.h"
#include "latebind/status.h"
#include "latebind/symbol.h"
#include "latebind/typed.h"
#include "latebind/value.h"
#include "latebind/version.h"

#endif
