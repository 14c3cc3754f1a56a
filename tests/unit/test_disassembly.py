#!/usr/bin/env python3
"""Check what a call compiles to: one indirect call or jump, and nothing else.

    test_disassembly.py [COMPILER...]     default: gcc clang

The slow path must be a direct call or jump to a cold function outside the hot
part. Compilers that are not installed are skipped, other CPUs too.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

INCLUDE = Path(__file__).resolve().parent.parent.parent / "include"

SOURCE = """
#include "latebind/latebind.h"
typedef struct shape { lb_header head; double size; } shape;
LB_GENERIC(double, area, (ON, const shape *, s));
LB_GENERIC(int, combine, (ON, const shape *, a), (ON, const shape *, b));
LB_GENERIC_VOID(draw, (REF, lb_ref, r), (WITH, int, x));
double call_area(const shape *s);
double call_area(const shape *s) { return area(s); }
int call_combine(const shape *a, const shape *b);
int call_combine(const shape *a, const shape *b) { return combine(a, b); }
void call_draw(lb_ref r, int x);
void call_draw(lb_ref r, int x) { draw(r, x); }
double call_twice(const shape *s);
double call_twice(const shape *s) { return area(s) + area(s); }
"""

# Function, and how many indirect calls and jumps it should have.
EXPECTED = {"call_area": 1, "call_combine": 1, "call_draw": 1, "call_twice": 2}
# More would mean that the look-up was not what it should be.
MOST_INSTRUCTIONS = {"call_area": 20, "call_combine": 34, "call_draw": 28}

INDIRECT = {
    "x86_64": re.compile(r"^(notrack )?(bnd )?(call|jmp)q?\s+\*"),
    "aarch64": re.compile(r"^(blr|br)\s+x"),
}
DIRECT = {
    "x86_64": re.compile(r"^call"),
    "aarch64": re.compile(r"^bl\s"),
}


def functions(listing):
    """The instructions of each function, with relocations put in."""
    result, current = {}, None
    for line in listing.splitlines():
        head = re.match(r"^[0-9a-f]+ <([^>]+)>:", line)
        if head:
            current = result.setdefault(head[1], [])
            continue
        reloc = re.match(r"^\s+[0-9a-f]+: R_\S+\s+(\S+)", line)
        if reloc and current:
            current[-1] += f" @{reloc[1]}"
            continue
        instruction = re.match(r"^\s*[0-9a-f]+:\s+(.*)", line)
        if instruction and current is not None:
            current.append(instruction[1].strip())
    return result


def compile_and_list(compiler, options, folder):
    source, target = folder / "call.c", folder / "call.o"
    source.write_text(SOURCE)
    command = [compiler, "-std=c11", "-O2", *options, f"-I{INCLUDE}"]
    subprocess.run([*command, "-c", str(source), "-o", str(target)], check=True)
    done = subprocess.run(
        ["objdump", "-dr", "--no-show-raw-insn", str(target)],
        check=True,
        capture_output=True,
        text=True,
    )
    return functions(done.stdout)


def problems_of(name, code, machine):
    """What is wrong with the hot part of one function."""
    code = [line for line in code if not re.match(r"^(nop|data16|xchg +%ax)", line)]
    indirect = [line for line in code if INDIRECT[machine].match(line)]
    direct = [line for line in code if DIRECT[machine].match(line)]
    direct = [line for line in direct if line not in indirect]
    wanted = EXPECTED[name]
    if len(indirect) != wanted:
        yield f"{len(indirect)} indirect calls or jumps, expected {wanted}"
    for line in direct:
        if "lb_miss_" not in line and ".cold" not in line and ".text" not in line:
            yield f"an unexpected call: {line}"
    if len(direct) > wanted:
        yield f"{len(direct)} direct calls"
    if len(code) > MOST_INSTRUCTIONS.get(name, 1000):
        yield f"{len(code)} instructions"
    if any("lb_resolve" in line or "lb_look_up" in line for line in code):
        yield "the slow path is in the hot part"


def check(compiler, options, machine):
    """Check one compiler; the number of problems."""
    with tempfile.TemporaryDirectory() as folder:
        found = compile_and_list(compiler, options, Path(folder))
    bad = 0
    for name in EXPECTED:
        code = found.get(name, [])
        for problem in problems_of(name, code, machine):
            bad += 1
            print(f"{compiler} {' '.join(options)} {name}: {problem}")
            print("    " + "\n    ".join(code))
        count = len([line for line in code if not line.startswith("nop")])
        print(f"{compiler} {' '.join(options)} {name}: {count} instructions")
    if not any("lb_miss_area" in name for name in found):
        bad += 1
        print(f"{compiler}: the slow path is not a function of its own")
    return bad


def main():
    machine = platform.machine()
    if machine not in INDIRECT or not shutil.which("objdump"):
        print(f"SKIP: no disassembly to check here ({machine})")
        return 77
    bad = checked = 0
    for compiler in sys.argv[1:] or ["gcc", "clang"]:
        if (
            not shutil.which(compiler.split(os.sep)[-1])
            and not Path(compiler).is_file()
        ):
            print(f"SKIP: no {compiler}")
            continue
        for options in ([], ["-fPIC"]):
            bad += check(compiler, options, machine)
            checked += 1
    print(f"{checked} builds checked, {bad} problems")
    return 1 if bad or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
