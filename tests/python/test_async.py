"""Methods that are coroutines and generators."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from latebind import NoMethodError, dispatch


@dispatch
async def fetch(x: object) -> str:
    await asyncio.sleep(0)
    return "object"


@dispatch
async def fetch(x: int, *, next_method: Any) -> Any:
    await asyncio.sleep(0)
    return ["int", await next_method()]


@dispatch
def fetch(x: str) -> Awaitable[str]:
    future = asyncio.get_running_loop().create_future()
    future.set_result("future")
    return future


def test_coroutines_are_awaited_by_the_caller() -> None:
    async def main() -> Any:
        return await fetch(None), await fetch("a")

    assert asyncio.run(main()) == ("object", "future")


def test_next_method_is_there_after_an_await() -> None:
    assert asyncio.run(fetch(1)) == ["int", "object"]


def test_many_tasks_at_once_do_not_mix() -> None:
    async def main() -> Any:
        return await asyncio.gather(*(fetch(one) for one in [1, None] * 50))

    assert asyncio.run(main()) == [["int", "object"], "object"] * 50


def test_a_missing_method_is_raised_by_the_call_not_by_the_await() -> None:
    @dispatch
    async def f(x: int) -> None: ...

    with pytest.raises(NoMethodError):
        f("a")


def test_a_coroutine_that_is_cancelled() -> None:
    @dispatch
    async def f(x: int, *, next_method: Any) -> None:
        await asyncio.sleep(10)

    async def main() -> bool:
        task = asyncio.create_task(f(1))
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return True
        return False

    assert asyncio.run(main())


def test_a_method_removed_while_its_coroutine_waits() -> None:
    @dispatch
    async def f(x: object) -> str:
        return "object"

    @dispatch
    async def f(x: int, *, next_method: Any) -> Any:
        f.remove(int)
        await asyncio.sleep(0)
        return ["int", await next_method()]

    assert asyncio.run(f(1)) == ["int", "object"]


def test_generators_of_all_kinds() -> None:
    @dispatch
    def walk(x: list) -> Iterator[Any]:
        for one in x:
            yield from walk(one)

    @dispatch
    def walk(x: int) -> Iterator[Any]:
        yield x

    @dispatch
    async def stream(x: int) -> AsyncIterator[int]:
        for number in range(x):
            yield number

    async def main() -> list[int]:
        return [one async for one in stream(3)]

    assert list(walk([1, [2, [3]], []])) == [1, 2, 3]
    assert asyncio.run(main()) == [0, 1, 2]


def test_values_are_sent_into_generators() -> None:
    @dispatch
    def echo(x: int) -> Any:
        while True:
            x = yield x

    it = echo(1)
    assert next(it) == 1 and it.send(5) == 5
    it.close()


def test_context_managers_may_be_generic() -> None:
    @dispatch
    @contextmanager
    def opened(x: int) -> Iterator[str]:
        yield "int"

    @dispatch
    @contextmanager
    def opened(x: str) -> Iterator[str]:
        yield "str"

    @dispatch
    @asynccontextmanager
    async def entered(x: int) -> AsyncIterator[str]:
        yield "entered"

    async def main() -> str:
        async with entered(1) as value:
            return value

    with opened(1) as one, opened("a") as two:
        assert (one, two) == ("int", "str")
    assert asyncio.run(main()) == "entered"


def test_async_methods_of_classes() -> None:
    class Client:
        @dispatch
        async def get(self, x: int) -> str:
            return "int"

        @dispatch
        async def get(self, x: str, *, next_method: Any = None) -> str:
            return "str"

        @dispatch
        async def __aenter__(self) -> Any:
            return self

        @dispatch
        async def __aexit__(self, *error: object) -> None: ...

    async def main() -> Any:
        async with Client() as client:
            return await client.get(1), await client.get("a")

    assert asyncio.run(main()) == ("int", "str")


def test_an_error_in_a_coroutine_is_raised_by_the_await() -> None:
    @dispatch
    async def f(x: int) -> None:
        raise KeyError("inside")

    async def main() -> None:
        coroutine = f(1)
        with pytest.raises(KeyError, match="inside"):
            await coroutine

    asyncio.run(main())
