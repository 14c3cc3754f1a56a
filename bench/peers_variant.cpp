// peers_variant.cpp - std::visit, on one variant and on two.
#include "peers.h"
#include "variant.hpp"

namespace
{

template <class V> const V &as(const void *item)
{
    return *static_cast<const V *>(item);
}

BENCH_LOOPS(one_4, void *const, std::visit(Get(), as<Things<4>>(item)));
BENCH_LOOPS(one_64, void *const, std::visit(Get(), as<Things<64>>(item)));
BENCH_LOOPS(two_8, bench_pair,
            std::visit(Meet(), as<Things<8>>(item.a), as<Things<8>>(item.b)));

template <int C> void *make(void *at, unsigned n, int value)
{
    return make_things<C>(at, n, value, std::make_integer_sequence<int, C>());
}

} // namespace

extern "C" {
const bench_peer bench_variant_4 = {"std::visit", sizeof(Things<4>), 4, make<4>,
                                    one_4_loops};
const bench_peer bench_variant_64 = {"std::visit", sizeof(Things<64>), 64,
                                     make<64>, one_64_loops};
const bench_peer bench_visit_two_8 = {
    "std::visit, two variants", sizeof(Things<8>), 8, make<8>, two_8_loops};
}
