"""A page of HTML about generic functions: which method runs for which types.

1.  Each method gets a number, by definition, and a colour; both are the same in all
    of its function's tables.
2.  For each form of call (`_calls`) there is a table: the classes of the first two
    arguments that decide, or of the one. Every cell is explained by the engine;
    no user code runs but what `issubclass` asks of abstract classes.
3.  Counted calls (`generic.counting = True`) are shown beside the methods and in
    the tables.
4.  Ambiguities with the method that is missing, and the classes in SVG.

One file: no scripts, nothing from a network, light and dark by the reader's
setting. All styles are bound to one class, so that a notebook can show the same.
Cost: some ten microseconds for each cell.
"""

from __future__ import annotations

import os
from html import escape

from latebind import _explain, _generic
from latebind._calls import (
    Form,
    classes_at,
    classes_in,
    forms_of,
    hint_at,
    in_families,
    parents_among,
)
from latebind._core import Hint
from latebind._errors import call_text, method_text, type_name
from latebind._graph import draw
from latebind._style import STYLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from latebind._core import GenericFunction, Method
    from latebind._explain import Ambiguity

_AXIS = 24  # classes in a row of a table, unless methods name more
_MOST = 60  # classes in a row of a table at all
_GRAPH = 80  # classes in a drawing
_TIED, _DEPENDS = 3, 9  # of the engine's verdicts
_LISTED = 100  # ambiguities
_HOW = (
    "The number and the colour of a cell are those of the method that runs first; "
    "framed where it names exactly these classes. Point at a cell for the whole chain."
)


# ------------------------------------------------------------------ small pieces


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _many(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _colour(number: int) -> str:
    """The first few hues lie far apart, and a method keeps its own when others are
    added; neighbours also differ in lightness."""
    return f"--h:{(245 + int(number * 137.508)) % 360};--s:{number % 3}"


def _chip(number: int) -> str:
    return f'<span class="chip m" style="{_colour(number)}">{number + 1}</span>'


def _scroll(label: str, inner: str) -> str:
    """What is wider than a phone scrolls by itself, by keyboard as well."""
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(label)}">'
        f"{inner}</div>"
    )


def _first_line(text: object) -> str:
    if not isinstance(text, str):
        return ""
    return text.strip().partition("\n")[0].strip()


def _names(classes: Iterable[type]) -> Callable[[type], str]:
    """Qualified names; of two that are called the same, with the module."""
    alike: dict[str, set[type]] = {}
    for cls in classes:
        alike.setdefault(cls.__qualname__, set()).add(cls)

    def name(cls: type) -> str:
        if cls is type(None):
            return "None"
        plain = cls.__qualname__
        return f"{cls.__module__}.{plain}" if len(alike.get(plain, ())) > 1 else plain

    return name


# ------------------------------------------------------------------ cells


class _Cell:
    """What a call with these types runs."""

    __slots__ = (
        "by_value",
        "calls",
        "chain",
        "depends",
        "exact",
        "inherits",
        "number",
        "tied",
        "types",
    )

    def __init__(self, view: _View, form: Form, types: tuple[type, ...]) -> None:
        link, items = view.generic._explain(types, form.names or None, None)
        numbers = view.numbers
        is_ok = _explain.status_of(link) == "ok"
        self.types = types
        self.chain = _explain.chain_of(link) if is_ok else ()
        primary = [one for one in self.chain if one.qualifier == "primary"]
        runs = next(iter(primary or self.chain), None)
        self.number = None if runs is None else numbers[runs]
        found = [one for one, verdict, *_rest in items if verdict == _DEPENDS]
        self.by_value = sorted({numbers[one] for one in found if one in numbers})
        self.depends = bool(found)
        self.tied: list[int] = []
        if _explain.status_of(link) == "ambiguous":
            found = [one for one, verdict, *_rest in items if verdict <= _TIED]
            both = [tied for one in found for tied in one.tied or (one,)]
            self.tied = sorted({numbers[one] for one in both if one in numbers})
        self.inherits = None
        if link.kind == _explain._INHERIT:
            self.inherits = _explain._inherited(view.generic, types)
        self.exact = runs is not None and all(
            (hint_at(runs, form, i) or view.anything).cls is types[i]
            for i in form.slots
        )
        self.calls = 0

    def takes_part(self, view: _View) -> Iterator[int]:
        """The method that it shows, and those that run with it."""
        code = view.generic.combination_code
        runs_all = code not in (_explain._STANDARD, _explain._FIRST)
        for one in self.chain:
            number = view.numbers[one]
            if runs_all or number == self.number or one.qualifier != "primary":
                yield number

    @property
    def said(self) -> str:
        """What stands for a method where none is sure to run."""
        if self.tied:
            return "ambiguous"
        return self.inherits or (
            "depends on the value" if self.by_value else "no method"
        )

    def title(self, view: _View, form: Form) -> str:
        names = [type_name(cls) for cls in self.types]
        call = call_text(view.generic, names, list(form.names))
        lines = [call] if self.chain else [f"{call}: {self.said}"]
        reached = _explain.reached_in(view.generic, self.chain)
        for one in self.chain:
            mark = "" if one.qualifier == "primary" else f" [{one.qualifier}]"
            more = "" if one in reached else " (would be next, but is not asked for)"
            lines.append(f"{view.numbers[one] + 1}{mark} {view.text(one)}{more}")
        lines += [f"{n + 1} {view.text(view.methods[n])}" for n in self.tied]
        lines += [f"{n + 1}? {view.text(view.methods[n])}" for n in self.by_value]
        if self.inherits:
            lines.append(f"then {self.inherits} of the base class")
        return "\n".join(lines)

    def html(self, view: _View, form: Form) -> str:
        title = f'title="{escape(self.title(view, form))}"'
        more = "<sup>?</sup>" if self.depends else ""
        if self.number is not None:
            kind = "m exact" if self.exact else "m"
            style = f'style="{_colour(self.number)}"'
            return f'<td class="{kind}" {style} {title}>{self.number + 1}{more}</td>'
        if self.tied:
            names = "|".join(str(n + 1) for n in self.tied[:3])
            style = f'style="{_stripes(self.tied)}"'
            return f'<td class="tie" {style} {title}>{names}{more}</td>'
        mark = "|".join(str(n + 1) for n in self.by_value[:3]) or "–"
        mark = "↑" if self.inherits else mark
        return f'<td class="none" {title}>{mark}{more}</td>'


def _stripes(tied: list[int]) -> str:
    a, b = tied[0], tied[-1]
    return (
        f"--a:{_colour(a)[4:].partition(';')[0]};--b:{_colour(b)[4:].partition(';')[0]}"
    )


class _Table:
    """The cells of one form of call; `fixed` stand for arguments that do not vary."""

    def __init__(self, view: _View, form: Form) -> None:
        self.form = form
        self.axes = form.slots[:2]
        self.left_out = 0
        counted = view.counted(form)
        self.classes: list[list[type]] = []
        for place, i in enumerate(self.axes):
            seen = dict.fromkeys(types[place] for types in counted)
            classes = classes_at(form, i, seen, _AXIS)
            self.left_out += max(0, len(classes) - _MOST)
            self.classes.append(classes[:_MOST])
        self.fixed = {i: _most_named(form, i) for i in form.slots[2:]}
        self.cells = {key: _Cell(view, form, self._types(key)) for key in self._keys()}
        for types, calls in counted.items():
            self._count(types, calls)

    def _keys(self) -> Iterator[tuple[type, ...]]:
        if len(self.axes) == 1:
            yield from ((cls,) for cls in self.classes[0])
        elif self.axes:
            yield from ((a, b) for a in self.classes[0] for b in self.classes[1])

    def _types(self, key: tuple[type, ...]) -> tuple[type, ...]:
        """Of all arguments; those that do not decide are any object."""
        given = dict(zip(self.axes, key, strict=True)) | self.fixed
        count = self.form.positional + len(self.form.names)
        return tuple(given.get(i, object) for i in range(count))

    def _count(self, types: tuple[type, ...], calls: int) -> None:
        """Calls with other types in arguments that are fixed here count as well."""
        cell = self.cell_of(types)
        if cell is not None:
            cell.calls += calls

    def cell_of(self, types: tuple[type, ...] | None) -> _Cell | None:
        return None if types is None else self.cells.get(types[: len(self.axes)])

    @property
    def calls(self) -> int:
        return sum(cell.calls for cell in self.cells.values())


def _types_in(form: Form, key: tuple[Any, ...]) -> tuple[type, ...] | None:
    """Of a counted call the types of what decides; None: it has another form."""
    _method, names, *types = key
    positional = len(types) - len(names)
    if positional not in form.counts or tuple(sorted(names)) != form.names:
        return None
    by_name = dict(zip(names, types[positional:], strict=True))
    ordered = [*types[:positional], *(by_name[name] for name in form.names)]
    return tuple(ordered[i] for i in form.slots)


def _most_named(form: Form, i: int) -> type:
    """The class that most methods name at an argument."""
    votes: dict[type, int] = {}
    for method in form.methods:
        if hint_at(method, form, i) is not None:
            for cls in classes_in(hint_at(method, form, i)):
                votes[cls] = votes.get(cls, 0) + 1
    return max(votes, key=votes.__getitem__)


# ------------------------------------------------------------------ one function


class _View:
    """All that is shown of one generic function."""

    def __init__(self, generic: GenericFunction, explained: bool = False) -> None:
        """`explained`: how to read the tables is said elsewhere."""
        unresolved = _settle(generic)
        self.explained = explained
        self.generic = generic
        self.anything = Hint.any()
        self.unresolved = unresolved
        self.methods: tuple[Method, ...] = generic._methods
        self.numbers = {one: i for i, one in enumerate(self.methods)}
        self.forms = forms_of(generic)
        self.calls: dict[Method, int] = {}
        self.counts = dict(generic.counts or {})
        self.tables = [_Table(self, form) for form in self.forms]
        self.ambiguities: tuple[Ambiguity, ...] = ()
        if unresolved is None:
            self.ambiguities = generic.ambiguities()
        self.name = _names(
            cls for table in self.tables for axis in table.classes for cls in axis
        )
        self._count_methods()

    @property
    def title(self) -> str:
        own = self.generic.__dict__
        return str(own.get("__qualname__") or self.generic.name)

    def text(self, method: Method) -> str:
        return method_text(self.generic, method)

    def counted(self, form: Form) -> dict[tuple[type, ...], int]:
        """Calls of a form by the types of what decides."""
        found: dict[tuple[type, ...], int] = {}
        for key, calls in self.counts.items():
            types = _types_in(form, key)
            if types is not None:
                found[types] = found.get(types, 0) + calls
        return found

    def _count_methods(self) -> None:
        for key, calls in self.counts.items():
            method = key[0]
            ran = [method]
            if method is None:  # several methods at once, or none
                cells = (t.cell_of(_types_in(t.form, key)) for t in self.tables)
                cell = next((one for one in cells if one is not None), None)
                run = [] if cell is None else cell.takes_part(self)
                ran = [self.methods[number] for number in run]
            for one in ran:
                self.calls[one] = self.calls.get(one, 0) + calls

    # -------------------------------------------------------------- its parts

    def html(self, level: int, anchor: str) -> str:
        parts = [f'<section id="{anchor}"><h{level}>{escape(self.title)}</h{level}>']
        parts += self._facts()
        head = f"h{level + 1}"
        parts.append(f"<{head}>Which method runs</{head}>")
        parts += self._tables(level + 2)
        parts.append(f"<{head}>Methods</{head}>")
        parts += self._methods()
        if self.ambiguities:
            parts.append(f"<{head}>Ambiguities</{head}>")
            parts += self._ambiguities()
        parts += self._classes(head)
        parts.append("</section>")
        return "\n".join(parts)

    def _facts(self) -> Iterator[str]:
        g = self.generic
        core = _generic._core_options(g)
        facts = [_many(len(self.methods), "method")]
        for what in ("order", "combination"):
            given = core[what]
            said = (
                given if isinstance(given, str) else getattr(given, "__name__", "own")
            )
            facts.append(f"{str(said).replace('_', ' ')} {what}")
        count = len(self.ambiguities)
        facts.append(
            _many(count, "ambiguity", "ambiguities") if count else "unambiguous"
        )
        if self.counts:
            facts.append(_many(sum(self.counts.values()), "call") + " counted")
        module = g.__dict__.get("__module__")
        home = _code(f"{module}.{self.title}" if module else self.title)
        yield f'<p class="facts">{home} · {" · ".join(map(escape, facts))}</p>'
        own = g.__dict__
        said = own.get("doc") or getattr(own.get("declaration"), "__doc__", None)
        if _first_line(said):
            yield f"<p>{escape(_first_line(said))}</p>"
        if self.unresolved:
            said = escape(f"Not all methods are there: {self.unresolved}")
            yield f'<p class="warn">{said}</p>'

    def _tables(self, level: int) -> Iterator[str]:
        """The heading of a form is needed only when there are several."""
        shown = [table for table in self.tables if table.axes]
        if shown:
            yield self._note(shown)
        for table in self.tables:
            title = escape(table.form.text)
            if not table.axes:
                yield f'<p class="note">With {title}: {self._undecided(table.form)}</p>'
                continue
            if len(self.tables) > 1 or table.form.names:
                yield f"<h{level}>{title[:1].upper()}{title[1:]}</h{level}>"
            yield from self._fixed_note(table)
            yield (
                self._table_of_one(table) if len(table.axes) == 1 else self._grid(table)
            )
            if table.calls and len(table.axes) == 2:
                yield f'<p class="note">{_many(table.calls, "call")}:</p>'
                yield self._heat(table)
        if not self.methods:
            yield '<p class="note">It has no methods.</p>'

    def _note(self, shown: list[_Table]) -> str:
        cells = [cell for table in shown for cell in table.cells.values()]
        said = [] if self.explained else [_HOW]
        if any(cell.tied for cell in cells):
            said.append("Striped: ambiguous between the methods named.")
        if any(cell.said == "no method" for cell in cells if cell.number is None):
            said.append("–: no method.")
        if any(cell.inherits for cell in cells):
            said.append("↑: the base class’s.")
        if any(cell.depends for cell in cells):
            said.append("?: a method that looks at the value may come first.")
        return f'<p class="note">{escape(" ".join(said))}</p>' if said else ""

    def _undecided(self, form: Form) -> str:
        count = form.positional + len(form.names)
        found = _explain.Explanation(self.generic, (object,) * count, form.names, None)
        if found.chosen is None:
            return escape(found.status) + "."
        number = self.numbers[found.chosen]
        return f"{_chip(number)} {_code(self.text(found.chosen))} runs."

    def _fixed_note(self, table: _Table) -> Iterator[str]:
        said = [
            f"{_code(table.form.argument(i))} is held at {_code(self.name(cls))}, the "
            "class that most methods name there."
            for i, cls in table.fixed.items()
        ]
        if table.left_out:
            said.append(f"{_many(table.left_out, 'class', 'classes')} left out.")
        if said:
            yield f'<p class="note">{" ".join(said)}</p>'

    def _caption(self, table: _Table) -> str:
        call = ", ".join(table.form.argument(i) for i in table.axes)
        return f"Methods of {self.title} by the class of {call}"

    def _table_of_one(self, table: _Table) -> str:
        """A row per class: method, signature, calls."""
        counted = table.calls > 0
        head = f'<th scope="col">{escape(table.form.argument(table.axes[0]))}</th>'
        head += '<th scope="col" colspan="2">method</th>'
        head += '<th scope="col" class="number">calls</th>' if counted else ""
        rows = []
        most = max((cell.calls for cell in table.cells.values()), default=0)
        for (cls,), cell in table.cells.items():
            runs = "" if cell.number is None else self.text(self.methods[cell.number])
            if cell.number is None:
                runs = cell.said
            row = f'<th scope="row">{escape(self.name(cls))}</th>'
            row += cell.html(self, table.form)
            runs = escape(runs) if cell.number is None else _code(runs)
            row += f'<td class="text">{runs}</td>'
            row += _heat_cell(cell.calls, most) if counted else ""
            rows.append(f"<tr>{row}</tr>")
        caption = escape(self._caption(table))
        return _scroll(
            self._caption(table),
            f'<table class="grid one"><caption class="hidden">{caption}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>",
        )

    def _grid(self, table: _Table) -> str:
        return self._square(
            table, self._caption(table), lambda c: c.html(self, table.form)
        )

    def _heat(self, table: _Table) -> str:
        most = max(cell.calls for cell in table.cells.values())
        caption = self._caption(table).replace("Methods", "Calls", 1)
        return self._square(table, caption, lambda cell: _heat_cell(cell.calls, most))

    def _square(self, table: _Table, caption: str, html: Callable[[_Cell], str]) -> str:
        rows, columns = table.classes
        first, second = (escape(table.form.argument(i)) for i in table.axes)
        tall = " tall" if len(columns) > 5 else ""
        head = "".join(
            f'<th scope="col"><span>{escape(self.name(cls))}</span></th>'
            for cls in columns
        )
        body = "".join(
            f'<tr><th scope="row">{escape(self.name(a))}</th>'
            f"{''.join(html(table.cells[a, b]) for b in columns)}</tr>\n"
            for a in rows
        )
        return _scroll(
            caption,
            f'<table class="grid{tall}">'
            f'<caption class="hidden">{escape(caption)}</caption>'
            f'<thead><tr><td class="corner">{first}&#160;↓&#160; {second}&#160;→</td>'
            f"{head}</tr></thead><tbody>\n{body}</tbody></table>",
        )

    def _methods(self) -> Iterator[str]:
        uses: dict[int, int] = {}
        for table in self.tables:
            for cell in table.cells.values():
                for number in {*cell.takes_part(self), *cell.by_value}:
                    uses[number] = uses.get(number, 0) + 1
        yield '<ol class="methods">'
        for number, method in enumerate(self.methods):
            yield f"<li>{_chip(number)} <div>{_code(self.text(method))}"
            line = _first_line(getattr(method.function, "__doc__", None))
            if line:
                yield f"<p>{escape(line)}</p>"
            about = " · ".join(self._about(method, uses))
            yield f'<p class="soft">{about}</p></div></li>'
        yield "</ol>"

    def _about(self, method: Method, uses: dict[int, int]) -> Iterator[str]:
        if method.qualifier != "primary":
            yield f"<b>{method.qualifier}</b>"
        if method.commutative:
            yield "commutative"
        if method.propagate:
            yield f"next method at {method.propagate}"
        yield f"{_many(uses.get(self.numbers[method], 0), 'cell')}"
        if self.counts:
            yield _many(self.calls.get(method, 0), "call")
        if method.source:
            short = os.path.basename(method.source)
            yield f'<span title="{escape(method.source)}">{escape(short)}</span>'

    def _ambiguities(self) -> Iterator[str]:
        yield '<ul class="ambiguities">'
        for one in self.ambiguities[:_LISTED]:
            kind = "possible" if one.possible else "certain"
            badge = "if both tests hold" if one.possible else "ambiguous"
            pair = " and ".join(
                f"{_chip(self.numbers[m])} {_code(self.text(m))}"
                for m in (one.first, one.second)
                if m in self.numbers
            )
            witness = ", ".join(self.name(cls) for cls in one.witness)
            text = (
                f'<li class="{kind}"><p>{pair}</p>'
                f'<p><span class="badge">{badge}</span> e.g. for '
                f"{_code(f'({witness})')}"
            )
            if one.code:
                code = escape(one.code)
                yield f"{text}; this method would decide:</p><pre>{code}</pre></li>"
            else:
                yield f"{text}; {escape(one.advice)}.</p></li>"
        yield "</ul>"
        if len(self.ambiguities) > _LISTED:
            yield f'<p class="note">And {len(self.ambiguities) - _LISTED:,} more.</p>'

    def _classes(self, head: str) -> Iterator[str]:
        shown: dict[type, None] = {}
        named: set[type] = set()
        for table in self.tables:
            shown.update(dict.fromkeys(c for axis in table.classes for c in axis))
            for method in table.form.methods:
                for i in table.form.slots:
                    named.update(classes_in(hint_at(method, table.form, i)))
        for cls in list(shown):
            shown.update(dict.fromkeys(c for c in cls.__mro__ if _is_telling(c)))
        classes = in_families(shown)
        if len(classes) < 2:
            return
        if len(classes) > _GRAPH:
            yield f"<{head}>Classes</{head}>"
            yield f'<p class="note">{len(classes)}, too many to draw.</p>'
            return
        bases = {cls: parents_among(cls, classes) for cls in classes}
        if not any(bases.values()):
            return
        yield f"<{head}>Classes</{head}>"
        said = "From base to subclass. Bold: named by a method."
        if any(len(above) > 1 for above in bases.values()):
            said += " Dashed: a second or further base."
        if any(b not in c.__mro__ for c, above in bases.items() for b in above):
            said += " Dotted: registered, or by its methods."
        yield f'<p class="note">{said}</p>'
        yield _scroll(f"Classes of {self.title}", draw(bases, named, self.name))


def _is_telling(cls: type) -> bool:
    """Not what every class has above it, or Python's scaffolding."""
    return cls.__module__ not in ("builtins", "abc", "typing", "collections.abc")


def _settle(generic: GenericFunction) -> str | None:
    """What still waits for a name, in words."""
    try:
        _generic.settle(generic)
    except NameError as error:
        return str(error)
    return None


def _short_count(count: int) -> str:
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if count >= 10 * size:
            return f"{count / size:.0f}{unit}"
        if count >= size:
            return f"{count / size:.1f}{unit}"
    return str(count)


def _heat_cell(calls: int, most: int) -> str:
    """Shaded by magnitude: each doubling is one step."""
    if calls == 0:
        return '<td class="none"></td>'
    share = 0.85 * calls.bit_length() / most.bit_length()
    return (
        f'<td class="heat number" style="--v:{share:.2f}" '
        f'title="{_many(calls, "call")}">{_short_count(calls)}</td>'
    )


# ------------------------------------------------------------------ whole pages


def _document(title: str, body: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        '<meta name="color-scheme" content="light dark"/>\n'
        f"<title>{escape(title)}</title>\n<style>\nbody{{margin:0}}\n{STYLE}</style></head>\n"
        f'<body class="latebind page"><main>\n{body}\n</main></body></html>\n'
    )


def page(generic: GenericFunction) -> str:
    """A page about one generic function: a whole HTML document."""
    view = _View(generic)
    return _document(view.title, view.html(1, "function"))


def inline(generic: GenericFunction) -> str:
    """The same for a notebook: an element with its own styles."""
    view = _View(generic)
    anchor = f"latebind-{id(generic):x}"
    return (
        f'<div class="latebind"><style>{STYLE}</style>\n{view.html(3, anchor)}\n</div>'
    )


def module_page(title: str, generics: Iterable[GenericFunction], said: str = "") -> str:
    """A page about several, with a table of contents. `said`: a remark, as text."""
    views = [_View(generic, explained=True) for generic in generics]
    counted = any(view.counts for view in views)
    rows = []
    for i, view in enumerate(views):
        count = len(view.ambiguities)
        badge = "" if not count else _many(count, "ambiguity", "ambiguities")
        calls = f"{sum(view.counts.values()):,}"
        rows.append(
            f'<tr><th scope="row"><a href="#f{i}">{escape(view.title)}</a></th>'
            f'<td class="number">{len(view.methods)}</td>'
            + (f'<td class="number">{calls}</td>' if counted else "")
            + f'<td><span class="badge">{badge}</span></td></tr>'
        )
    head = '<th scope="col">function</th><th scope="col" class="number">methods</th>'
    head += '<th scope="col" class="number">calls</th>' if counted else ""
    head += "<td></td>"
    facts = [_many(len(views), "generic function")]
    facts.append(_many(sum(len(view.methods) for view in views), "method"))
    remark = f'<p class="note">{escape(f"{said} {_HOW}".strip())}</p>\n'
    body = (
        f"<header><h1>{escape(title)}</h1>\n"
        f'<p class="facts">{" · ".join(facts)}</p>\n{remark}</header>\n'
    )
    if rows:
        body += _scroll(
            "Contents",
            f'<table class="contents"><thead><tr>{head}</tr></thead>'
            f"<tbody>{''.join(rows)}</tbody></table>",
        )
    sections = (view.html(2, f"f{i}") for i, view in enumerate(views))
    return _document(title, "\n".join([body, *sections]))
