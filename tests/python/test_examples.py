"""The programs in examples/python and bench/python, run as a user runs them, and
the unparser's rules beside ast.unparse where that is unusual."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "python"
BENCH = ROOT / "bench" / "python"

sys.path.append(str(EXAMPLES))
from unparse import engines  # noqa: E402

ENGINES = engines.ENGINES

heavy = pytest.mark.heavy

ODD = """
((a, b), [c], *d) = ((1, 2), [3], *e)
a = b, = c
for x, y in (1, 2), 3: pass
for x in *a, b: pass
else: pass
(yield)
x = yield
x = yield y
x = yield from z
(a := 1)
f((a := 1), b=(c := 2), *d, **e)
x = (a if b else c) if (d if e else f) else (g if h else i)
x = lambda: (yield)
x = lambda a, /, b=1, *c, d, e=2, **f: (a, b)
x = lambda *, a: a
(lambda: 1)()
x = not a, not (not b), -(-c), ~-+d
x = -a ** -b ** (c ** d) ** e
x = (-a) ** b, (a ** b) ** c, a ** (b ** c), (await_ ** a)
x = a - (b - c) - d, (a - b) * c, a * (b * c), a @ b @ (c @ d)
x = a << b + c >> (d << e), a & b | c ^ d, (a | b) & (c ^ d)
x = a or b and c or not d or (e or f), (a or b) and c
x = a < b < c, (a < b) < c, a < (b < c), not a in b, (not a) in b
x = a is not b not in c
x = (a, b)[c, d], a[b:c, ::d, :], a[()], a[(b,)], a[b, c:d]
x = a[lambda: b:c], a[(b := c)]
x = {}, {1}, {1: 2, **a, **b | c}, {*a, *b}, [*a], (*a,), ()
x = [a for b, c in d if e if f or g for h in (i if j else k)]
x = {a: b for c in d}, {a for b in c}, (a for b in c), f(a for b in c)
x = 1 .real, 1.0.real, 1j.imag, (1).a, True.real, 'a'.b, a.b.c, (a + b).c, (-1).d
x = 1e400, -1e400, 1e400j, 1e-400, 0x1f, 1_000, 0.1, 1e22, ...
x = 'a', "a'", 'a"', '''a'"''', 'a\\nb', 'a\\\\b', '\\x00\\u20ac\\ud800', u'kind'
x = b'b\\x00"\\''
x: int
(x): int = 1
x.y: int = 2
x += 1; x @= 2; x //= 3; x **= 4; x >>= 5; x |= (yield)
del a, (b, c), [d], e[f], g.h
assert a, (b, c)
raise
raise a from b
return_ = 1
import a.b as c, d
from . import a
from ...b.c import d as e, f
from a import *
global g1, g2
pass
while a: break
else: continue_ = 1
if a: pass
elif b: pass
elif c:
    if d: pass
    else: pass
else: pass
if a: pass
else:
    if b: pass
    c
try: pass
except: pass
try: pass
except A: pass
except (B, C) as d: pass
else: pass
finally: pass
with a: pass
with a as b, c as (d, e), f() as g.h: pass
with (a, b): pass
@a
@b.c(d)
@(e := f)
class C(A, *B, metaclass=M, **k):
    '''doc "quoted" \\\\ and
    on two lines\\t'''
    u'not a doc'
    def f(self, a: int=1, *b: str, c: float=2.0, **d: dict) -> (int, str):
        'doc with \\''
        nonlocal_ = 1
        return
    async def g(a, b, /, c, *, d):
        await a
        x = await a ** b, -await a, (await a)(b), await (a + b), [c async for d in e]
        async for f in g: pass
        async with a as b: yield
        return *a, b
def f(): u'''unicode doc'''
def f():
    def g():
        nonlocal x
    class D: pass
match a, b:
    case 1 | -2 | 3j | 'a' | None | True: pass
    case [a, *_, b] | (a, *b): pass
    case {'a': 1, **rest} | {}: pass
    case A.B(c, d=e, f=G(h)) if i: pass
    case (a | b) as c: pass
    case [(a as b), _, (c | d)]: pass
    case _: pass
"""

FIELDS = r'''
x = f'', f'{a}', f'a{b!r}c{d:e}f', f'{{{a}}}', f'{ {1: 2}[1] }', f'{a:{b}.{c}}'
x = f"'{a}", f'"{a}', f"""'"{a}""", f'{a}\n{b}', f'{a["b"]}', f'{"a" + b}'
x = f'{a!s:>{b}}', a
x = f'{a=}', f'{a = !r:^20}', f'{(lambda x: x)}', f'{(a, b)}', f'{a if b else c}'
x = f'{(yield)}', f'{(a := 1)}', f'{a:{{}}}', f'a' 'b' f'{c}', f'\t{a}\u20ac\x00'
x = f'{f"{a}"}', f'{a}' "'" '"' '\'\'\'' '"""', f'{*a,}', f'{a:\n}', rf'\{a}'
'''

LATER = {
    (3, 11): [
        "try: pass\nexcept* A: pass\nexcept* B as c:\n    try: pass\n"
        "    except D: pass",
        "def f(*args: *Ts): a[*b]; a[*b, c]",
    ],
    (3, 12): [
        "type A = int\ntype B[T: int, *Ts, **P] = dict[T, P]",
        "def f[T: (int, str)](a: T) -> T: pass\nclass C[T, *U](A): pass",
        "f'{a['b']}', f'{'''a\nb'''}', f'{'\\n'}', f'{f'{f'{a}'}'}'",
        "f'''{\na\n}''', f'{a:{'b'}}'",
    ],
    (3, 13): ["class C[T = int, *U = *a, **P = [b]]: pass"],
}


def outcome(unparse: Callable[[ast.AST], str], tree: ast.AST) -> str:
    """The text, or what was raised instead."""
    try:
        return unparse(tree)
    except ValueError as error:
        return f"{type(error).__name__}: {error}"


def statements(text: str) -> Iterator[ast.stmt]:
    yield from ast.parse(text).body


@pytest.fixture(params=ENGINES)
def unparse(request: pytest.FixtureRequest) -> Callable[[ast.AST], str]:
    return engines.rules(request.param).unparse


def test_odd_statements_are_written_like_ast_unparse(unparse) -> None:
    for statement in statements(ODD):
        assert unparse(statement) == ast.unparse(statement)


def test_strings_with_fields_are_written_like_ast_unparse(unparse) -> None:
    for line in FIELDS.strip().split("\n"):
        for value in ast.parse(line).body[0].value.elts:
            assert outcome(unparse, value) == outcome(ast.unparse, value)


@pytest.mark.parametrize("version", LATER)
def test_later_syntax_is_written_like_ast_unparse(unparse, version) -> None:
    if sys.version_info < version:
        pytest.skip(f"syntax of Python {version[0]}.{version[1]}")
    for text in LATER[version]:
        tree = ast.parse(text)
        assert outcome(unparse, tree) == outcome(ast.unparse, tree)


def test_types_in_comments_are_kept(unparse) -> None:
    text = (
        "x = 1 # type: ignore[a]\nx = 2 # type: int\n"
        "def f(a): # type: (int) -> int\n    pass\n"
        "for a in b: # type: int\n    pass\nwith a: # type: int\n    pass\n"
    )
    tree = ast.parse(text, type_comments=True)
    assert unparse(tree) == ast.unparse(tree)
    assert "# type: (int) -> int" in unparse(tree)


def test_every_kind_of_tree_has_a_source(unparse) -> None:
    for mode in "eval", "single":
        assert unparse(ast.parse("a  +  b", mode=mode)) == "a + b"
    tree = ast.parse("(int,*str,**Any)->float", mode="func_type")
    assert unparse(tree) == ast.unparse(tree)


def test_a_node_without_a_rule_is_named(unparse) -> None:
    with pytest.raises(TypeError, match="no rule how to write Load"):
        unparse(ast.Load())


# Trees that no parser makes. All that matters of a leaf is how it is written.

names = st.sampled_from("abc").map(lambda name: ast.Name(name, ast.Load()))
numbers = st.sampled_from([0, 1, -1, 1.5, 2j, True, None]).map(ast.Constant)
strings = st.text(st.sampled_from("ab'\"\\\n\t{}\u20ac\x00"), max_size=6)


def operators(cls: type[ast.AST]) -> st.SearchStrategy[ast.AST]:
    return st.sampled_from([sub() for sub in cls.__subclasses__()])


def nested(inner: st.SearchStrategy[ast.expr]) -> st.SearchStrategy[ast.expr]:
    some = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        st.builds(ast.BinOp, inner, operators(ast.operator), inner),
        st.builds(ast.UnaryOp, operators(ast.unaryop), inner),
        st.builds(ast.BoolOp, operators(ast.boolop), some),
        st.builds(
            lambda op, left, right: ast.Compare(left, [op], [right]),
            operators(ast.cmpop),
            inner,
            inner,
        ),
        st.builds(ast.IfExp, inner, inner, inner),
        st.builds(lambda each: ast.Lambda(NO_PARAMETERS, each), inner),
        st.builds(ast.NamedExpr, names, inner),
        st.builds(ast.Await, inner),
        st.builds(ast.Yield, inner),
        st.builds(ast.YieldFrom, inner),
        st.builds(lambda each: ast.Starred(each, ast.Load()), inner),
        st.builds(lambda each: ast.Tuple(each, ast.Load()), some),
        st.builds(lambda each: ast.Attribute(each, "x", ast.Load()), inner),
        st.builds(lambda a, b: ast.Subscript(a, b, ast.Load()), inner, inner),
        st.builds(lambda a, b: ast.Call(a, b, []), inner, some),
    )


NO_PARAMETERS = ast.arguments(
    posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[]
)
expressions = st.recursive(st.one_of(names, numbers), nested, max_leaves=12)


def field_of(value: ast.expr, conversion: int, spec: str | None) -> ast.expr:
    written = None if spec is None else ast.JoinedStr([constant_of(spec)])
    return ast.FormattedValue(value, conversion, written)


def constant_of(value: str) -> ast.expr:
    return ast.Constant(value, kind=None)


string_values = st.one_of(names, strings.map(constant_of))
fields = st.builds(
    field_of,
    string_values,
    st.sampled_from([-1, ord("r")]),
    st.one_of(st.none(), strings),
)
f_strings = st.lists(st.one_of(strings.map(constant_of), fields), max_size=4).map(
    ast.JoinedStr
)


@given(expressions)
def test_any_expression_gets_the_brackets_of_ast_unparse(tree: ast.expr) -> None:
    for statement in ast.Expr(tree), ast.Return(tree), ast.Delete([tree]):
        for engine in ENGINES:
            assert engines.rules(engine).unparse(statement) == ast.unparse(statement)


@given(f_strings)
def test_any_f_string_gets_the_quotes_of_ast_unparse(tree: ast.expr) -> None:
    try:
        expected = outcome(ast.unparse, tree)
    except AssertionError:
        return  # some releases give up on such a string
    for engine in ENGINES:
        assert outcome(engines.rules(engine).unparse, tree) == expected


# Rules are open


def test_a_rule_for_a_class_of_ones_own_is_used_until_it_is_taken_back() -> None:
    import latebind

    class Hole(ast.expr):
        _fields = ("name",)

    rules = engines.rules("latebind")
    text = rules.expressions.text
    assert isinstance(text, latebind.GenericFunction)

    def hole(node, place) -> str:
        return f"<{node.name}>"

    tree = ast.BinOp(Hole("x"), ast.Add(), ast.Constant(1))
    method = text.add(hole, Hole, rules.expressions.Place)
    try:
        assert rules.unparse(tree) == "<x> + 1"
    finally:
        text.remove(method)
    with pytest.raises(TypeError, match="no rule how to write Hole"):
        rules.unparse(tree)


# The job


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    return subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


def rows(output: str) -> dict[str, list[str]]:
    """The lines of the job's table, by engine."""
    found = {}
    for line in output.splitlines():
        words = line.split()
        if words and words[0] in ENGINES:
            found[words[0]] = words[1:]
    return found


@heavy
def test_the_job_finds_no_difference_in_the_standard_library() -> None:
    done = run(EXAMPLES / "unparse", "--rounds", "1", "--every", "25")
    assert done.returncode == 0, done.stdout + done.stderr
    table = rows(done.stdout)
    assert list(table) == list(ENGINES)
    equal = {engine: int(cells[0]) for engine, cells in table.items()}
    assert len(set(equal.values())) == 1 and equal["latebind"] >= 20
    assert all(cells[1] == "0" for cells in table.values())


def test_the_job_tells_of_a_difference(tmp_path: Path) -> None:
    sample = tmp_path / "sample.py"
    sample.write_text("if a:\n    pass\n")
    program = (
        f"import ast, sys; sys.path.insert(0, {str(EXAMPLES)!r})\n"
        "from unparse import engines, job\n"
        "rules = engines.rules('latebind')\n"
        "lines, margin = rules.statements.lines, rules.statements.Margin\n"
        "lines.remove(lines.resolve(ast.Pass, margin))\n"
        "def wrong(node, margin): return margin.line + 'PASS'\n"
        "lines.add(wrong, ast.Pass, margin)\n"
        f"sys.exit(job.main([{str(sample)!r}]))\n"
    )
    done = run("-c", program)
    assert done.returncode == 1, done.stderr
    table = rows(done.stdout)
    assert table["latebind"][:2] == ["0", "1"]
    assert table["visitor"][:2] == ["1", "0"]
    assert "+    PASS" in done.stdout and "-    pass" in done.stdout


def test_the_job_cannot_use_ast_unparse() -> None:
    program = (
        f"import ast, sys; sys.path.insert(0, {str(EXAMPLES)!r})\n"
        "from unparse import job\n"
        "job.take_unparse_away()\n"
        "for call in (lambda: ast.unparse(ast.parse('a')), lambda: ast._Unparser()):\n"
        "    try: call()\n"
        "    except RuntimeError: print('raised')\n"
    )
    assert run("-c", program).stdout.split() == ["raised", "raised"]


def test_the_source_of_a_file_can_be_printed(tmp_path: Path) -> None:
    sample = tmp_path / "sample.py"
    sample.write_text("x  =  (1,2)  # said\n")
    for engine in ENGINES:
        done = run(EXAMPLES / "unparse", "--print", sample, "--engine", engine)
        assert done.stdout == "x = (1, 2)\n", done.stderr


def test_a_file_that_is_not_python_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text("pass\n")
    (tmp_path / "bad.py").write_text("pass pass\n")
    done = run(EXAMPLES / "unparse", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 files, 2 nodes; left out because they do not parse: 1" in done.stdout


# Before and after


@pytest.mark.skipif(find_spec("kanren") is None, reason="miniKanren is missing")
def test_an_unchanged_program_has_the_same_solutions_before_and_after() -> None:
    program = EXAMPLES / "before_after"
    done = run(program, "--rounds", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the solutions are equal" in done.stdout
    answers = {
        role: json.loads(run(program, "--role", role, "--rounds", "1").stdout)
        for role in ("before", "after")
    }
    assert answers["before"]["dispatcher"].startswith("multipledispatch.")
    assert answers["after"]["dispatcher"].startswith("latebind.")
    assert answers["before"]["solutions"] == answers["after"]["solutions"]
    (houses,) = answers["after"]["solutions"]
    assert ["Greek", "cello", "milk", "red"] in houses


# The benchmark


def bench_names() -> list[str]:
    sys.path.append(str(BENCH))
    try:
        from calls import LOADS
        from definitions import FIGURES
    finally:
        sys.path.remove(str(BENCH))
    return [each.name for each in (*LOADS, *FIGURES)]


@heavy
def test_the_benchmark_has_a_number_of_latebind_for_every_load() -> None:
    done = run(BENCH / "main.py", "--quick", "--peer", "none")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    table = [line for line in lines if line and line[0] not in "# "][1:]
    assert len(table) == len(bench_names())
    for line in table:
        assert line[46:58].strip() not in ("", "–"), line
    assert "FAILED" not in done.stdout
