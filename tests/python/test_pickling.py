"""Generic functions travel: by name where they can be imported, else by value."""

import concurrent.futures
import copyreg
import multiprocessing
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest
from support import module_of, output_of, run_child

from latebind import dispatch, generic

cloudpickle = pytest.importorskip("cloudpickle")


@dispatch
def shown(x: int) -> str:
    return "int"


@dispatch
def shown(x: list[str]) -> str:
    return "texts"


class Holder:
    @dispatch
    def m(self, x: int) -> str:
        return "int"

    @staticmethod
    @dispatch
    def s(x: int) -> str:
        return "static"


protocols = pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))


@protocols
def test_an_importable_function_is_itself_again(protocol: int) -> None:
    assert pickle.loads(pickle.dumps(shown, protocol)) is shown
    assert len(pickle.dumps(shown, protocol)) < 200


def test_a_method_of_a_class_is_itself_again() -> None:
    assert pickle.loads(pickle.dumps(Holder.m)) is Holder.m
    bound = pickle.loads(pickle.dumps(Holder().m))
    assert bound(1) == "int"


def test_cloudpickle_goes_by_name_too() -> None:
    assert cloudpickle.loads(cloudpickle.dumps(shown)) is shown


def test_a_local_function_goes_by_value() -> None:
    factor = 3

    @dispatch
    def f(x: int, *, key: str = "k") -> Any:
        return x * factor, key

    @dispatch
    def f(x: list[int]) -> Any:
        return sum(x)

    copy = cloudpickle.loads(cloudpickle.dumps(f))
    assert copy is not f
    assert copy(2) == (6, "k") and copy([1, 2]) == 3
    copy.register(str, lambda x: "str")
    assert copy("a") == "str"
    with pytest.raises(TypeError):
        f("a")


def test_options_and_qualifiers_go_along() -> None:
    @generic(order="definition", combination="list", doc="Says.")
    def f(x): ...

    f.register(object, lambda x: "object")
    f.register(int, lambda x: "int")
    f.register(int, lambda x: None, qualifier="before")
    copy = cloudpickle.loads(cloudpickle.dumps(f))
    assert copy(1) == ["object", "int"]
    assert [one.qualifier for one in copy.methods] == ["primary", "primary", "before"]
    assert "Says." in copy.__doc__


def test_a_local_class_with_generic_methods_goes_by_value() -> None:
    class Base:
        def m(self, x: Any) -> str:
            return "Base"

    class Local(Base):
        @dispatch
        def m(self, x: int, *, next_method: Any) -> Any:
            return "int", next_method()

    made = cloudpickle.loads(cloudpickle.dumps(Local))()
    assert made.m(1) == ("int", "Base")
    assert made.m("a") == "Base"


def test_a_function_that_refers_to_itself_goes_by_value() -> None:
    @dispatch
    def f(x: int) -> Any:
        return f(x - 1) if x else "end"

    assert cloudpickle.loads(cloudpickle.dumps(f))(3) == "end"


def test_plain_pickle_refuses_what_has_no_name_and_says_which() -> None:
    """In a process of its own: where cloudpickle is loaded, its way is taken."""
    printed = output_of(
        """
        import pickle, sys, types
        from latebind import dispatch

        def scope():
            @dispatch
            def local(x: int): ...
            return local

        module = types.ModuleType("made_for_pickling")
        exec("from latebind import dispatch\\n@dispatch\\ndef f(x: int): ...",
             module.__dict__)
        sys.modules[module.__name__] = module
        renamed, module.f = module.f, len
        for function in (scope(), renamed):
            try:
                pickle.dumps(function)
            except (pickle.PicklingError, AttributeError) as error:
                print(function.__name__, function.__name__ in str(error))
        """
    )
    assert printed.split() == ["local", "True", "f", "True"]


def test_a_name_that_means_something_else_now_is_no_name() -> None:
    module = module_of(
        """
        from latebind import dispatch
        @dispatch
        def f(x: int): return "first"
        """,
        "made_for_pickling",
    )
    sys.modules[module.__name__] = module
    try:
        first = module.f
        assert pickle.loads(pickle.dumps(first)) is first
        module.f = len
        assert cloudpickle.loads(cloudpickle.dumps(first))(1) == "first"
    finally:
        del sys.modules[module.__name__]


def test_a_function_from_main_goes_to_another_process_by_value() -> None:
    """As notebooks send theirs to workers."""
    sent = output_of(
        """
        import sys, cloudpickle
        from latebind import dispatch
        class Local: ...
        @dispatch
        def f(x: Local): return "local"
        @dispatch
        def f(x: int): return "int"
        print(cloudpickle.dumps((f, Local)).hex())
        """
    )
    received = output_of(
        """
        import sys, pickle
        f, Local = pickle.loads(bytes.fromhex(sys.argv[1]))
        print(f(Local()), f(1))
        """,
        sent.strip(),
    )
    assert received.split() == ["local", "int"]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_of_a_pool_call_it(method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot {method}")
    shown(1)
    with concurrent.futures.ProcessPoolExecutor(
        2, mp_context=multiprocessing.get_context(method)
    ) as pool:
        assert list(pool.map(shown, [1, ["a"], 2])) == ["int", "texts", "int"]


def test_a_spawned_process_runs_the_module_again(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import multiprocessing\n"
        "from latebind import dispatch\n"
        "@dispatch\n"
        "def f(x: int): return 'int'\n"
        "@dispatch\n"
        "def f(x: str): return 'str'\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(2) as pool:\n"
        "        print(pool.map(f, [1, 'a']))\n"
    )
    done = run_child(
        """
        import subprocess, sys
        sys.exit(subprocess.call([sys.executable, sys.argv[1]]))
        """,
        str(program),
    )
    assert done.stdout.strip() == "['int', 'str']", done.stderr


def test_a_fork_in_the_middle_of_a_call_goes_on() -> None:
    done = run_child(
        """
        import os
        from latebind import dispatch
        @dispatch
        def f(x: object):
            return "object"
        @dispatch
        def f(x: int, *, next_method):
            child = os.fork()
            result = next_method()
            f.register(str, lambda x: "str")
            assert f("a") == "str"
            if child == 0:
                os._exit(0 if result == "object" else 1)
            assert os.waitpid(child, 0)[1] == 0
            return result
        print(f(1))
        """
    )
    assert done.stdout.strip() == "object", done.stderr


def test_a_fork_while_another_thread_defines_goes_on() -> None:
    done = run_child(
        """
        import os, threading
        from latebind import generic
        @generic
        def f(x): ...
        f.register(int, lambda x: "int")
        stop = False
        def define():
            while not stop:
                cls = type("T", (), {})
                f.register(cls, lambda x: "T")
                f(cls())
                f.remove(cls)
        thread = threading.Thread(target=define)
        thread.start()
        for _ in range(30):
            child = os.fork()
            if child == 0:
                f.register(str, lambda x: "str")
                os._exit(0 if (f(1), f("a")) == ("int", "str") else 1)
            assert os.waitpid(child, 0)[1] == 0
        stop = True
        thread.join()
        print("done")
        """
    )
    assert done.stdout.strip() == "done", done.stderr


def test_a_class_s_way_of_pickling_may_be_generic() -> None:
    @dispatch
    def reduce(x: Holder) -> Any:
        return Holder, ()

    copyreg.pickle(Holder, reduce)
    try:
        assert isinstance(pickle.loads(pickle.dumps(Holder())), Holder)
    finally:
        copyreg.dispatch_table.pop(Holder)
