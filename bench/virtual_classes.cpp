// virtual_classes.cpp - 2,048 classes in 32 families. Every class has a method
// of its own under the first name; the other 63 are its family's.
#include "peers.h"
#include "virtual.hpp"

#include <new>
#include <utility>

namespace
{

template <int F> struct Family : Thing {
    using Thing::Thing;
#define DEFINE(k)                                                              \
    int m##k() const override                                                  \
    {                                                                          \
        return value + F * 64 + k;                                             \
    }
    REPEAT_64(DEFINE, 0)
#undef DEFINE
};

template <int N> struct Class final : Family<N % BENCH_FAMILIES> {
    using Family<N % BENCH_FAMILIES>::Family;
    int m000() const override
    {
        return this->value + N;
    }
};

template <int N> struct StackedClass final : StackedFamily<N % 4> {
    using StackedFamily<N % 4>::StackedFamily;
    int get() const override
    {
        return StackedFamily<N % 4>::get() + N;
    }
};

using maker = void *(void *, int);

template <class T> void *make(void *at, int value)
{
    return new (at) T(value);
}

template <int... N>
maker *find_thing(unsigned n, std::integer_sequence<int, N...>)
{
    static maker *const makers[] = {make<Class<N>>...};
    return makers[n];
}

template <int... N>
maker *find_stacked(unsigned n, std::integer_sequence<int, N...>)
{
    static maker *const makers[] = {make<StackedClass<N>>...};
    return makers[n];
}

} // namespace

void *make_thing(void *at, unsigned n, int value)
{
    std::make_integer_sequence<int, BENCH_CLASSES> all;
    return find_thing(n, all)(at, value);
}

void *make_stacked(void *at, unsigned n, int value)
{
    return find_stacked(n, std::make_integer_sequence<int, 64>())(at, value);
}
