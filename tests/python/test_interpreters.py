"""Interpreters of one process share nothing of the package.

From Python 3.12 on most of those that are made here have a lock of their own, so
that they dispatch at the same time.
"""

import pytest
from support import output_of

PROGRAM = """
import sys, threading
try:
    import _interpreters as interpreters
    def run(number, code):
        error = interpreters.exec(number, code)
        if error is not None:
            raise RuntimeError(error)
    def create(isolated=True):
        number = interpreters.create("isolated" if isolated else "legacy")
        config = interpreters.get_config(number)
        assert config.gil == ("own" if isolated else "shared")
        return number
except ImportError:
    import _xxsubinterpreters as interpreters
    def run(number, code):
        interpreters.run_string(number, code)
    def create(isolated=True):
        return interpreters.create(isolated=isolated)

def run_together(numbers, code, meanwhile=lambda: None):
    failed = []
    def guarded(number):
        try:
            run(number, code)
        except Exception as error:
            failed.append(error)
    threads = [threading.Thread(target=guarded, args=(one,)) for one in numbers]
    for one in threads: one.start()
    meanwhile()
    for one in threads: one.join()
    assert not failed, failed

INNER = '''
from latebind import dispatch, NoMethodError
import abc, gc
@dispatch
def f(x: int, *, next_method): return "int", next_method()
@dispatch
def f(x: object): return "object"
class Virtual(abc.ABC): ...
@dispatch
def f(x: Virtual): return "Virtual"
class Local: ...
assert f(Local()) == "object"
Virtual.register(Local)
assert f(Local()) == "Virtual"
assert f(1) == ("int", "object")
assert len(f.methods) == 3
for number in range(50):
    f(type("T", (), {})())
gc.collect()
print(" inner ")
'''
"""


def test_two_interpreters_have_functions_of_their_own() -> None:
    printed = output_of(
        PROGRAM
        + """
from latebind import dispatch
@dispatch
def f(x: str): return "outer"
first, second = create(), create()
for number in (first, second):
    run(number, INNER)
assert f("a") == "outer" and len(f.methods) == 1
interpreters.destroy(first)
assert f("a") == "outer"
run(second, "assert f(1) == ('int', 'object')")
interpreters.destroy(second)
f.register(int, lambda x: "int")
assert f(1) == "int"
print("outer")
"""
    )
    assert printed.split() == ["inner", "inner", "outer"]


def test_interpreters_come_and_go() -> None:
    printed = output_of(
        PROGRAM
        + """
for _ in range(12):
    number = create()
    run(number, INNER)
    interpreters.destroy(number)
print("end")
"""
    )
    assert printed.split() == ["inner"] * 12 + ["end"]


def test_an_interpreter_first_and_the_main_one_later() -> None:
    printed = output_of(
        PROGRAM
        + """
number = create()
run(number, INNER)
interpreters.destroy(number)
exec(INNER)
print("outer")
"""
    )
    assert printed.split() == ["inner", "inner", "outer"]


def test_interpreters_in_threads() -> None:
    printed = output_of(
        PROGRAM
        + """
numbers = [create() for _ in range(3)]
run_together(numbers, INNER)
for one in numbers: interpreters.destroy(one)
print("outer")
"""
    )
    assert (printed.count("inner"), printed.count("outer")) == (3, 1)


# Every kind of change to classes and functions, and calls right after it.
WORK = """
WORK = '''
import abc, gc
from typing import Literal
from latebind import generic

def use_everything():
    class Base: ...
    class Below(Base): ...
    class Other: ...
    class Alone: ...
    class Virtual(abc.ABC): ...
    @generic
    def f(x, y): ...
    f.register(Base, Base, lambda x, y: "Base")
    f.register(Other, object, lambda x, y: "Other")
    f.register(Virtual, object, lambda x, y: "Virtual")
    f.register(list[int], object, lambda x, y: "ints")
    f.register(list[str], object, lambda x, y: "texts")
    f.register(Literal[3], object, lambda x, y: "three")
    f.register(object, object, lambda x, y: "object")
    assert f(Below(), Base()) == f(Below(), Below()) == "Base"
    assert f([1], 1) == "ints" and f(["a"], 1) == "texts"
    assert f(3, 1) == "three" and f(4, 1) == f([None], 1) == "object"
    assert f(Alone(), 1) == "object"
    Virtual.register(Alone)
    assert f(Alone(), 1) == "Virtual"
    f.register(Below, Base, lambda x, y, *, next_method: [next_method()])
    assert f(Below(), Base()) == ["Base"]
    f.remove(Below, Base)
    assert f(Below(), Base()) == "Base"
    Below.__bases__ = (Other,)
    assert f(Below(), Base()) == "Other"
    assert f.map([1, 3, [1]], ["", "", ""]) == ["object", "three", "ints"]
    return f

kept = []
for number in range(30):
    kept.append(use_everything())
    if number % 16 == 0:
        kept.clear()
        gc.collect()
assert all(f([1], 1) == "ints" for f in kept)
print(f" {len(kept)} ")
'''
"""


@pytest.mark.parametrize("isolated", [True, False])
def test_interpreters_dispatch_at_the_same_time(isolated: bool) -> None:
    printed = output_of(
        PROGRAM
        + WORK
        + f"""
numbers = [create({isolated}) for _ in range(3)]
run_together(numbers, WORK, lambda: exec(WORK, {{}}))
for one in numbers: interpreters.destroy(one)
print("end")
"""
    )
    assert printed.split() == ["13"] * 4 + ["end"]


def test_values_decide_in_another_interpreter() -> None:
    """Who asks about a value takes the lock of the right interpreter."""
    printed = output_of(
        PROGRAM
        + """
first, second = create(), create()
code = '''
from typing import Annotated, Literal
from latebind import dispatch
@dispatch
def f(x: list[int]): return "ints"
@dispatch
def f(x: Literal[3]): return "three"
@dispatch
def f(x: Annotated[str, lambda x: x.isupper()]): return "upper"
@dispatch
def f(x: object): return "object"
print(f([1]), f(["a"]), f(3), f(4), f("A"), f("a"), flush=True)
'''
run(first, code)
run_together([second], code)
for one in (first, second): interpreters.destroy(one)
"""
    )
    line = "ints object three object upper object"
    assert printed.splitlines() == [line, line]


def test_interpreters_end_while_others_dispatch() -> None:
    printed = output_of(
        PROGRAM
        + WORK
        + """
def come_and_go():
    for _ in range(6):
        number = create()
        run(number, INNER)
        interpreters.destroy(number)

number = create()
run_together([number], WORK, come_and_go)
interpreters.destroy(number)
print("end")
"""
    )
    assert sorted(printed.split()) == ["13", "end"] + ["inner"] * 6


def test_an_interpreter_that_nobody_destroys_ends_with_the_process() -> None:
    printed = output_of(PROGRAM + "run(create(), INNER)\nprint('outer')\n")
    assert printed.split() == ["inner", "outer"]


def test_the_module_can_be_imported_again() -> None:
    """As tests of programs do that delete modules."""
    printed = output_of(
        """
import sys
def again():
    for name in [one for one in sys.modules if one.split(".")[0] == "latebind"]:
        del sys.modules[name]
    import latebind
    return latebind
first = again()
f = first.generic(lambda x: ...)
f.register(int, lambda x: "first")
second = again()
g = second.generic(lambda x: ...)
g.register(int, lambda x: "second")
print(f(1), g(1))
"""
    )
    assert printed.split() == ["first", "second"]
