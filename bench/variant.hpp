// variant.hpp - the alternatives of variants. Their functions are defined in
// variant_targets.cpp, opaque to the visits.
#ifndef BENCH_VARIANT_HPP
#define BENCH_VARIANT_HPP

#include <new>
#include <utility>
#include <variant>

template <int N> struct Alternative {
    int value;
    int get() const;
};

// What two alternatives of eight do together.
template <int I, int J>
int meet(const Alternative<I> &a, const Alternative<J> &b);

template <class Numbers> struct ThingsOf;
template <int... N> struct ThingsOf<std::integer_sequence<int, N...>> {
    using type = std::variant<Alternative<N>...>;
};
template <int C>
using Things = typename ThingsOf<std::make_integer_sequence<int, C>>::type;

struct Get {
    template <int N> int operator()(const Alternative<N> &thing) const
    {
        return thing.get();
    }
};

struct Meet {
    template <int I, int J>
    int operator()(const Alternative<I> &a, const Alternative<J> &b) const
    {
        return meet(a, b);
    }
};

template <int C, int N> void *make_alternative(void *at, int value)
{
    return new (at) Things<C>(Alternative<N>{value});
}

template <int C, int... N>
void *make_things(void *at, unsigned n, int value,
                  std::integer_sequence<int, N...>)
{
    static void *(*const makers[])(void *, int) = {make_alternative<C, N>...};
    return makers[n](at, value);
}

#endif
