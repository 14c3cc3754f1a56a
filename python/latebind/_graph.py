"""A drawing of classes in SVG, from bases on the left to subclasses on the right.

1.  The layer of a class is the longest way to it from a topmost class; an edge
    over several layers gets a bend in each of those between.
2.  Sweeps over the layers, to and fro, order each by the mean height of the
    neighbours (the barycentre) and push its members apart.
3.  Edges are curves: dashed to a second or further base, dotted to an abstract
    class that a class was registered with.
"""

from __future__ import annotations

from html import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_ROW, _BOX, _GAP, _LETTER, _INSET, _MARGIN, _SWEEPS = 34, 24, 56, 7.6, 20, 8, 8


class _Node:
    """A class, or a bend of an edge (cls is None)."""

    __slots__ = ("cls", "inner", "layer", "outer", "y")

    def __init__(self, cls: type | None, layer: int) -> None:
        self.cls = cls
        self.layer = layer
        self.inner: list[_Node] = []  # towards the bases
        self.outer: list[_Node] = []
        self.y = 0.0


class _Edge:
    __slots__ = ("kind", "nodes")

    def __init__(self, kind: str, nodes: list[_Node]) -> None:
        self.kind = kind
        self.nodes = nodes  # from base to subclass, with the bends


def _layers(bases: dict[type, list[type]]) -> dict[type, int]:
    layers = dict.fromkeys(bases, 0)
    for _round in bases:
        changed = False
        for cls, above in bases.items():
            layer = max((layers[one] + 1 for one in above), default=0)
            if layer > layers[cls]:
                layers[cls] = layer
                changed = True
        if not changed:
            break
    return layers


def _kind(cls: type, base: type, place: int) -> str:
    if base not in cls.__mro__:
        return "virtual"
    return "more" if place else "first"


def _connect(bases: dict[type, list[type]]) -> tuple[list[_Node], list[_Edge]]:
    layers = _layers(bases)
    nodes = {cls: _Node(cls, layers[cls]) for cls in bases}
    every = list(nodes.values())
    edges = []
    for cls, above in bases.items():
        for place, base in enumerate(above):
            way = [nodes[base]]
            for layer in range(layers[base] + 1, layers[cls]):
                way.append(_Node(None, layer))
            every += way[1:]
            way.append(nodes[cls])
            for a, b in zip(way, way[1:], strict=False):
                a.outer.append(b)
                b.inner.append(a)
            edges.append(_Edge(_kind(cls, base, place), way))
    return every, edges


def _mean(nodes: list[_Node], else_: float) -> float:
    return sum(one.y for one in nodes) / len(nodes) if nodes else else_


def _spread(row: list[_Node], wanted: list[float]) -> None:
    """Heights near what is wanted, one row apart, in the order that they ask for."""
    order = sorted(range(len(row)), key=lambda i: (wanted[i], i))
    row[:] = [row[i] for i in order]
    heights: list[float] = []
    for i in order:
        heights.append(max(wanted[i], heights[-1] + 1) if heights else wanted[i])
    # Pushed down only so far; now the whole goes back by the mean of that.
    back = sum(h - wanted[i] for h, i in zip(heights, order, strict=True)) / len(row)
    for one, height in zip(row, heights, strict=True):
        one.y = height - back


def _arrange(nodes: list[_Node]) -> list[list[_Node]]:
    rows: list[list[_Node]] = [[] for _ in range(max(n.layer for n in nodes) + 1)]
    for one in nodes:
        rows[one.layer].append(one)
    for row in rows:
        for i, one in enumerate(row):
            one.y = float(i)
    for sweep in range(_SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            near = [one.inner if sweep % 2 == 0 else one.outer for one in row]
            _spread(row, [_mean(n, one.y) for n, one in zip(near, row, strict=True)])
    least = min(one.y for one in nodes)
    for one in nodes:
        one.y = (one.y - least) * _ROW + _MARGIN + _BOX / 2
    return rows


def _columns(
    rows: list[list[_Node]], widths: dict[type, float]
) -> tuple[list[float], list[float], float]:
    """Where each layer begins, how wide it is, and the whole."""
    lefts, sizes, x = [], [], float(_MARGIN)
    for row in rows:
        lefts.append(x)
        sizes.append(max((widths[n.cls] for n in row if n.cls), default=0.0))
        x += sizes[-1] + _GAP
    return lefts, sizes, x - _GAP + _MARGIN


def _path(
    edge: _Edge, lefts: list[float], sizes: list[float], widths: dict[type, float]
) -> str:
    base = edge.nodes[0]
    x, y = lefts[base.layer] + widths[base.cls], base.y  # type: ignore[index]
    parts = [f"M{x:.0f} {y:.1f}"]
    start = lefts[base.layer] + sizes[base.layer]
    if start > x:
        parts.append(f"H{start:.0f}")
    for one in edge.nodes[1:]:
        here, there = start, lefts[one.layer]
        middle = (here + there) / 2
        parts.append(
            f"C{middle:.0f} {y:.1f} {middle:.0f} {one.y:.1f} {there:.0f} {one.y:.1f}"
        )
        y, start = one.y, lefts[one.layer] + sizes[one.layer]
        if one.cls is None:
            parts.append(f"H{start:.0f}")
    return f'<path class="edge {edge.kind}" d="{"".join(parts)}"/>'


def draw(
    bases: dict[type, list[type]],
    marked: Collection[type],
    name: Callable[[type], str],
) -> str:
    """The SVG. `bases`: the edges to draw, for each class; `marked` are bold."""
    nodes, edges = _connect(bases)
    rows = _arrange(nodes)
    widths = {cls: len(name(cls)) * _LETTER + _INSET for cls in bases}
    lefts, sizes, width = _columns(rows, widths)
    height = max(one.y for one in nodes) + _BOX / 2 + _MARGIN
    out = [
        f'<svg role="img" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" '
        f'aria-label="Class graph of {len(bases)} classes">'
    ]
    out += [_path(edge, lefts, sizes, widths) for edge in edges]
    for one in nodes:
        if one.cls is None:
            continue
        x, w = lefts[one.layer], widths[one.cls]
        order = " → ".join(name(c) for c in one.cls.__mro__)
        out.append(
            f'<g class="node{" named" if one.cls in marked else ""}">'
            f"<title>{escape(order)}</title>"
            f'<rect x="{x:.0f}" y="{one.y - _BOX / 2:.1f}" width="{w:.0f}" '
            f'height="{_BOX}" rx="6"/>'
            f'<text x="{x + w / 2:.0f}" y="{one.y + 4.3:.1f}">'
            f"{escape(name(one.cls))}</text></g>"
        )
    return "\n".join([*out, "</svg>"])
