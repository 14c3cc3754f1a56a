/*
 * The version of Latebind that a program is compiled against.
 *
 * Two numbers with two meanings. LB_VERSION names a release, and grows by the
 * rules of semantic versioning. LB_ABI names everything that code compiled
 * from these headers has built into itself: the offset of an object's header
 * word, the layout of a generic function's table, the encoding of its words.
 * Any change of those raises LB_ABI, and with it the name of the shared
 * library (liblatebind.so.LB_ABI), so that a program never meets a library
 * that lays its tables out differently.
 *
 * This header includes nothing and declares nothing: it is safe to include
 * from build scripts and from the preprocessor alone. The build reads it and
 * stops when its numbers and meson.build disagree.
 */
#ifndef LATEBIND_VERSION_H
#define LATEBIND_VERSION_H

/* Release numbers, for comparison in #if. */
#define LB_VERSION_MAJOR 0
#define LB_VERSION_MINOR 1
#define LB_VERSION_PATCH 0

/* The same release as a string, "MAJOR.MINOR.PATCH". */
#define LB_VERSION "0.1.0"

/* The binary interface; also the number in the shared library's soname. */
#define LB_ABI 1

#endif
