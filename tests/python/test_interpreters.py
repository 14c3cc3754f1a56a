"""Interpreters of one process share nothing of the package."""

from support import output_of

PROGRAM = """
import sys
try:
    import _interpreters as interpreters
    def run(number, code):
        error = interpreters.exec(number, code)
        if error is not None:
            raise RuntimeError(error)
except ImportError:
    import _xxsubinterpreters as interpreters
    def run(number, code):
        interpreters.run_string(number, code)

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
print("inner")
'''
"""


def test_two_interpreters_have_functions_of_their_own() -> None:
    printed = output_of(
        PROGRAM
        + """
from latebind import dispatch
@dispatch
def f(x: str): return "outer"
first, second = interpreters.create(), interpreters.create()
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
    number = interpreters.create()
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
number = interpreters.create()
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
import threading
numbers = [interpreters.create() for _ in range(3)]
threads = [threading.Thread(target=run, args=(one, INNER)) for one in numbers]
for one in threads: one.start()
for one in threads: one.join()
for one in numbers: interpreters.destroy(one)
print("outer")
"""
    )
    assert (printed.count("inner"), printed.count("outer")) == (3, 1)


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
