"""The page about generic functions: what it says, and that a browser understands it."""

from __future__ import annotations

import abc
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Protocol, runtime_checkable

import pytest

import latebind
from latebind import GenericFunction, dispatch, generic
from latebind._report import module_page
from latebind._style import STYLE


class Shape:
    pass


class Circle(Shape):
    pass


class Rectangle(Shape):
    pass


class Square(Rectangle):
    pass


def intersections() -> GenericFunction:
    @dispatch(silent=True)
    def intersect(a: Shape, b: Shape) -> str:
        """Any two.

        In many words."""
        return "any"

    @dispatch
    def intersect(a: Circle, b: Shape) -> str:
        return "circle first"

    @dispatch
    def intersect(a: Shape, b: Circle) -> str:
        return "circle second"

    @dispatch
    def intersect(a: Rectangle, b: Rectangle) -> str:
        return "rectangles"

    return intersect


def empty(name: str) -> GenericFunction:
    @generic(name=name)
    def f(x): ...

    return f


def parse(page: str) -> ET.Element:
    """A page is well-formed as XML, too, so that any reader understands it."""
    return ET.fromstring(page.replace("<!DOCTYPE html>", ""))


def text_of(element: ET.Element) -> str:
    return "".join(element.itertext())


def tables_of(page: str) -> list[dict[tuple[str, ...], str]]:
    """The cells of each table of types, by the texts of their headers."""
    tables = []
    for table in parse(page).iter("table"):
        if "grid" not in table.get("class", "").split():
            continue
        one = "one" in table.get("class", "").split()
        columns = [text_of(th) for th in table.find("thead/tr")][1:]
        cells = {}
        for row in table.iter("tr"):
            head, *rest = list(row)
            if head.get("scope") != "row":
                continue
            if one:
                cells[text_of(head),] = text_of(rest[0])
                continue
            for column, cell in zip(columns, rest, strict=True):
                cells[text_of(head), column] = text_of(cell)
        tables.append(cells)
    return tables


def items(page: str, kind: str) -> list[str]:
    return [
        " ".join(text_of(li).split())
        for one in parse(page).iter()
        if one.get("class") == kind
        for li in one.iter("li")
    ]


# ------------------------------------------------------------------ the page


def test_a_page_stands_alone() -> None:
    page = intersections().report()
    assert page.startswith("<!DOCTYPE html>")
    names = {element.tag for element in parse(page).iter()}
    assert not names & {"script", "link", "img", "iframe", "object"}
    assert "http" not in page and "url(" not in page and "@import" not in page


def test_headings_go_down_one_step_at_a_time() -> None:
    f = intersections()
    for page in (f.report(), module_page("all", [f, f])):
        levels = [
            int(e.tag[1]) for e in parse(page).iter() if re.fullmatch(r"h\d", e.tag)
        ]
        assert levels[0] == 1 and levels.count(1) == 1
        steps = [b - a for a, b in zip(levels, levels[1:], strict=False)]
        assert max(steps) <= 1


def test_tables_have_headers_and_captions() -> None:
    for table in parse(intersections().report()).iter("table"):
        assert text_of(table.find("caption")).startswith("Methods of intersect")
        for head in table.iter("th"):
            assert head.get("scope") in ("row", "col")


def test_what_scrolls_can_be_scrolled_by_keyboard() -> None:
    for one in parse(intersections().report()).iter():
        if one.get("class") == "scroll":
            assert one.get("tabindex") == "0" and one.get("aria-label")


def test_the_page_is_made_for_small_screens_and_the_dark() -> None:
    page = intersections().report()
    assert '<meta name="viewport"' in page
    assert "prefers-color-scheme:dark" in page


def test_every_name_is_escaped() -> None:
    evil = type("<b>&'\"", (), {})
    f = empty("<i>")
    f.register(evil, lambda x: "<script>")
    page = f.report()
    assert not {"b", "i", "script"} & {element.tag for element in parse(page).iter()}
    assert tables_of(page) == [{("<b>&'\"",): "1"}]


# ------------------------------------------------------------------ the tables


def number_of(f: GenericFunction, *types: type) -> str:
    """What stands in a cell: by resolve()."""
    try:
        return str(f.methods.index(f.resolve(*types)) + 1)
    except latebind.AmbiguousMethodError as error:
        return "|".join(str(f.methods.index(m) + 1) for m in error.candidates[-2:])
    except latebind.NoMethodError:
        return "–"


def test_each_cell_names_the_method_that_runs() -> None:
    f = intersections()
    [table] = tables_of(f.report())
    classes = {c.__name__: c for c in (Shape, Circle, Rectangle, Square)}
    assert len(table) == 16
    for (a, b), text in table.items():
        assert text == number_of(f, classes[a], classes[b])
    assert table["Circle", "Circle"] == "2|3"


def test_subclasses_that_no_method_names_have_rows() -> None:
    @dispatch
    def f(x: Rectangle) -> None: ...

    assert tables_of(f.report()) == [{("Rectangle",): "1", ("Square",): "1"}]


def test_each_form_of_call_has_a_table() -> None:
    @dispatch
    def f(x: int) -> None: ...
    @dispatch
    def f(x: int, y: str) -> None: ...
    @dispatch
    def f(x: int, *, k: str) -> None: ...
    @dispatch
    def f() -> None: ...

    page = f.report()
    assert tables_of(page) == [
        {("int",): "1"},
        {("int", "str"): "2"},
        {("int", "str"): "3"},
    ]
    titles = [text_of(e) for e in parse(page).iter("h3")]
    assert titles == ["1 argument", "2 arguments", "1 argument, k="]
    assert "With 0 arguments: 4 f() runs." in " ".join(text_of(parse(page)).split())


def test_forms_that_differ_in_nothing_are_one() -> None:
    @dispatch
    def f(x: int, y=1, z=2) -> None: ...

    page = f.report()
    assert tables_of(page) == [{("int",): "1"}]
    assert ">1 to 3 arguments<" not in page  # the only form needs no heading


def test_further_arguments_are_held_at_the_class_that_most_methods_name() -> None:
    @dispatch
    def f(a: int, b: int, c: str) -> None: ...
    @dispatch
    def f(a: str, b: int, c: str) -> None: ...
    @dispatch
    def f(a: int, b: int, c: bytes) -> None: ...

    page = f.report()
    [table] = tables_of(page)
    assert (table["int", "int"], table["str", "int"]) == ("1", "2")
    assert "c is held at str" in " ".join(text_of(parse(page)).split())


def test_methods_that_look_at_values_leave_a_mark() -> None:
    @dispatch
    def f(x: int) -> None: ...
    @dispatch
    def f(x: Literal[1]) -> None: ...

    assert tables_of(f.report()) == [{("int",): "1?"}]


def test_where_values_decide_alone_their_methods_are_named() -> None:
    @dispatch
    def f(x: list[int]) -> None: ...
    @dispatch
    def f(x: Literal["a"]) -> None: ...
    @dispatch
    def f(x: Literal["b"]) -> None: ...

    page = f.report()
    assert tables_of(page) == [{("list",): "1?", ("str",): "2|3?"}]
    assert "depends on the value" in page and "no method" not in page
    assert [one.count("1 cell ") for one in items(page, "methods")] == [1, 1, 1]


def test_no_test_of_a_value_is_asked() -> None:
    asked = []

    @dispatch
    def f(x: Annotated[int, asked.append]) -> None: ...
    @dispatch
    def f(x: int) -> None: ...

    asked.clear()  # of literals in other tests, by what compares hints
    f.report()
    assert asked == []


def test_methods_that_differ_in_what_a_call_leaves_out_are_tied() -> None:
    @dispatch(silent=True)
    def f(x: int, y: int = 0) -> None: ...
    @dispatch
    def f(x: int, *, z: str = "") -> None: ...

    one, *_more = tables_of(f.report())
    assert one == {("int",): "1|2"}


def test_a_cell_shows_the_primary_method() -> None:
    @dispatch
    def f(x: Shape) -> None: ...
    @f.register(around=True)
    def wrap(x: Shape, *, next_method) -> None: ...
    @f.register(before=True)
    def log(x: Circle) -> None: ...

    page = f.report()
    assert set(tables_of(page)[0].values()) == {"1"}
    assert [one.split(" ", 1)[0] for one in items(page, "methods")] == ["1", "2", "3"]
    assert "before · 1 cell" in items(page, "methods")[2]


def test_the_chain_of_a_cell_says_what_is_not_asked_for() -> None:
    @dispatch
    def f(x: object) -> None: ...
    @dispatch
    def f(x: Shape, *, next_method) -> None: ...
    @dispatch
    def f(x: Circle) -> None: ...

    found = [
        title.split("\n")
        for title in re.findall(r'<td[^>]* title="([^"]*)"', f.report())
    ]
    titles = {call.rpartition(".")[2]: chain for call, *chain in found}
    assert titles["Circle)"] == [
        "3 f(x: Circle)",
        "2 f(x: Shape, *, next_method) (would be next, but is not asked for)",
        "1 f(x: object) (would be next, but is not asked for)",
    ]
    assert titles["Shape)"] == ["2 f(x: Shape, *, next_method)", "1 f(x: object)"]


def test_a_call_that_a_base_class_takes_is_marked() -> None:
    class Base:
        @dispatch
        def f(self, x: int) -> None: ...

    class Derived(Base):
        @dispatch
        def f(self, x: str) -> None: ...
        @dispatch
        def f(self, x: bytes) -> None: ...

    assert tables_of(vars(Derived)["f"].report()) == [{("str",): "1", ("bytes",): "2"}]


def test_classes_of_one_name_are_told_apart() -> None:
    one = type("Twin", (), {"__module__": "first"})
    other = type("Twin", (), {"__module__": "second"})
    f = empty("f")
    f.register(one, lambda x: 1)
    f.register(other, lambda x: 2)
    assert tables_of(f.report()) == [{("first.Twin",): "1", ("second.Twin",): "2"}]


def test_many_classes_leave_out_the_unnamed_ones() -> None:
    base = type("ManyBase", (), {})
    many = [type(f"Many{i}", (base,), {}) for i in range(100)]
    f = empty("f")
    f.register(base, lambda x: 1)
    f.register(many[3], lambda x: 1)
    assert list(tables_of(f.report())[0]) == [("ManyBase",), ("Many3",)]
    for one in many:
        f.register(one, lambda x: 1)
    page = f.report()
    assert len(tables_of(page)[0]) == 60
    assert "41 classes left out" in text_of(parse(page))
    assert "too many to draw" not in page  # 60 are not


# ------------------------------------------------------------------ the rest


def test_methods_are_listed_with_documentation_and_place() -> None:
    first, *_ = items(intersections().report(), "methods")
    assert first.startswith("1 intersect(a: Shape, b: Shape) Any two. ")
    assert re.search(r"5 cells · test_report\.py:\d+$", first)


def test_ambiguities_are_listed_with_the_missing_method() -> None:
    [one] = items(intersections().report(), "ambiguities")
    assert "ambiguous e.g. for (Circle, Circle)" in one
    assert "def intersect(a: Circle, b: Circle): ..." in one


def nodes_of(page: str) -> set[str]:
    return {
        text_of(g.find("text"))
        for g in parse(page).iter("g")
        if g.get("class", "").startswith("node")
    }


def edges_of(page: str) -> list[str]:
    return sorted(p.get("class").split()[1] for p in parse(page).iter("path"))


def test_the_drawing_has_each_class_and_its_bases() -> None:
    @dispatch
    def f(x: Square) -> None: ...

    page = f.report()
    assert nodes_of(page) == {"Shape", "Rectangle", "Square"}
    assert edges_of(page) == ["first", "first"]
    [svg] = parse(page).iter("svg")
    assert svg.get("role") == "img" and "3 classes" in svg.get("aria-label")


def test_the_drawing_tells_bases_from_abstract_classes() -> None:
    class Drawn(abc.ABC):  # noqa: B024
        pass

    class Left:
        pass

    class Right:
        pass

    class Both(Left, Right):
        pass

    Drawn.register(Both)

    @dispatch
    def f(x: Left) -> None: ...
    @dispatch
    def f(x: Right) -> None: ...
    @dispatch
    def f(x: Drawn) -> None: ...

    assert edges_of(f.report()) == ["first", "more", "virtual"]


def test_protocols_and_library_classes_are_drawn_without_their_scaffolding() -> None:
    @runtime_checkable
    class Sized(Protocol):
        def __len__(self) -> int: ...

    @dispatch
    def f(x: Sized) -> None: ...
    @dispatch
    def f(x: Sequence) -> None: ...
    @dispatch
    def f(x: list) -> None: ...

    name = Sized.__qualname__
    assert nodes_of(f.report()) == {name, "Sequence", "list"}


def test_a_function_without_methods_has_a_page() -> None:
    @generic
    def f(x: int) -> int:
        """Declared only."""

    page = f.report()
    assert "It has no methods." in page and "Declared only." in page


def test_definitions_that_wait_for_a_name_are_mentioned() -> None:
    @dispatch
    def f(x: int) -> None: ...
    @dispatch
    def f(x: Nowhere) -> None: ...  # noqa: F821

    page = f.report()
    assert "Not all methods are there" in page and "Nowhere" in page


# ------------------------------------------------------------------ counted calls


def test_counted_calls_are_shown_by_method_and_by_types() -> None:
    f = intersections()
    f.counting = True
    for _ in range(1500):
        f(Circle(), Square())
    f(Square(), Square())
    with pytest.raises(latebind.AmbiguousMethodError):
        f(Circle(), Circle())
    f.counting = False
    f(Circle(), Square())
    page = f.report()
    methods, calls = tables_of(page)
    assert methods.keys() == calls.keys()
    shown = {key: text for key, text in calls.items() if text}
    assert shown == {
        ("Circle", "Square"): "1.5k",
        ("Square", "Square"): "1",
        ("Circle", "Circle"): "1",
    }
    assert "1,502 calls counted" in text_of(parse(page))
    assert "1,500 calls" in items(page, "methods")[1]


def test_calls_count_for_all_methods_that_they_run() -> None:
    @dispatch
    def f(x: Shape) -> None: ...
    @f.register(before=True)
    def log(x: Circle) -> None: ...
    @dispatch(combination="list")
    def g(x: Shape) -> None: ...
    @dispatch
    def g(x: Circle) -> None: ...

    for one in (f, g):
        one.counting = True
        one(Circle())
        one(Rectangle())
    assert ["2 calls" in line for line in items(f.report(), "methods")] == [1, 0]
    assert ["1 call " in line for line in items(f.report(), "methods")] == [0, 1]
    assert ["2 calls" in line for line in items(g.report(), "methods")] == [1, 0]
    assert ["1 call " in line for line in items(g.report(), "methods")] == [0, 1]


def test_calls_of_each_form_are_in_its_table() -> None:
    @dispatch
    def f(x: int) -> None: ...
    @dispatch
    def f(*, x: int) -> None: ...
    @dispatch
    def f(x: int, y: object) -> None: ...
    @dispatch
    def f(*, y: int, x: str) -> None: ...

    f.counting = True
    f(1)
    for _ in range(2):
        f(x=1)
    for _ in range(3):
        f(1, "any")
    f(x="a", y=1)
    f(y=1, x="a")
    shown = [
        text_of(cell)
        for table in parse(f.report()).iter("table")
        for cell in table.iter("td")
        if cell.get("class", "").startswith("heat")
    ]
    assert shown == ["1", "3", "2", "2"]
    assert "8 calls counted" in f.report()
    assert [re.findall(r"\d+ calls?", one) for one in items(f.report(), "methods")] == [
        ["1 call"],
        ["2 calls"],
        ["3 calls"],
        ["2 calls"],
    ]


def test_types_that_were_only_seen_in_calls_have_rows() -> None:
    @dispatch
    def f(x: int) -> None: ...

    f.counting = True
    f(True)
    assert tables_of(f.report()) == [{("int",): "1", ("bool",): "1"}]


def test_a_report_counts_nothing_itself() -> None:
    f = intersections()
    f.counting = True
    f(Shape(), Shape())
    before = dict(f.counts)
    f.report()
    assert f.counts == before


# ------------------------------------------------------------------ notebooks


def test_a_notebook_gets_an_element_with_its_own_styles() -> None:
    f = intersections()
    shown = f._repr_html_()
    root = parse(shown)
    assert (root.tag, root.get("class")) == ("div", "latebind")
    assert tables_of(shown) == tables_of(f.report())


def test_the_styles_touch_nothing_else() -> None:
    bare = re.sub(r"\{[^{}]*\}", "{}", STYLE)
    bare = re.sub(r"@media[^{]*\{", "", bare).replace("}", "")
    selectors = [one.strip() for rule in bare.split("{") for one in rule.split(",")]
    assert len(selectors) > 50
    assert [one for one in selectors if one and ".latebind.latebind" not in one] == []


# ------------------------------------------------------------------ in a browser


def browser() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("neither chromium nor google-chrome is installed")


@pytest.mark.heavy
def test_a_browser_shows_the_page_as_it_is_written(tmp_path: Path) -> None:
    f = intersections()
    page = tmp_path / "page.html"
    page.write_text(module_page("shapes", [f, f]))
    done = subprocess.run(
        [
            browser(),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    seen = done.stdout
    for tag in (
        "table",
        "td",
        "th",
        "svg",
        "path",
        "rect",
        "h2",
        "h3",
        "li",
        "section",
    ):
        assert seen.count(f"<{tag}") == page.read_text().count(f"<{tag}"), tag
    # What a browser does not understand it closes early or moves elsewhere.
    body = re.search(r"<main>.*</main>", seen, re.DOTALL)
    assert body is not None
    written = re.search(r"<main>.*</main>", page.read_text(), re.DOTALL)
    assert " ".join(re.sub(r"<[^>]*>", " ", body[0]).split()) == " ".join(
        re.sub(r"<[^>]*>", " ", written[0]).replace("&#160;", "&nbsp;").split()
    )
