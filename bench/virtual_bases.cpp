// virtual_bases.cpp - the methods that others call by their qualified name.
#include "virtual.hpp"

template <int F> int StackedFamily<F>::get() const
{
    return value + F;
}

template struct StackedFamily<0>;
template struct StackedFamily<1>;
template struct StackedFamily<2>;
template struct StackedFamily<3>;
