"""Across the bridge: objects, classes, functions and methods of C and Python.

The engine's own figures must not grow, either: what Python drops must have no
class, generic function or rule left.
"""

import atexit
import contextlib
import gc
import shutil
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

from measure import expect_no_leak

from latebind import AmbiguityWarning, GenericFunction, NoMethodError, _core, generic

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bridging import SOURCES, compile_extension

if shutil.which("cc") is None:
    print("skipped: needs a C compiler")
    sys.exit(77)
folder = tempfile.TemporaryDirectory()
atexit.register(folder.cleanup)
compile_extension("shapes", sorted(SOURCES.glob("*.c")), Path(folder.name))
sys.path.insert(0, folder.name)
import shapes  # noqa: E402  (which was just compiled)

warnings.simplefilter("ignore", AmbiguityWarning)
shapes.make_method(shapes.Shape, "area", shapes.area)
shapes.make_method(shapes.Shape, "meet", shapes.meet)


class Base: ...


class Below(Base): ...


def made() -> GenericFunction:
    @generic
    def f(*args: Any) -> Any: ...

    return f


def functions() -> None:
    """Methods in C of functions that come and go, with contexts that they own."""
    context = Base()
    f = made()
    shapes.add(f, (Below,), "boxed_next", context=context, wants_next=True)
    f.register(Base, lambda x, *, next_method: ["Base", *next_method()])
    shapes.add(f, (object,), "boxed_next", context="last", wants_next=True)
    assert f(Below()) == [context, "Base", "last"]
    taken = shapes.add(f, (int, list[str]), "boxed_plain", optional=1, rest=str)
    assert f(1, ["a"], "b") == ("C", 1, ["a"], "b")
    shapes.add(f, (float, str), "boxed_plain", commutative=True)
    assert f("a", 1.5) == ("C", 1.5, "a")
    assert shapes.invoke(f, Below()) == [context, "Base", "last"]
    assert shapes.round_trip(f) is f and shapes.call_it(f, 1) == ("C", 1)
    copy = f.clone("copy")
    shapes.take_away(f, taken)
    shapes.add(f, (bytes,), "boxed_raising")
    for refused in (b"", (1, 2, 3)):
        with contextlib.suppress(KeyError, NoMethodError, TypeError):
            shapes.invoke(f, refused)
    with contextlib.suppress(ValueError):
        shapes.add(f, (int,), "boxed_plain", optional=2, context=context)
    assert copy(b"") == ["last"]


def classes() -> None:
    """Classes of Python below those of C, which C calls, and their objects."""

    class Mine(shapes.Circle):
        def __init__(self, size: float) -> None:
            super().__init__(r=size)
            self.itself = self

        def area(self) -> float:
            return super().area() + 1

    class Other(Mine):
        def area(self) -> float:
            return 5.0

    class Lower(Mine):
        def area(self) -> float:
            raise LookupError("on purpose")

    one = Mine(1.0)
    assert shapes.total_area([one, shapes.Circle(r=1.0)]) == 7.0
    with contextlib.suppress(LookupError):
        shapes.total_area([Lower(1.0)])
    Lower.area = lambda self: 2.0
    assert shapes.area(Lower(1.0)) == 2.0
    del Lower.area
    Lower.__bases__ = (Other,)
    assert shapes.total_area([Lower(1.0)]) == 5.0
    assert shapes.area(shapes.make_circle(2.0)) == 12.0
    f = made()
    f.register(Mine, lambda x: "Mine")
    f.register(shapes.Shape, lambda x: "Shape")
    assert (f(one), f(shapes.Square())) == ("Mine", "Shape")
    with contextlib.suppress(NoMethodError):
        f(1)


def methods() -> None:
    """Methods in Python of functions of C, which last."""
    kept: list[Any] = []

    def around(s: Any, *, next_method: Any) -> float:
        kept.append(next_method)
        return next_method() + 1

    def fails(s: Any) -> float:
        raise ValueError("on purpose")

    before = shapes.area.methods
    shapes.area.register(shapes.Circle, around, around=True)
    circle = shapes.Circle(r=1.0)
    assert shapes.total_area([circle]) == shapes.area_in_thread(circle) == 4.0
    shapes.area.register(shapes.Shape, fails)
    with contextlib.suppress(ValueError):
        shapes.total_area([shapes.Shape()])
    shapes.area.explain(circle)
    shapes.lend_circle(1.0)
    for one in set(shapes.area.methods) - set(before):
        shapes.area.remove(one)
    assert shapes.label(shapes.Circle(sides=1), "text") == "text"
    with contextlib.suppress(TypeError):
        shapes.area(1)
    with contextlib.suppress(NoMethodError):
        shapes.area(shapes.Shape())


def sizes() -> dict[str, int]:
    """What the engine has, after all that nobody uses has been given back."""
    for _ in range(3):
        gc.collect()
    shapes.synchronize()
    wanted = ("classes", "generics", "rules", "types")
    return {name: _core.statistics()[name] for name in wanted}


for scenario in (functions, classes, methods):
    scenario()
    before = sizes()
    expect_no_leak(scenario, 200)
    after = sizes()
    print(f"  engine: {after}")
    if any(after[name] > before[name] + 20 for name in after):
        print(f"  LEAK in the engine: {before} before")
        sys.exit(1)
