"""Functions, methods, hints and classes made and thrown away."""

import contextlib
import warnings
from typing import Annotated, Any, Literal

from measure import expect_no_leak

import latebind
from latebind import AmbiguityWarning, AmbiguousMethodError, dispatch, generic


def positive(x: Any) -> bool:
    return x > 0


warnings.simplefilter("ignore", AmbiguityWarning)


@generic
def lasting(x, y=None): ...


lasting.register(object, lambda x, y=None: "object")


def scenario() -> None:
    class Base:
        def m(self, x: object) -> str:
            return "Base"

    class Thing(Base):
        @dispatch
        def m(self, x: int, *, next_method: Any) -> Any:
            return Thing, next_method()

        @dispatch
        def m(self, x: "Thing | None") -> Any:
            return x

    @dispatch
    def f(x: Thing, *rest: list[int], key: Literal["a"] = "a") -> str:
        return "thing"

    @dispatch
    def f(x: Annotated[int, positive] | None) -> Any:
        return f

    f(Thing(), [1], key="a")
    f(1)
    Thing().m(1)
    Thing().m(None)
    method = lasting.add(lambda x, y: "thing", Thing, int | str)
    lasting(Thing(), 1)
    lasting.remove(method)
    lasting(Thing())
    lasting.clone()(Thing())
    str(f.explain(1))
    f.report()
    f.__doc__, f.__signature__, repr(f)

    @generic(strict=True)
    def strict(x, y): ...

    strict.register(int, object, lambda x, y: 1)
    with contextlib.suppress(AmbiguousMethodError):
        strict.register(object, int, lambda x, y: 1)
    try:
        with latebind.group(strict=True):
            lasting.register(int, object, lambda x, y: 1)
            lasting.register(object, int, lambda x, y: 1)
    except AmbiguousMethodError:
        pass

    @dispatch
    def g(x: int, y: object) -> None: ...

    @dispatch
    def g(x: object, y: int) -> None: ...

    g.ambiguities()


expect_no_leak(scenario, 100)
