// variant_targets.cpp - what the visits call.
#include "variant.hpp"

#include "repeat.h"

template <int N> int Alternative<N>::get() const
{
    return value + N;
}

template <int I, int J>
int meet(const Alternative<I> &a, const Alternative<J> &b)
{
    return a.value + b.value + I * 8 + J;
}

#define GET(n) template struct Alternative<n>;
REPEAT_64(GET, 0)

#define PAIR(n)                                                                \
    template int meet(const Alternative<n / 8> &, const Alternative<n % 8> &);
REPEAT_64(PAIR, 0)
