// virtual.hpp - what a caller of virtual functions knows: the interfaces. The
// classes are defined in virtual_classes.cpp and virtual_pairs.cpp.
#ifndef BENCH_VIRTUAL_HPP
#define BENCH_VIRTUAL_HPP

#include "repeat.h"

// 64 virtuals, as a class of some size has.
struct Thing {
    explicit Thing(int v) : value(v)
    {
    }
#define DECLARE(k) virtual int m##k() const = 0;
    REPEAT_64(DECLARE, 0)
#undef DECLARE
    int value;
};

// Base of the load that calls the next method.
struct Stacked {
    explicit Stacked(int v) : value(v)
    {
    }
    virtual int get() const = 0;
    int value;
};

// A family's implementation, defined in virtual_bases.cpp: opaque to the
// classes that call it by its qualified name.
template <int F> struct StackedFamily : Stacked {
    using Stacked::Stacked;
    int get() const override;
};

// Double dispatch among C classes: meet(b), then visit(a), overloaded for each
// class that the first may be of.
template <int C, int I> struct Leaf;
template <int C> struct Shape;

#define VISIT_8(j) virtual int visit(const Leaf<8, j> &first) const = 0;
#define VISIT_32(j) virtual int visit(const Leaf<32, j> &first) const = 0;

#define SHAPE(C, VISITS)                                                       \
    template <> struct Shape<C> {                                              \
        explicit Shape(int v) : value(v)                                       \
        {                                                                      \
        }                                                                      \
        virtual int meet(const Shape &second) const = 0;                       \
        VISITS                                                                 \
        int value;                                                             \
    };
SHAPE(8, REPEAT_8(VISIT_8, 0))
SHAPE(32, REPEAT_32(VISIT_32, 0))

// Triple dispatch: join(b, c), then second(a, c), then third(a, b).
template <int C, int I> struct Tri;
template <int C> struct Triangle;

#define SECOND(C, i)                                                           \
    virtual int second(const Tri<C, i> &a, const Triangle<C> &c) const = 0;
#define THIRD(C, p)                                                            \
    virtual int third(const Tri<C, p / C> &a, const Tri<C, p % C> &b) const = 0;
#define SECOND_4(i) SECOND(4, i)
#define SECOND_8(i) SECOND(8, i)
#define THIRD_4(p) THIRD(4, p)
#define THIRD_8(p) THIRD(8, p)

#define TRIANGLE(C, VISITS)                                                    \
    template <> struct Triangle<C> {                                           \
        explicit Triangle(int v) : value(v)                                    \
        {                                                                      \
        }                                                                      \
        virtual int join(const Triangle &b, const Triangle &c) const = 0;      \
        VISITS                                                                 \
        int value;                                                             \
    };
TRIANGLE(4, REPEAT_4(SECOND_4, 0) REPEAT_16(THIRD_4, 0))
TRIANGLE(8, REPEAT_8(SECOND_8, 0) REPEAT_64(THIRD_8, 0))

// Defined with the classes: make object `at` of class `n`.
void *make_thing(void *at, unsigned n, int value);
void *make_stacked(void *at, unsigned n, int value);
void *make_shape_8(void *at, unsigned n, int value);
void *make_shape_32(void *at, unsigned n, int value);
void *make_triangle_4(void *at, unsigned n, int value);
void *make_triangle_8(void *at, unsigned n, int value);

#endif
