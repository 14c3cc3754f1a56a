#!/usr/bin/env python3
"""Check that each folder includes only headers of folders below it.

    check-layers.py [ROOT]        report offending includes as file:line
    check-layers.py --self-test   prove on a temporary tree that it would

Rules, for every C, C++ and Objective-C file:

1.  src/ROOM includes its own headers, those of the rooms in LAYERS[ROOM], and
    public headers.
2.  include/latebind includes only public headers, and never in a circle.
3.  The folders in OUTSIDE use the public API alone: public headers and files
    of their own folder; bench/ may also measure what examples/ holds.
    ops/ has rooms of its own: ops/src/ROOM as in rule 1 by OPS_LAYERS, with the
    headers that lie in ops/src for all of them; a plug-in uses public headers,
    its own, and those of ops/plugins/gpu.
4.  tests/ may include anything; those that look inside are listed.

System headers, written <like.h>, are no concern of this check unless the name
happens to lead to a file of ours.
"""

import re
import sys
import tempfile
from pathlib import Path

LAYERS = {
    "base": [],
    "core": ["base"],
    "object": ["core", "base"],
    "generic": ["core", "base"],
    "inspect": ["object", "generic", "core", "base"],
}
OPS_LAYERS = {
    "tensor": [],
    "dispatch": ["tensor"],
    "operators": ["dispatch", "tensor"],
    "cpu": ["operators", "dispatch", "tensor"],
    "layers": ["operators", "dispatch", "tensor"],
    "models": ["operators", "dispatch", "tensor"],
}
PUBLIC = {"include", "ops/include"}
OUTSIDE = ["ops", "tools", "python", "cli", "examples", "bench"]
SUFFIXES = {".c", ".h", ".cc", ".cpp", ".hpp", ".m", ".inc"}

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)


def includes(path):
    """Yield (line, is_quoted, name) for each include of a file."""
    text = path.read_text(encoding="utf-8", errors="replace")
    # Blank comments out, keeping their newlines so that lines stay true.
    text = COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    for match in INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield line, match[1] == '"', match[2]


def code_files(folder):
    return sorted(p for p in folder.rglob("*") if p.suffix in SUFFIXES)


def resolve(root, path, quoted, name):
    """The file of ours that an include leads to, or None."""
    places = [root / "include", root / "ops/include", root / "src", root]
    if path.is_relative_to(root / "ops/src"):
        places.insert(0, root / "ops/src")
    if quoted:
        places.insert(0, path.parent)
    for place in places:
        target = (place / name).resolve()
        if target.is_file() and target.is_relative_to(root):
            return target.relative_to(root)
    return None


def home(relative):
    """The folder that a file belongs to: 'include', 'src/core', 'bench'."""
    parts = relative.parts
    if parts[0] == "src" and len(parts) > 2:
        return "src/" + parts[1]
    if parts[0] == "ops" and len(parts) > 2:
        deep = len(parts) > 3 and parts[1] != "include"
        return "/".join(parts[:3] if deep else parts[:2])
    return parts[0]


def allowed_homes(own):
    if own == "include":
        return {"include"}
    if own.startswith("src/"):
        below = LAYERS.get(own[4:], [])
        return {own, "include"} | {"src/" + room for room in below}
    if own == "ops/include":
        return PUBLIC
    if own.startswith("ops/src/"):
        below = OPS_LAYERS.get(own[8:], [])
        return PUBLIC | {own, "ops/src"} | {"ops/src/" + room for room in below}
    if own.startswith("ops/plugins/"):
        return PUBLIC | {own, "ops/plugins/gpu"}
    if own == "bench":
        return PUBLIC | {own, "examples"}
    return PUBLIC | {own}


class Report:
    def __init__(self):
        self.problems = []
        self.insiders = []


def check_file(root, path, report):
    """Apply rules 1 to 4 to one file."""
    relative = path.relative_to(root)
    own = home(relative)
    looks_inside = False
    for line, quoted, name in includes(path):
        where = f"{relative}:{line}"
        target = resolve(root, path, quoted, name)
        if target is None:
            ours = own.startswith("src/") or own == "include"
            if ours and (quoted or name.startswith("latebind/")):
                report.problems.append(f'{where}: no such header "{name}"')
            continue
        there = home(target)
        if own == "tests":
            inside = there.startswith(("src", "ops/src"))
            looks_inside = looks_inside or inside
        elif there not in allowed_homes(own):
            report.problems.append(
                f"{where}: {own} may not include {target.as_posix()}"
            )
    if looks_inside:
        report.insiders.append(relative.as_posix())


def check_circles(root, report):
    """Rule 2: find a circle among the public headers, by depth first search."""
    done, trail = set(), []

    def visit(path):
        trail.append(path)
        for line, quoted, name in includes(path):
            target = resolve(root, path, quoted, name)
            if target is None or home(target) != "include":
                continue
            target = root / target
            if target in trail:
                circle = [p.name for p in trail[trail.index(target) :]]
                report.problems.append(
                    f"{path.relative_to(root)}:{line}: circle of headers: "
                    + " -> ".join(circle + [target.name])
                )
            elif target not in done:
                visit(target)
        done.add(trail.pop())

    for path in code_files(root / "include"):
        if path not in done:
            visit(path)


def check(root):
    root = root.resolve()
    report = Report()
    for room in sorted((root / "src").glob("*/")):
        if room.is_dir() and room.name not in LAYERS and code_files(room):
            report.problems.append(
                f"src/{room.name}:1: a room that LAYERS in "
                "scripts/check-layers.py does not know"
            )
    for room in sorted((root / "ops/src").glob("*/")):
        if room.is_dir() and room.name not in OPS_LAYERS and code_files(room):
            report.problems.append(
                f"ops/src/{room.name}:1: a room that OPS_LAYERS in "
                "scripts/check-layers.py does not know"
            )
    for folder in ["include", "src", "tests", *OUTSIDE]:
        for path in code_files(root / folder):
            check_file(root, path, report)
    check_circles(root, report)
    return report


# What the self-test writes: path, text, and the report it must cause, if any.
SELF_TEST = [
    ("include/latebind/a.h", "#include <stdint.h>\n#include <latebind/b.h>\n", None),
    ("include/latebind/b.h", '\n#include "a.h"\n', "b.h:2: circle"),
    ("include/latebind/c.h", '#include "../../src/core/core.h"\n', "c.h:1: include"),
    ("src/base/base.h", "#include <stddef.h>\n", None),
    ("src/base/up.c", '/* "x" */\n\n#include "core/core.h"\n', "up.c:3: src/base"),
    ("src/core/core.h", '#include "base/base.h"\n', None),
    ("src/core/fine.c", '// #include "generic/generic.h"\n#include "core.h"\n', None),
    ("src/core/gone.c", '#include "base/gone.h"\n', "gone.c:1: no such header"),
    ("src/generic/generic.h", '#include "../core/core.h"\n', None),
    ("src/object/side.c", '#include "generic/generic.h"\n', "side.c:1: src/object"),
    ("src/inspect/fine.c", '#include "generic/generic.h"\n', None),
    ("src/attic/old.c", "int lbi_old;\n", "src/attic:1: a room"),
    ("ops/fine.c", "#include <latebind/a.h>\n#include <glib.h>\n", None),
    ("ops/include/latebind/o.h", "#include <latebind/a.h>\n", None),
    ("ops/src/all.h", "#include <latebind/o.h>\n", None),
    ("ops/src/tensor/t.h", '#include "all.h"\n', None),
    ("ops/src/tensor/up.c", '\n#include "cpu/c.h"\n', "tensor/up.c:2: ops/src/tensor"),
    ("ops/src/cpu/c.h", '#include "tensor/t.h"\n', None),
    ("ops/src/loft/l.c", "int lboi_l;\n", "ops/src/loft:1: a room"),
    ("ops/plugins/gpu/g.h", "#include <latebind/o.h>\n", None),
    ("ops/plugins/cuda/in.c", '#include "../../src/all.h"\n', "in.c:1: ops/plugins"),
    ("ops/plugins/cuda/fine.c", '#include "../gpu/g.h"\n', None),
    ("cli/own.h", "", None),
    ("cli/main.c", '#include "own.h"\n#include "core/core.h"\n', "main.c:2: cli"),
    ("bench/peek.c", "#include <../src/base/base.h>\n", "peek.c:1: bench"),
    ("bench/fine.c", '#include "../examples/job.h"\n', None),
    ("examples/job.h", "", None),
    ("examples/steal.c", '#include "../cli/own.h"\n', "steal.c:1: examples"),
    ("tests/unit/test_in.c", '#include "core/core.h"\n', None),
    ("tests/unit/test_out.c", "#include <latebind/a.h>\n", None),
]


def self_test():
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for path, text, _ in SELF_TEST:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        report = check(root)
    wanted = [want for _, _, want in SELF_TEST if want]
    missed = [w for w in wanted if not any(w in p for p in report.problems)]
    extra = [p for p in report.problems if not any(w in p for w in wanted)]
    if report.insiders != ["tests/unit/test_in.c"]:
        extra.append(f"insiders: {report.insiders}")
    for problem in missed:
        print(f"not reported: {problem}")
    for problem in extra:
        print(f"reported wrongly: {problem}")
    print(f"{len(wanted) - len(missed)} of {len(wanted)} offences reported")
    return 1 if missed or extra else 0


def main():
    if "--self-test" in sys.argv:
        return self_test()
    root = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent
    report = check(Path(root))
    if report.insiders:
        print("tests that look inside:")
        for path in report.insiders:
            print(f"  {path}")
    for problem in report.problems:
        print(problem)
    print(f"{len(report.problems)} includes against the layers")
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
