"""Every allocation fails in turn: each is an exception, and nothing is left half
made."""

import importlib.util
import sys

import pytest
from support import run_child

FAIL_EACH = """
import abc, gc, sys
import _testcapi
from typing import Annotated, Literal
from latebind import AmbiguousMethodError, Dispatcher, NoMethodError

class Named(abc.ABC): pass
class Base: pass
class Below(Base): pass
Named.register(Below)
def even(x): return x % 2 == 0

def call(f, *args):
    try:
        return f(*args)
    except (NoMethodError, AmbiguousMethodError) as error:
        return type(error)

VALUES = 1, 2, [1], "x", Below(), Base(), 3.5, 7

def scenario(made):
    d = Dispatcher(silent=True)
    @d
    def f(x: object): return "object"
    made.append(f)
    @d
    def f(x: Base | int, *y: int): return "Base or int"
    @d
    def f(x: Named): return "Named"
    @d
    def f(x: list[int] | Base | str, y: int = 0): return "list, Base or str"
    @d
    def f(x: Annotated[int, even]): return "even"
    class New(Below): pass
    before = [call(f, one) for one in (*VALUES, New())]
    f.remove(f.methods[1])
    f.register(Literal[7])(lambda x: "seven")
    after = [call(f, one) for one in (*VALUES, New())]
    f.ambiguities()
    f.explain(2)
    call(f, *range(12))
    return before, after

sys.unraisablehook = lambda *ignored: None
wanted = [scenario([]) for _ in range(2)][1]
failures = 0
for width in (1, 3, 40):
    for number in range(1, 1500, 1 if width == 1 else 2):
        made, answer = [], wanted
        try:
            _testcapi.set_nomemory(number, number + width)
            try:
                answer = scenario(made)
            finally:
                _testcapi.remove_mem_hooks()
        except (MemoryError, NameError, UnboundLocalError):
            failures += 1
        assert answer == wanted, (width, number, answer)
        for f in made:
            for one in VALUES:
                call(f, one)
            f.register(lambda x: "any")
            for method in f.methods:
                f.remove(method)
            assert f.methods == () and call(f, 1) is NoMethodError
        if number % 200 == 0:
            gc.collect()
assert scenario([]) == wanted
print(failures > 100)
"""


def test_definitions_and_calls_survive_failed_allocations() -> None:
    if importlib.util.find_spec("_testcapi") is None:
        pytest.skip("this Python has no _testcapi")
    if hasattr(sys, "gettotalrefcount"):
        pytest.skip("the interpreter's own assertions fail without memory")
    done = run_child(FAIL_EACH, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ["True"]
