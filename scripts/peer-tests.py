#!/usr/bin/env python3
"""Run other projects' tests on the drop-ins of latebind.

    scripts/peer-tests.py NAME...        all of them without a name; --list lists

Each peer's tests run twice: on the peer itself and on our drop-in, so that what
fails on both (an old test, another version of Python) is told apart from what
fails on ours alone. The last lines name what fails on ours alone, and say how
many of the tests that the peer itself passes pass on ours.

Nothing of a peer is in the repository: sources come from pip and apt, into
build/peers/NAME, with a virtual environment each. A peer that cannot be had is
skipped, and said so. `latebind` must be importable (PYTHONPATH or installed).

1. `fetch` gets the sources, `packages` what the tests need.
2. `tests` and `prepare` make the folder that the tests run in.
3. `run` runs them in a process of their own, with the drop-in or without it.

Exit status: 0 when each peer reaches its share, 1 if not, 77 if all were skipped.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / "build" / "peers"

# A plugin for pytest: installs the drop-in before anything is imported.
PLUGIN = """\
import latebind.compat
for name in {names!r}:
    latebind.compat.install(name)
"""


LONGEST = 1800  # seconds for the tests of one peer


class Unavailable(Exception):
    """The peer, or its tests, cannot be had here."""


@dataclass
class Peer:
    """One project whose tests we run."""

    name: str
    drop_in: str
    prepare: Callable[[Peer], Path]  # gets all it needs; the folder to run in
    packages: tuple[str, ...] = ()  # for pip, beside pytest
    arguments: tuple[str, ...] = ()  # for pytest
    share: float = 0.98  # of what passes on the peer itself
    known: dict[str, str] = field(default_factory=dict)  # test -> why it fails
    internal: dict[str, str] = field(default_factory=dict)  # the same; not counted
    plugin: str = PLUGIN

    @property
    def folder(self) -> Path:
        return PEERS / self.name

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"


# ---- getting things ----------------------------------------------------------


def call(*command: object, **options: object) -> None:
    done = subprocess.run(
        [str(each) for each in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **options,
    )
    if done.returncode:
        words = " ".join(str(each) for each in command[:6])
        last = done.stdout.strip().splitlines()[-1:] or ["no output"]
        raise Unavailable(f"{words} ...: {last[0]}")


def environment(peer: Peer) -> None:
    """A virtual environment with pytest and what the tests need."""
    if not peer.python.exists():
        call(sys.executable, "-m", "venv", peer.folder / "venv")
    call(peer.python, "-m", "pip", "install", "-q", "pytest", *peer.packages)


def sdist(peer: Peer, requirement: str) -> Path:
    """The unpacked source distribution of a project."""
    folder = peer.folder / "sdist"
    if not folder.exists():
        folder.mkdir(parents=True)
        call(
            *(peer.python, "-m", "pip", "download", "-q", "--no-deps"),
            *("--no-binary", requirement, "-d", folder, requirement),
        )
    (archive,) = [each for each in folder.iterdir() if each.is_file()]
    unpacked = peer.folder / "source"
    if not unpacked.exists():
        if archive.suffix == ".zip":
            zipfile.ZipFile(archive).extractall(unpacked)
        else:
            call("tar", "xf", archive, "--one-top-level=" + str(unpacked))
    (top,) = unpacked.iterdir()
    return top


def debian(peer: Peer, package: str) -> Path:
    """The unpacked binary package of Debian."""
    unpacked = peer.folder / "debian"
    if not unpacked.exists():
        if shutil.which("apt-get") is None:
            raise Unavailable(f"Debian's {package} is needed, and there is no apt-get")
        peer.folder.mkdir(parents=True, exist_ok=True)
        call("apt-get", "download", package, cwd=peer.folder)
        (archive,) = peer.folder.glob(f"{package}_*.deb")
        call("dpkg-deb", "-x", archive, unpacked)
    return unpacked


def fresh(peer: Peer, *sources: Path) -> Path:
    """A new folder with copies of `sources`, for the tests to run in."""
    folder = peer.folder / "run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "pytest.ini").write_text("[pytest]\n")  # not the repository's
    for source in sources:
        if source.is_dir():
            shutil.copytree(source, folder / source.name)
        else:
            shutil.copy(source, folder)
    return folder


# ---- running -----------------------------------------------------------------


def site_of_latebind() -> str:
    """The folder to import latebind from (not resolved: it may be of links)."""
    import latebind

    return str(Path(latebind.__file__).parents[1])


def run(peer: Peer, folder: Path, ours: bool) -> dict[str, str]:
    """What came of each test: "passed", "failed", or "skipped"."""
    plugin = "peer_plugin"
    names = peer.drop_in.split(",") if ours else []
    source = peer.plugin if ours else PLUGIN
    (folder / f"{plugin}.py").write_text(source.replace("{names!r}", repr(names)))
    report = folder / f"report-{'ours' if ours else 'theirs'}.xml"
    path = os.pathsep.join([str(folder), site_of_latebind()])
    command = [
        *(str(peer.python), "-m", "pytest", "-q", "-p", plugin),
        *("-p", "no:cacheprovider", f"--junit-xml={report}", "-c", "pytest.ini"),
        *peer.arguments,
    ]
    done = subprocess.run(
        command,
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": path,
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",  # some tests expect sets in some order
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=LONGEST,
    )
    found = outcomes(report) if report.exists() else {}
    if "passed" not in found.values():
        lines = done.stdout.strip().splitlines()
        errors = [line for line in lines if line.startswith(("E ", "ERROR"))]
        last = (errors or lines or ["no output"])[-1]
        if not ours:
            raise Unavailable(f"nothing passes on the peer itself: {last}")
        print(f"  nothing passes: {last}")
    return found


def outcomes(report: Path) -> dict[str, str]:
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            found[name] = "failed"
        else:
            found[name] = "skipped" if "skipped" in kinds else "passed"
    return found


def compare(peer: Peer) -> bool:
    """Runs both and says what came of it; whether the share is reached."""
    environment(peer)
    folder = peer.prepare(peer)
    theirs, mine = run(peer, folder, False), run(peer, folder, True)
    public = {
        test
        for test, outcome in theirs.items()
        if outcome == "passed" and short(test) not in peer.internal
    }
    failed = sorted(test for test in public if mine.get(test) != "passed")
    passed = len(public) - len(failed)
    share = passed / len(public) if public else 0.0
    for test in failed[:40]:
        reason = peer.known.get(short(test), "why is not known")
        print(f"  fails: {test}: {reason}")
    if len(failed) > 40:
        print(f"  and {len(failed) - 40} more")
    for test in sorted(theirs):
        if short(test) in peer.internal and mine.get(test) != "passed":
            print(f"  does not count: {test}: {peer.internal[short(test)]}")
    gained = [t for t, o in mine.items() if o == "passed" and theirs.get(t) == "failed"]
    both = [t for t, o in theirs.items() if o == "failed" and mine.get(t) == "failed"]
    print(
        f"{peer.name}: {passed} of {len(public)} pass ({share:.1%}); the peer itself "
        f"fails {len(both) + len(gained)}, of which ours passes {len(gained)}"
    )
    return share >= peer.share


def short(test: str) -> str:
    return test.rpartition("::")[2]


# ---- the peers ---------------------------------------------------------------


def prepare_functools(peer: Peer) -> Path:
    """The interpreter's own tests; Debian has them in a package of their own."""
    probe = [peer.python, "-c", "import test.test_functools as t; print(t.__file__)"]
    found = subprocess.run(probe, capture_output=True, text=True, check=False)
    if found.returncode == 0:
        tests = Path(found.stdout.strip()).parent
    else:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        unpacked = debian(peer, f"libpython{version}-testsuite")
        tests = unpacked / "usr" / "lib" / f"python{version}" / "test"
    folder = fresh(peer, tests / "test_functools.py")
    (folder / "conftest.py").write_text(
        f"import test\ntest.__path__.append({str(tests)!r})\n"
    )
    return folder


def prepare_multipledispatch(peer: Peer) -> Path:
    """The tests are not in the source distribution, but in Debian's package."""
    unpacked = debian(peer, "python3-multipledispatch")
    packages = unpacked / "usr" / "lib" / "python3" / "dist-packages"
    return fresh(peer, packages / "multipledispatch" / "tests")


# The examples in the modules and the README of a package, as tests; and terms that
# are unified at random, whose results must be those of the run before.
EXAMPLES = """\
import doctest
import importlib
import pathlib
import pkgutil
import random

import pytest
import unification

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
package = importlib.import_module({package!r})
finder = doctest.DocTestFinder()
found = []
for each in ["", *(module.name for module in pkgutil.iter_modules(package.__path__))]:
    module = importlib.import_module(f"{package}.{{each}}".strip("."))
    for test in finder.find(module):
        # Many examples leave their imports away.
        test.globs = {{**vars(unification), **vars(package), **test.globs}}
        if test.examples:
            found.append(test)
session = {{}}  # the pieces of a README are one session
for i, text in enumerate(pathlib.Path("README.md").read_text().split("```")[1::2]):
    code = text.partition("\\n")[2]
    test = doctest.DocTestParser().get_doctest(code, {{}}, f"README {{i}}", None, 0)
    test.globs = session
    if test.examples:
        found.append(test)


@pytest.mark.parametrize("test", found, ids=lambda test: test.name)
def test_example(test):
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    assert runner.run(test, clear_globs=False).failed == 0


def term(pick, depth):
    kind = pick.randrange(7 if depth else 3)
    if kind < 2:
        return unification.var(pick.choice("xyz"))
    if kind == 2:
        return pick.choice([0, 1, "a", None, 2.5, slice(1, 2), slice(None)])
    parts = [term(pick, depth - 1) for _ in range(pick.randrange(1, 4))]
    if kind == 5:
        return dict(zip("abc", parts))
    return parts if kind == 6 else tuple(parts)


def filled(pick, value):
    "The same with values for variables, so that none contains itself."
    if unification.isvar(value):
        return pick.choice([0, (1, 2), [3]])
    if isinstance(value, dict):
        return {{key: filled(pick, each) for key, each in value.items()}}
    if isinstance(value, (list, tuple)):
        return type(value)(filled(pick, each) for each in value)
    return value


@pytest.mark.parametrize("seed", range(20))
def test_terms_unify_as_before(seed):
    pick = random.Random(seed)
    lines = []
    for _ in range(200):
        left, other = term(pick, 3), term(pick, 3)
        right = filled(pick, pick.choice([left, other]))
        said = unification.unify(left, right, {{}})
        lines.append(f"{{said}} {{said and unification.reify(left, said)}}")
    before = pathlib.Path(f"terms-{{seed}}.txt")
    if not before.exists():
        before.write_text("\\n".join(lines))
    assert before.read_text() == "\\n".join(lines)
"""


def prepare_examples(package: str, requirement: str) -> Callable[[Peer], Path]:
    """For those whose source distribution has no tests but examples."""

    def prepare(peer: Peer) -> Path:
        source = sdist(peer, requirement)
        folder = fresh(peer, source / "README.md", source / package)
        (folder / "test_examples.py").write_text(EXAMPLES.format(package=package))
        return folder

    return prepare


def prepare_tests(requirement: str) -> Callable[[Peer], Path]:
    """For those whose source distribution has their tests."""

    def prepare(peer: Peer) -> Path:
        folder = fresh(peer, sdist(peer, requirement) / "tests")
        marks = "\n    ".join(("benchmark", "incompatible_with_mypyc"))
        (folder / "pytest.ini").write_text(f"[pytest]\nmarkers =\n    {marks}\n")
        return folder

    return prepare


# plum's tests import private names by the dozen. One that the drop-in does not have
# is there for the import only, so that the other tests of the file run.
PLUM_PLUGIN = """\
import sys
import types

import latebind.compat

latebind.compat.install("plum")


class Private:
    def __init__(self, name):
        self.name = name

    def __call__(self, *args, **kwargs):
        raise AttributeError(f"the drop-in has no {self.name}")


class Module(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Private(name)


for name, module in list(sys.modules.items()):
    if name.startswith("plum."):
        module.__class__ = Module
"""

# sympy has a copy of multipledispatch 0.4 of its own: ours goes in its place.
SYMPY_PLUGIN = """\
import sys

import latebind.compat
from latebind.compat import multipledispatch as ours

latebind.compat.install("multipledispatch")
for name, module in list(sys.modules.items()):
    if name.partition(".")[0] == "multipledispatch":
        sys.modules["sympy." + name] = module
import sympy

sympy.multipledispatch = ours
assert sympy.assumptions.assume.Dispatcher is ours.Dispatcher
"""

SYMPY_TESTS = (
    "assumptions/tests",
    "core/tests/test_kind.py",
    "core/tests/test_power.py",
    "core/tests/test_relational.py",
    "multipledispatch/tests",
    "physics/quantum/tests/test_transforms.py",
    "sets/tests",
)


def prepare_sympy(peer: Peer) -> Path:
    """The tests of what sympy does by multiple dispatch, from its wheel."""
    (packages,) = (peer.folder / "venv" / "lib").glob("python*/site-packages")
    folder = fresh(peer)
    tests = [str(packages / "sympy" / each) for each in SYMPY_TESTS]
    present = [each for each in tests if Path(each).exists()]
    quick = ("-m", "not slow and not tooslow")
    peer.arguments = (*present, "--import-mode=importlib", *quick)
    return folder


KNOWN = [
    Peer(
        "functools",
        "functools",
        prepare_functools,
        arguments=("-k", "TestSingleDispatch", "test_functools.py"),
        internal={"test_cache_invalidation": "looks into the original's own cache"},
    ),
    Peer(
        "multipledispatch",
        "multipledispatch",
        prepare_multipledispatch,
        packages=("multipledispatch", "pytest-benchmark"),
        arguments=("--benchmark-disable",),
    ),
    Peer(
        "logical-unification",
        "multipledispatch",
        prepare_examples("unification", "logical-unification"),
        packages=("logical-unification", "multipledispatch"),
    ),
    Peer(
        "miniKanren",
        "multipledispatch",
        prepare_examples("kanren", "miniKanren"),
        packages=("miniKanren", "multipledispatch"),
    ),
    Peer(
        "multimethod",
        "multimethod",
        prepare_tests("multimethod"),
        packages=("multimethod",),
        internal={"test_return": "annotations of methods that are made in C here"},
    ),
    Peer(
        "plum-dispatch",
        "plum",
        prepare_tests("plum-dispatch"),
        packages=("plum-dispatch", "numpy", "rich", "ipython", "beartype"),
        plugin=PLUM_PLUGIN,
        internal={
            **dict.fromkeys(
                (
                    "test_cache_clearing",
                    "test_cache_unfaithful",
                    "test_resolve_pending_registrations",
                ),
                "counts what is in the private Function._cache: the table is in C",
            ),
            **dict.fromkeys(
                (
                    "test_autoreload_activate_deactivate",
                    "test_class_doc_and_module[Function]",
                    "test_class_doc_and_module[_BoundFunction]",
                ),
                "wants plum._function and the like as the name of the module",
            ),
            **dict.fromkeys(
                (
                    "test_substitute_any_rebuilds_hints",
                    "test_wrap_type_hint_unhashable_hint",
                ),
                "private functions around a fault of beartype, not needed here",
            ),
            "test_repr_mimebundle_from_rich": "private; errors are plain text here",
        },
        known=dict.fromkeys(
            ("test_cache_class", "test_cache_function"),
            "wants a first call within 2,000 hits, and hits take 0.1 us here",
        ),
    ),
    Peer(
        "sympy",
        "multipledispatch",
        prepare_sympy,
        packages=("sympy", "hypothesis"),
        plugin=SYMPY_PLUGIN,
        known={
            "test_halt_method_resolution": "of 0.4: halt_ordering() is without effect",
            "test_competing_ambiguous": "of 0.4: 1.0 warns when a call needs the order",
        },
    ),
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="list the peers")
    parser.add_argument("names", nargs="*", metavar="NAME")
    given = parser.parse_args()
    peers = {peer.name: peer for peer in KNOWN}
    unknown = set(given.names) - set(peers)
    if given.list or unknown:
        print("peers:", ", ".join(peers))
        return 2 if unknown else 0
    reached = []
    for name in given.names or peers:
        try:
            reached.append(compare(peers[name]))
        except (Unavailable, subprocess.TimeoutExpired) as why:
            print(f"{name}: skipped: {why}")
        sys.stdout.flush()
    return 77 if not reached else not all(reached)


if __name__ == "__main__":
    sys.exit(main())
