// virtual_pairs.cpp - the classes of double and of triple dispatch.
#include "virtual.hpp"

#include <new>
#include <utility>

#define VISITED(C, j)                                                          \
    int visit(const Leaf<C, j> &first) const override                          \
    {                                                                          \
        return first.value + value + j * C + I;                                \
    }
#define VISITED_8(j) VISITED(8, j)
#define VISITED_32(j) VISITED(32, j)

#define LEAF(C, VISITS)                                                        \
    template <int I> struct Leaf<C, I> final : Shape<C> {                      \
        using Shape<C>::Shape;                                                 \
        int meet(const Shape<C> &second) const override                        \
        {                                                                      \
            return second.visit(*this);                                        \
        }                                                                      \
        VISITS                                                                 \
    };
LEAF(8, REPEAT_8(VISITED_8, 0))
LEAF(32, REPEAT_32(VISITED_32, 0))

#define SECONDED(C, i)                                                         \
    int second(const Tri<C, i> &a, const Triangle<C> &c) const override        \
    {                                                                          \
        return c.third(a, *this);                                              \
    }
#define THIRDED(C, p)                                                          \
    int third(const Tri<C, p / C> &a, const Tri<C, p % C> &b) const override   \
    {                                                                          \
        return a.value + b.value + value + p * C + I;                          \
    }
#define SECONDED_4(i) SECONDED(4, i)
#define SECONDED_8(i) SECONDED(8, i)
#define THIRDED_4(p) THIRDED(4, p)
#define THIRDED_8(p) THIRDED(8, p)

#define TRI(C, VISITS)                                                         \
    template <int I> struct Tri<C, I> final : Triangle<C> {                    \
        using Triangle<C>::Triangle;                                           \
        int join(const Triangle<C> &b, const Triangle<C> &c) const override    \
        {                                                                      \
            return b.second(*this, c);                                         \
        }                                                                      \
        VISITS                                                                 \
    };
TRI(4, REPEAT_4(SECONDED_4, 0) REPEAT_16(THIRDED_4, 0))
TRI(8, REPEAT_8(SECONDED_8, 0) REPEAT_64(THIRDED_8, 0))

namespace
{

using maker = void *(void *, int);

template <class T, class Base> void *make(void *at, int value)
{
    Base *const made = new (at) T(value);
    return made;
}

template <int C, int... I>
maker *find_shape(unsigned n, std::integer_sequence<int, I...>)
{
    static maker *const makers[] = {make<Leaf<C, I>, Shape<C>>...};
    return makers[n];
}

template <int C, int... I>
maker *find_triangle(unsigned n, std::integer_sequence<int, I...>)
{
    static maker *const makers[] = {make<Tri<C, I>, Triangle<C>>...};
    return makers[n];
}

} // namespace

void *make_shape_8(void *at, unsigned n, int value)
{
    return find_shape<8>(n, std::make_integer_sequence<int, 8>())(at, value);
}

void *make_shape_32(void *at, unsigned n, int value)
{
    return find_shape<32>(n, std::make_integer_sequence<int, 32>())(at, value);
}

void *make_triangle_4(void *at, unsigned n, int value)
{
    return find_triangle<4>(n, std::make_integer_sequence<int, 4>())(at, value);
}

void *make_triangle_8(void *at, unsigned n, int value)
{
    return find_triangle<8>(n, std::make_integer_sequence<int, 8>())(at, value);
}
