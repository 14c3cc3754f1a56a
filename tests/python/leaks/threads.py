"""Threads that call while one changes."""

import threading

from measure import expect_no_leak

from latebind import generic


class Base: ...


@generic
def f(x): ...


f.register(object, lambda x: "object")


def call() -> None:
    for _ in range(20):
        f(type("Passing", (Base,), {})())
        f(1)


def change() -> None:
    for _ in range(20):
        f.remove(f.add(lambda x: "Base", Base))


def scenario() -> None:
    threads = [threading.Thread(target=one) for one in (call, call, change)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


expect_no_leak(scenario, 40)
