"""Generic functions run unchanged by workers in other processes: Dask's.

Those of multiprocessing are in test_pickling.py.
"""

from pathlib import Path

import pytest
from support import run_child

pytest.importorskip("distributed")
# Workers are processes of the same interpreter, sanitized and slow, too.
pytestmark = pytest.mark.heavy

PROGRAM = """
import dask
from dask.distributed import Client, LocalCluster
from latebind import dispatch, generic
from made_for_workers import shared, Circle, Square

class Local: ...

@dispatch
def own(x: int): return "int"
@dispatch
def own(x: Local): return "Local"
@dispatch
def own(x: list[int], *, next_method): return "ints", next_method()
@dispatch
def own(x: object): return "object"

def make(factor):
    @generic
    def scaled(x, y=1): ...
    scaled.register(int, lambda x, y=1: x * y * factor)
    scaled.register(str, lambda x, y=1: x + "!")
    return scaled

def is_shared(function):
    import made_for_workers
    return function is made_for_workers.shared

def process():
    import os
    return os.getpid()

def main():
    with dask.config.set({
        "distributed.comm.timeouts.connect": "20s",
        "distributed.worker.daemon": True,
    }), LocalCluster(
        processes=True, n_workers=2, threads_per_worker=2, dashboard_address=None
    ) as cluster, Client(cluster, timeout=30) as client:
        def gather(futures):
            return client.gather(futures, direct=False)
        # By name: the worker's own function, which its module extends.
        print(client.submit(is_shared, shared).result(30))
        print(gather(client.map(shared, [Circle(), Square(), 1])))
        print(gather(client.map(shared, [Circle(), 1], [Square(), 2])))
        # By value.
        print(gather(client.map(own, [1, Local(), [1], ["a"], 2.5])))
        print(gather(client.map(make(3), [1, "a", 5])))
        print(client.submit(make(2), 5, y=4).result(30))
        # What fails there fails here.
        try:
            client.submit(shared, "text").result(30)
        except Exception as error:
            print(type(error).__name__, str(error).splitlines()[0])
        # Many calls, by all workers.
        numbers = range(200)
        assert gather(client.map(make(3), numbers)) == [3 * one for one in numbers]
        print(len(set(client.run(process).values())))

if __name__ == "__main__":
    main()
"""

MODULE = """
from latebind import dispatch

class Circle: ...
class Square: ...

@dispatch
def shared(x: Circle): return "Circle"
@dispatch
def shared(x: Square): return "Square"
@dispatch
def shared(x: Circle, y: Square): return "Circle and Square"
@dispatch
def shared(x: int, y: int = 0): return x + y
"""

EXPECTED = """
True
['Circle', 'Square', 1]
['Circle and Square', 3]
['int', 'Local', ('ints', 'object'), 'object', 'object']
[3, 'a!', 15]
40
NoMethodError no method of shared(str) for these types
2
"""


def test_dask_s_workers_call_functions_by_name_and_by_value(tmp_path: Path) -> None:
    (tmp_path / "made_for_workers.py").write_text(MODULE)
    (tmp_path / "program.py").write_text(PROGRAM)
    done = run_child(
        """
        import os, runpy, sys
        # Found by the workers, too.
        os.environ["PYTHONPATH"] += os.pathsep + os.getcwd()
        sys.path.append(os.getcwd())
        runpy.run_path("program.py", run_name="__main__")
        """,
        folder=tmp_path,
        timeout=90,
    )
    assert done.stdout.strip() == EXPECTED.strip(), done.stderr
    assert done.returncode == 0, done.stderr
