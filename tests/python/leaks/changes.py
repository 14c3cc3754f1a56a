"""Changes between calls: methods, bases, registrations, classes of objects."""
# ruff: noqa: B024

import abc
import contextlib

from measure import expect_no_leak

from latebind import generic


class Root: ...


class One(Root): ...


class Two(Root): ...


class Leaf(One): ...


@generic
def f(x, y): ...


f.register(One, object, lambda x, y: "One")
f.register(Two, object, lambda x, y: "Two")


def scenario() -> None:
    class Virtual(abc.ABC): ...

    o = Leaf()
    f(o, 1)
    Leaf.__bases__ = (Two,)
    f(o, 1)
    method = f.add(lambda x, y: "Virtual", Virtual, int)
    f(Two(), 1)
    Virtual.register(Root)
    with contextlib.suppress(TypeError):
        f(o, 1)
    f.remove(method)
    o.__class__ = One
    f(o, "a")
    Leaf.__bases__ = (One,)
    Leaf.attribute = o
    f(Leaf(), 1)


expect_no_leak(scenario, 300)
