"""Several definitions of one name: the idiom for a whole module in one place."""

from __future__ import annotations

from latebind import Dispatcher, dispatch


@dispatch
def size(thing: int) -> int:
    return thing


@dispatch
def size(thing: str) -> int:
    return len(thing)


@dispatch(order="lexicographic")
def join(left: int, right: int) -> int:
    return left + right


@dispatch
def join(left: str, right: str) -> str:
    return left + right


private = Dispatcher()


@private
def show(thing: object) -> str:
    return "?"


@private
def show(thing: int) -> str:
    return str(thing)


class Base:
    @dispatch
    def put(self, key: int) -> str:
        return "number"

    @dispatch
    def put(self, key: str) -> str:
        return "text"

    @dispatch
    @classmethod
    def make(cls, source: int) -> Base:
        return cls()

    @dispatch
    @classmethod
    def make(cls, source: str) -> Base:
        return cls()

    @dispatch
    async def send(self, what: int) -> None:
        pass

    @dispatch
    async def send(self, what: str) -> None:
        pass


class Derived(Base):
    @dispatch
    def put(self, key: bytes) -> str:
        return "bytes"

    @dispatch
    def put(self, key: bytearray) -> str:
        return "more bytes"


def local() -> None:
    @dispatch
    def inner(thing: int) -> None:
        pass

    @dispatch
    def inner(thing: str) -> None:
        pass

    inner(1)


total: int = size(1) + size("one")
text: str = join("a", "b")
shown: str = show(3)
put: str = Derived().put(b"")
made: Base = Base.make(1)
print(size.methods, size.explain(1), private["show"].ambiguities())
