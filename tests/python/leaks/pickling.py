"""Round trips through pickle and conversions."""

import pickle

from measure import expect_no_leak

import latebind
from latebind import dispatch


@dispatch
def f(x: int) -> str:
    return "int"


class Source: ...


class Target: ...


latebind.add_conversion_method(Source, Target, lambda value: Target())
latebind.add_promotion_rule(Source, Target, Target)


def scenario() -> None:
    assert pickle.loads(pickle.dumps(f)) is f
    latebind.convert(Source(), Target)
    latebind.promote(Source(), Target())
    try:
        f("a")
    except latebind.NoMethodError as error:
        pickle.loads(pickle.dumps(error))


expect_no_leak(scenario, 300)
