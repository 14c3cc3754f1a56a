"""Many threads call, some change; every answer is one that was right at some
moment of the call."""
# ruff: noqa: B023, B024

import abc
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Protocol, runtime_checkable

import pytest

from latebind import AmbiguousMethodError, NoMethodError, dispatch, generic


@pytest.fixture(autouse=True)
def fast_switching() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def run_all(*workers: Callable[[], None], together: bool = True) -> None:
    """Run each in a thread; raise the first error of any."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(len(workers))

    def guarded(worker: Callable[[], None]) -> None:
        if together:
            barrier.wait()
        try:
            worker()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(one,)) for one in workers]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    if errors:
        raise errors[0]


def test_first_calls_that_race_agree() -> None:
    for _ in range(60):

        class A: ...

        class B(A): ...

        @dispatch
        def f(x: A, y: object) -> str:
            return "A"

        @dispatch
        def f(x: B, y: int) -> str:
            return "B"

        results: list[str] = []
        run_all(*[lambda: results.append(f(B(), 1))] * 6)
        assert results == ["B"] * 6


def test_first_calls_that_race_resolve_late_names_once() -> None:
    for _ in range(30):
        space: dict[str, Any] = {"__name__": "made"}
        exec(
            "from latebind import dispatch\n"
            "@dispatch\ndef f(x: 'Late'): return 'Late'\n"
            "@dispatch\ndef f(x: object): return 'object'\n"
            "class Late: ...\n",
            space,
        )
        results: list[str] = []
        run_all(*[lambda: results.append(space["f"](space["Late"]()))] * 4)
        assert results == ["Late"] * 4


def test_threads_that_define_at_once_lose_nothing() -> None:
    @generic
    def f(x): ...

    classes = [type(f"T{number}", (), {}) for number in range(200)]

    def define(start: int) -> Callable[[], None]:
        def run() -> None:
            for number in range(start, 200, 4):
                f.register(classes[number], lambda x, number=number: number)
                assert f(classes[number]()) == number

        return run

    run_all(*[define(start) for start in range(4)])
    assert [f(cls()) for cls in classes] == list(range(200))


def torture(seconds: float) -> None:
    """Four callers; one that adds, removes, rebases, registers and writes."""

    class Root: ...

    class One(Root): ...

    class Two(Root): ...

    class Leaf(One): ...

    class Virtual(abc.ABC): ...

    @generic(silent=True)
    def f(x, y): ...

    f.register(Root, object, lambda x, y: "Root")
    for cls in (One, Two):

        @f.register(cls, object)
        def _(x, y, *, next_method, name=cls.__name__):
            return f"{name} {next_method()}"

    legal = {
        (Leaf, int): {"One Root", "Two Root", "int", "ambiguous"},
        (Two, str): {"Two Root"},
        (Root, str): {"Root"},
    }
    deadline = time.monotonic() + seconds
    calls = [0] * 4
    changes = 0

    def caller(index: int) -> Callable[[], None]:
        def run() -> None:
            values = [(Leaf(), 1), (Two(), "a"), (Root(), "a")]
            while time.monotonic() < deadline:
                for _ in range(100):
                    for x, y in values:
                        try:
                            result = f(x, y)
                        except AmbiguousMethodError:
                            result = "ambiguous"
                        assert result in legal[type(x), type(y)], result
                        calls[index] += 1

        return run

    def changer() -> None:
        nonlocal changes
        number = 0
        while time.monotonic() < deadline:
            method = f.add(lambda x, y: "int", Leaf, int)
            assert f(Leaf(), 1) == "int"
            f.remove(method)
            Leaf.__bases__ = (Two,)
            assert f(Leaf(), 1) == "Two Root"
            Leaf.attribute = number
            virtual = type("Virtual", (abc.ABC,), {})
            method = f.add(lambda x, y: "Virtual", virtual, int)
            virtual.register(Leaf)
            f.remove(method)
            Leaf.__bases__ = (One,)
            assert f(Leaf(), 1) == "One Root"
            number += 1
            changes += 6

    run_all(*[caller(index) for index in range(4)], changer)
    assert min(calls) > 0 and changes > 0


def test_torture() -> None:
    torture(2.0)


@pytest.mark.slow
def test_torture_at_length() -> None:
    torture(60.0)


def test_classes_made_and_dropped_in_threads() -> None:
    class Base: ...

    @dispatch
    def f(x: Base) -> str:
        return "Base"

    @dispatch
    def f(x: object) -> str:
        return "object"

    def run() -> None:
        for number in range(400):
            cls = type("Passing", (Base,) if number % 2 else (), {})
            assert f(cls()) == ("Base" if number % 2 else "object")

    run_all(run, run, run, run)


def test_predicates_run_without_a_lock() -> None:
    """A predicate that waits for a call in another thread is no deadlock."""
    inside, go_on = threading.Event(), threading.Event()

    def waits(x: int) -> bool:
        if x == 0:
            inside.set()
            assert go_on.wait(20)
        return True

    @dispatch
    def f(x: Annotated[int, waits]) -> str:
        return "waited"

    @dispatch
    def f(x: str) -> str:
        return "str"

    def second() -> None:
        assert inside.wait(20)
        assert f("a") == "str"
        assert f(1) == "waited"
        f.register(bytes, lambda x: "bytes")
        assert f(b"") == "bytes"
        go_on.set()

    run_all(lambda: f(0) == "waited" or pytest.fail("other result"), second)


def test_a_subclass_check_runs_without_a_lock() -> None:
    inside, go_on = threading.Event(), threading.Event()

    class Waits(abc.ABC):
        @classmethod
        def __subclasshook__(cls, other: type) -> Any:
            if other.__name__ == "Slow":
                inside.set()
                assert go_on.wait(20)
                return True
            return NotImplemented

    class Slow: ...

    @dispatch
    def f(x: Waits) -> str:
        return "Waits"

    @dispatch
    def f(x: str) -> str:
        return "str"

    def second() -> None:
        assert inside.wait(20)
        assert f("a") == "str"
        f.register(bytes, lambda x: "bytes")
        go_on.set()

    run_all(lambda: f(Slow()) == "Waits" or pytest.fail("other result"), second)
    assert f(Slow()) == "Waits"


def test_threads_that_ask_one_question_all_have_its_answer() -> None:
    """While one thread asks whether a class belongs, another calls with it."""
    inside, go_on = threading.Event(), threading.Event()

    class Judge(type):
        def __subclasscheck__(cls, other: type) -> bool:
            if other is Slow and not inside.is_set():
                inside.set()
                assert go_on.wait(20)
            return other in (Member, Slow)

    class Member(metaclass=Judge): ...

    class Slow: ...

    @dispatch
    def f(x: object) -> str:
        return "object"

    @dispatch
    def f(x: Member) -> str:
        return "Member"

    results: list[str] = []

    def second() -> None:
        assert inside.wait(20)
        results.append(f(Slow()))
        go_on.set()

    run_all(lambda: results.append(f(Slow())), second)
    assert results == ["Member", "Member"]


def test_first_calls_that_race_with_a_protocol_agree() -> None:
    @runtime_checkable
    class Closable(Protocol):
        def close(self) -> None: ...

    @dispatch
    def f(x: object) -> str:
        return "object"

    @dispatch
    def f(x: Closable) -> str:
        return "Closable"

    for _ in range(200):
        cls = type("Thing", (), {"close": lambda self: None})
        results: list[str] = []
        run_all(*[lambda: results.append(f(cls()))] * 2)
        assert results == ["Closable"] * 2


def test_groups_of_several_threads_do_not_mix() -> None:
    import latebind

    @generic
    def f(x): ...

    inside, added = threading.Event(), threading.Event()

    def one() -> None:
        with latebind.group():
            f.register(int, lambda x: "int")
            inside.set()
            assert added.wait(20)
            with pytest.raises(NoMethodError):
                f(1)

    def two() -> None:
        assert inside.wait(20)
        f.register(str, lambda x: "str")
        assert f("a") == "str"
        added.set()

    run_all(one, two)
    assert f(1) == "int"
