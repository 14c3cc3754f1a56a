#!/usr/bin/env python3
"""Check that each public header stands alone, in both languages.

Each header of include/latebind, and of ops/include/latebind, is the only include of a
file (twice, for its guard), compiled as C11 and as C++17 with every warning an error,
by GCC and by Clang where they are installed. latebind.h must lead to every other
header, and ops.h to every one of the operators, but to python.h, which belongs to the
Python package and needs Python's headers: it is left out where there are none. Nothing
is built: the compilers only check the syntax.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

STRICT = ["-pedantic", "-Wall", "-Wextra", "-Wshadow", "-Wundef", "-Werror"]
COMPILERS = [
    ("gcc", ["-std=c11", "-Wstrict-prototypes"], ".c"),
    ("g++", ["-std=c++17"], ".cpp"),
    ("clang", ["-std=c11", "-Wstrict-prototypes"], ".c"),
    ("clang++", ["-std=c++17"], ".cpp"),
]
APART = "python.h"
# A file with nothing but declarations is not quite pedantic C.
PROGRAM = """\
#include <latebind/{name}>
#include <latebind/{name}>
int main(void);
int main(void) {{ return 0; }}
"""


def python_options():
    """What finds Python's headers, as the system's; None where there are none."""
    code = "import sysconfig; print(sysconfig.get_paths()['include'])"
    for python in ("/usr/bin/python3", sys.executable):
        try:
            done = subprocess.run([python, "-c", code], capture_output=True, text=True)
        except OSError:
            continue
        folder = Path(done.stdout.strip())
        if done.returncode == 0 and (folder / "Python.h").is_file():
            return ["-isystem", folder]
    return None


def compile_one(job):
    compiler, options, source, folders = job
    places = [f"-I{folder}" for folder in folders]
    command = [compiler, *options, *STRICT, *places, "-fsyntax-only", source]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stderr


def reachable(folder, name, seen):
    """The headers of ours that `name` leads to, itself among them."""
    if name in seen or not (folder / name).is_file():
        return seen
    seen.add(name)
    text = (folder / name).read_text(encoding="utf-8")
    found = re.findall(r'^\s*#\s*include\s*[<"](?:latebind/)?([\w/]+\.h)', text, re.M)
    for other in found:
        reachable(folder, other, seen)
    return seen


def headers_of(folder, umbrella):
    """The headers of a folder, and how many its umbrella does not lead to."""
    headers = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.h"))
    led_to = reachable(folder, umbrella, set())
    missed = [name for name in headers if name not in led_to and name != APART]
    for name in missed:
        print(f"{umbrella} does not lead to {name}")
    return headers, len(missed)


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)
    headers, failures = [], 0
    folders = [root / "include", root / "ops" / "include"]
    for folder, umbrella in zip(folders, ["latebind.h", "ops.h"], strict=True):
        found, missed = headers_of(folder / "latebind", umbrella)
        headers += found
        failures += missed

    jobs, labels = [], []
    with tempfile.TemporaryDirectory() as temp:
        for compiler, options, suffix in COMPILERS:
            if not shutil.which(compiler):
                print(f"SKIP: no {compiler}")
                continue
            for name in headers:
                more = python_options() if name == APART else []
                if more is None:
                    print("SKIP: no headers of Python")
                    continue
                source = Path(temp) / (name.replace("/", "_") + suffix)
                source.write_text(PROGRAM.format(name=name))
                jobs.append((compiler, [*options, *more], source, folders))
                labels.append(f"{name} with {compiler} {options[0]}")
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(compile_one, jobs))

    for label, (status, message) in zip(labels, results, strict=True):
        if status != 0:
            print(f"{label}:\n{message}")
            failures += 1
    print(f"{len(headers)} headers, {len(jobs)} compilations, {failures} problems")
    return 1 if failures or not jobs else 0


if __name__ == "__main__":
    sys.exit(main())
