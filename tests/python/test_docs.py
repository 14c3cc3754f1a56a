"""The documentation of the Python package says what is so.

Every block of docs/python.md and docs/migration.md is run, section by section (a
section begins with `## `; its blocks share a module):

1.  ```python      is executed. When its first line is a comment with a file's name, the
                   module is called so, and can be imported from that file; else it is
                   the main module. ```python warns    has an ambiguity.
2.  ```pycon       is compared as doctest does, with `...` for anything; an exception by
                   its class's name and its text. A warning is printed as
                   `Category: text`, so that it must be written down to be let through.
3.  ```console     `$ command` is run in a folder with the section's files, and what it
                   prints, to stdout or stderr, is compared.
4.  ```python before, ```pycon before    a program for another dispatcher: run on the
                   original, if it is installed, and on the drop-in. The section's
                   title names it.

Numbers of lines in what is printed do not count.
"""

from __future__ import annotations

import ast
import contextlib
import doctest
import importlib.util
import io
import os
import re
import shlex
import subprocess
import sys
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import latebind
import latebind.compat

ROOT = Path(__file__).resolve().parents[2]
GUIDES = ("python.md", "migration.md")
# What a title names: the drop-in, and the modules that its programs import.
PEERS = {
    "functools.singledispatch": ("functools", ()),
    "multipledispatch": ("multipledispatch", ("multipledispatch",)),
    "plum": ("plum", ("plum",)),
    "multimethod": ("multimethod", ("multimethod",)),
    "gnosis": ("gnosis", None),  # the original is no longer to be had
}
_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Block(NamedTuple):
    kind: str  # "python", "pycon", "console", or what is not looked at
    words: list[str]  # what follows: "before", "warns"
    text: str
    line: int  # of the first line of text, from 1


class Section(NamedTuple):
    guide: str
    title: str
    blocks: list[Block]

    @property
    def name(self) -> str:
        return f"{self.guide}: {self.title}"


# ------------------------------------------------------------------ reading


def sections_of(guide: str) -> Iterator[Section]:
    section = Section(guide, "head", [])
    kind: str | None = None
    start = 0
    lines: list[str] = []
    text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            if kind is None:
                kind, start, lines = line[3:].strip(), number + 1, []
                continue
            first, *more = kind.split() or [""]
            block = Block(first, more, "\n".join(lines) + "\n", start)
            section.blocks.append(block)
            kind = None
        elif kind is not None:
            lines.append(line)
        elif line.startswith("## "):
            yield section
            section = Section(guide, line[3:].strip(), [])
    assert kind is None, f"{guide}: a block without an end"
    yield section


def runnable(section: Section) -> bool:
    return any(one.kind in ("python", "pycon") for one in section.blocks)


SECTIONS = [one for guide in GUIDES for one in sections_of(guide) if runnable(one)]


# Sections without examples: what they say is tested elsewhere.
WITHOUT = {"Type checkers and linters", "From C", "What costs what", "Limits"}


def test_all_sections_have_examples_but_for_those_that_cannot() -> None:
    every = [one for guide in GUIDES for one in sections_of(guide)]
    empty = {one.name for one in every} - {one.name for one in SECTIONS}
    assert empty == {f"python.md: {one}" for one in WITHOUT} | {"migration.md: head"}


# ------------------------------------------------------------------ running


def without_lines(text: str) -> str:
    return re.sub(r"\.py:\d+", ".py:N", text)


def assert_alike(wanted: str, got: str, where: str) -> None:
    same = doctest.OutputChecker().check_output(
        without_lines(wanted), without_lines(got), _FLAGS
    )
    assert same, f"{where}: it should say\n{wanted}\nand says\n{got}"


class Session:
    """A module in which the blocks of a section run, one after the other."""

    def __init__(self, section: Section, folder: Path) -> None:
        self.section = section
        self.folder = folder
        self.file = "example.py"
        self.module = types.ModuleType("__main__")
        self.replaced: dict[str, types.ModuleType | None] = {}

    def __enter__(self) -> Session:
        self.call("__main__")
        return self

    def call(self, name: str) -> None:
        """Let the module be known by this name."""
        self.replaced.setdefault(name, sys.modules.get(name))
        self.module.__name__ = name
        sys.modules[name] = self.module

    def __exit__(self, *error: object) -> None:
        for name, old in self.replaced.items():
            if old is None:
                del sys.modules[name]
            else:
                sys.modules[name] = old

    def run(self, block: Block) -> None:
        if block.kind == "python":
            self.execute(block)
        elif block.kind == "pycon":
            self.compare(block)
        elif block.kind == "console":
            self.command(block)

    def where(self, line: int) -> str:
        return f"docs/{self.section.guide}:{line}"

    def execute(self, block: Block) -> None:
        """As it stands; nothing may be printed or warned of."""
        named = re.match(r"# (\w+)\.py\n", block.text)
        if named:
            self.file = f"{named[1]}.py"
            (self.folder / self.file).write_text(block.text, encoding="utf-8")
            self.call(named[1])
        # As many empty lines before it as bring out the lines of the document.
        code = compile("\n" * (block.line - 1) + block.text, self.file, "exec")
        printed = io.StringIO()
        with (
            warnings.catch_warnings(record=True) as warned,
            contextlib.redirect_stdout(printed),
        ):
            warnings.simplefilter("always", latebind.AmbiguityWarning)
            exec(code, self.module.__dict__)
        where = self.where(block.line)
        assert printed.getvalue() == "", where
        assert bool(warned) == ("warns" in block.words), where

    def compare(self, block: Block) -> None:
        for example in doctest.DocTestParser().get_examples(block.text):
            wanted = example.exc_msg or example.want
            got = self.interact(example.source, fails=example.exc_msg is not None)
            assert_alike(wanted, got, self.where(block.line + example.lineno))

    def interact(self, source: str, fails: bool) -> str:
        """What the interpreter would show; of an exception its last lines."""
        printed = io.StringIO()

        def warn(message: object, category: type, *_rest: object) -> None:
            printed.write(f"{category.__name__}: {message}\n")

        code = compile(source, self.file, "single")
        with warnings.catch_warnings(), contextlib.redirect_stdout(printed):
            warnings.simplefilter("always", UserWarning)
            warnings.showwarning = warn  # type: ignore[assignment]
            try:
                exec(code, self.module.__dict__)
            except Exception as error:
                if not fails:
                    raise
                return f"{type(error).__name__}: {error}\n"
        return printed.getvalue()

    def command(self, block: Block) -> None:
        path = os.pathsep.join(filter(None, sys.path))
        for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            line, _, wanted = part.partition("\n")
            done = subprocess.run(
                [sys.executable, *shlex.split(line)[1:]],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": path},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            assert line.startswith("python "), line
            assert_alike(wanted, done.stdout, self.where(block.line))


def run_section(section: Section, folder: Path, before: bool) -> None:
    """Its blocks, or those of the program before the change."""
    with Session(section, folder) as session:
        for block in section.blocks:
            if ("before" in block.words) == before:
                session.run(block)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda one: one.name)
def test_every_example_does_what_it_says(section: Section, tmp_path: Path) -> None:
    run_section(section, tmp_path, before=False)


# ------------------------------------------------------------------ other dispatchers


def peer_of(section: Section) -> str:
    return next(name for name in PEERS if name in section.title)


MIGRATIONS = [one for one in SECTIONS if any("before" in b.words for b in one.blocks)]


@contextlib.contextmanager
def imported_anew(names: tuple[str, ...]) -> Iterator[None]:
    """Inside, these modules are imported as if for the first time."""

    def ours() -> list[str]:
        return [one for one in sys.modules if one.split(".")[0] in names]

    kept = {name: sys.modules.pop(name) for name in ours()}
    try:
        yield
    finally:
        for name in ours():
            del sys.modules[name]
        sys.modules.update(kept)


@pytest.mark.parametrize("section", MIGRATIONS, ids=lambda one: one.title)
def test_the_program_before_runs_on_the_original(
    section: Section, tmp_path: Path
) -> None:
    _, modules = PEERS[peer_of(section)]
    if modules is None:
        pytest.skip("the original is no longer to be had")
    for name in modules:
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    with imported_anew(modules):
        run_section(section, tmp_path, before=True)


@pytest.mark.parametrize("section", MIGRATIONS, ids=lambda one: one.title)
def test_the_program_before_runs_on_the_drop_in(
    section: Section, tmp_path: Path
) -> None:
    drop_in, _ = PEERS[peer_of(section)]
    latebind.compat.install(drop_in)
    try:
        run_section(section, tmp_path, before=True)
    finally:
        latebind.compat.uninstall(drop_in)


def test_there_is_a_migration_from_each_drop_in() -> None:
    assert {peer_of(one) for one in MIGRATIONS} == PEERS.keys()
    assert {name for name, _ in PEERS.values()} == set(latebind.compat.NAMES)


# ------------------------------------------------------------------ the reference


def reference() -> str:
    return (ROOT / "docs" / "python-api.md").read_text(encoding="utf-8")


def documented_names() -> set[str]:
    """Names that a heading or the first column of a table gives, in backquotes."""
    names: set[str] = set()
    for line in reference().splitlines():
        if line.startswith("#"):
            quoted = re.findall(r"`([^`]*)`", line)
        elif line.startswith("| "):
            quoted = re.findall(r"`([^`]*)`", re.split(r"(?<!\\)\|", line)[1])
        else:
            continue
        for text in quoted:
            names |= set(re.findall(r"[A-Za-z_][\w.]*", text.partition("(")[0]))
    return names


@pytest.mark.parametrize("name", latebind.__all__)
def test_the_reference_has_every_public_name(name: str) -> None:
    assert name in documented_names()


def public_attributes(cls: type) -> set[str]:
    """Of a class, as its stub has them: what type checkers let users touch."""
    stub = Path(latebind.__file__).with_name("__init__.pyi")
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name == cls.__name__:
            functions = {one.name for one in node.body if hasattr(one, "name")}
            variables = {
                one.target.id
                for one in node.body
                if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
            }
            return functions | variables
    raise AssertionError(f"{cls.__name__} is not in the stub")


@pytest.mark.parametrize(
    "cls",
    [latebind.__dict__[name] for name in latebind.__all__ if name[0].isupper()],
    ids=lambda one: one.__name__,
)
def test_the_reference_has_every_public_attribute(cls: type) -> None:
    holder = "f" if cls is latebind.GenericFunction else cls.__name__
    wanted = {one for one in public_attributes(cls) if not one.startswith("_")}
    assert {f"{holder}.{one}" for one in wanted} - documented_names() == set()


def test_the_reference_has_nothing_that_is_not_there() -> None:
    """Headings name attributes of the package, or of its classes."""
    for line in reference().splitlines():
        if line.startswith("### "):
            for text in re.findall(r"`([^`(]*)", line)[::2]:
                holder: object = latebind
                for part in text.strip("@").split("."):
                    holder = getattr(holder, "GenericFunction" if part == "f" else part)


def test_links_between_the_documents_lead_somewhere() -> None:
    for guide in (*GUIDES, "python-api.md", "compat.md"):
        file = ROOT / "docs" / guide
        for target in re.findall(r"\]\(([\w./-]+)\)", file.read_text(encoding="utf-8")):
            assert (file.parent / target).exists(), f"{guide}: {target}"


def test_lines_are_as_wide_as_in_the_other_documents() -> None:
    """Prose, at least: tables and what is printed are as wide as they are."""
    for guide in (*GUIDES, "python-api.md"):
        quoted = False
        for number, line in enumerate(
            (ROOT / "docs" / guide).read_text(encoding="utf-8").splitlines(), 1
        ):
            quoted ^= line.startswith("```")
            if not quoted and not line.startswith("|"):
                assert len(line) <= 92, f"{guide}:{number}"
