// peers_virtual.cpp - the loops over C++'s virtual calls: the baselines.
#include "peers.h"
#include "virtual.hpp"

namespace
{

#define THING(p) static_cast<const Thing *>(p)
#define STACKED(p) static_cast<const Stacked *>(p)

BENCH_LOOPS(one, void *const, THING(item)->m000());
BENCH_LOOPS(next, void *const, STACKED(item)->get());

#define CALL(k) sum += static_cast<uint64_t>(THING(item[k])->m##k());
BENCH_NAMES(names, void *const, REPEAT_64(CALL, 0));

#define MEET(C)                                                                \
    static_cast<const Shape<C> *>(item.a)->meet(                               \
        *static_cast<const Shape<C> *>(item.b))
BENCH_LOOPS(meet_8, bench_pair, MEET(8));
BENCH_LOOPS(meet_32, bench_pair, MEET(32));

#define JOIN(C)                                                                \
    static_cast<const Triangle<C> *>(item.a)->join(                            \
        *static_cast<const Triangle<C> *>(item.b),                             \
        *static_cast<const Triangle<C> *>(item.c))
BENCH_LOOPS(join_4, bench_triple, JOIN(4));
BENCH_LOOPS(join_8, bench_triple, JOIN(8));

} // namespace

extern "C" {

bench_loop *const *const bench_virtual_names = names_loops;

const bench_peer bench_virtual = {"C++ virtual call", sizeof(Thing), 0,
                                  make_thing, one_loops};
const bench_peer bench_virtual_next = {
    "C++ virtual, then Base::f", sizeof(Stacked), 0, make_stacked, next_loops};
const bench_peer bench_visitor_8 = {"C++ visitor", sizeof(Shape<8>), 8,
                                    make_shape_8, meet_8_loops};
const bench_peer bench_visitor_32 = {"C++ visitor", sizeof(Shape<32>), 32,
                                     make_shape_32, meet_32_loops};
const bench_peer bench_triple_4 = {"C++ triple dispatch", sizeof(Triangle<4>),
                                   4, make_triangle_4, join_4_loops};
const bench_peer bench_triple_8 = {"C++ triple dispatch", sizeof(Triangle<8>),
                                   8, make_triangle_8, join_8_loops};

const char *bench_cpp_version(void)
{
    return __VERSION__;
}
}
