#!/usr/bin/env python3
"""Check that the installed library can be used by a stranger.

    check-install.py ROOT BUILDDIR

1.  Install BUILDDIR into a temporary folder.
2.  Build every program of examples/small, and one tiny program of our own,
    against that folder alone: through pkg-config with the shared and with the
    static library, and through CMake's find_package, again with both.
3.  Run each, and compare what it prints with examples/small/NAME.expected.

A way whose tool is not installed is skipped, with a line that says so.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TINY = r"""
#include <latebind/version.h>
#include <stdio.h>
int main(void) { printf("%s %d\n", LB_VERSION, LB_ABI); return 0; }
"""

CMAKE = """\
cmake_minimum_required(VERSION 3.13)
project(stranger C)
set(CMAKE_C_STANDARD 11)
find_package(Latebind {version} CONFIG REQUIRED)
foreach(name {names})
  foreach(library latebind latebind_static)
    add_executable(${{name}}-${{library}} "${{SOURCES}}/${{name}}.c")
    target_link_libraries(${{name}}-${{library}} PRIVATE Latebind::${{library}})
  endforeach()
endforeach()
"""

failures = 0
runs = 0


def run(command, **options):
    """Run a command; its output if it succeeds, or None after a report."""
    global failures
    command = [str(word) for word in command]
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        failures += 1
        print(f"FAILED ({done.returncode}): {' '.join(command)}")
        print(done.stdout + done.stderr)
        return None
    return done.stdout


def compare(label, program, expected, libdir=None):
    """Run a built program; the shared library is looked for in libdir."""
    global failures, runs
    environment = dict(os.environ)
    environment.pop("LD_LIBRARY_PATH", None)
    if libdir:
        environment["LD_LIBRARY_PATH"] = str(libdir)
    runs += 1
    printed = run([program], env=environment)
    if printed is not None and expected is not None and printed != expected:
        failures += 1
        print(f"FAILED: {label} printed\n{printed}instead of\n{expected}")


def with_pkgconfig(stage, pc_file, sources):
    """Yield (label, program, name, libdir) for both libraries."""
    compiler = os.environ.get("CC", "cc")
    prefix = pc_file.parent.parent
    while not (prefix / "include").is_dir():
        prefix = prefix.parent
    environment = {**os.environ, "PKG_CONFIG_PATH": str(pc_file.parent)}

    def ask(*options):
        command = ["pkg-config", f"--define-variable=prefix={prefix}", *options]
        return (run([*command, "latebind"], env=environment) or "").split()

    libdir = (ask("--variable=libdir") or [""])[0]
    shared = ask("--cflags", "--libs")
    # Both libraries lie in one folder; the linker takes the static one only
    # when it is asked for by its file name.
    static = [
        "-l:liblatebind.a" if word == "-llatebind" else word
        for word in ask("--static", "--cflags", "--libs")
    ]
    for name, source in sources.items():
        for kind, options in (("shared", shared), ("static", static)):
            program = stage / f"pc-{kind}-{name}"
            command = [compiler, "-std=c11", "-Wall", "-Werror", source, "-o", program]
            if run(command + options) is not None:
                label = f"{name} (pkg-config, {kind})"
                yield label, program, name, libdir if kind == "shared" else None


def with_cmake(stage, prefix, sources, folder, version):
    project = stage / "cmake"
    project.mkdir()
    # CMake knows lib and the platform's own folder, but not every lib64.
    cmake_dir = next(prefix.rglob("LatebindConfig.cmake")).parent.parent
    names = " ".join(sources)
    text = CMAKE.format(version=".".join(version.split(".")[:2]), names=names)
    (project / "CMakeLists.txt").write_text(text)
    build = project / "build"
    configure = [
        "cmake", "-S", project, "-B", build, f"-DSOURCES={folder}",
        f"-DCMAKE_PREFIX_PATH={prefix};{cmake_dir}",
    ]  # fmt: skip
    if run(configure) is None or run(["cmake", "--build", build]) is None:
        return
    for name in sources:
        for kind in ("latebind", "latebind_static"):
            yield f"{name} (CMake, {kind})", build / f"{name}-{kind}", name, None


def main():
    global failures
    root, build = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    if not shutil.which("meson"):
        print("SKIP: no meson on the path")
        return 77
    with tempfile.TemporaryDirectory() as name:
        stage = Path(name)
        destination = stage / "root"
        install = ["meson", "install", "-C", build, "--no-rebuild", "--quiet"]
        if run([*install, "--destdir", destination]) is None:
            return 1
        pc_files = list(destination.rglob("latebind.pc"))
        if len(pc_files) != 1:
            print(f"FAILED: {len(pc_files)} files latebind.pc installed")
            return 1
        prefix = next(destination.rglob("include/latebind")).parent.parent

        # One folder with every program, so that both ways see the same.
        folder = stage / "programs"
        folder.mkdir()
        (folder / "tiny.c").write_text(TINY)
        expected = {"tiny": None}
        for source in sorted((root / "examples" / "small").glob("*.c")):
            shutil.copy(source, folder)
            expected[source.stem] = source.with_suffix(".expected").read_text()
        sources = {name: folder / f"{name}.c" for name in expected}
        version = next(
            line.split('"')[1]
            for line in (prefix / "include/latebind/version.h").read_text().splitlines()
            if line.startswith('#define LB_VERSION "')
        )

        if shutil.which("pkg-config"):
            for label, program, name, libdir in with_pkgconfig(
                stage, pc_files[0], sources
            ):
                compare(label, program, expected[name], libdir)
        else:
            print("SKIP: no pkg-config")
        if shutil.which("cmake"):
            for label, program, name, libdir in with_cmake(
                stage, prefix, sources, folder, version
            ):
                compare(label, program, expected[name], libdir)
        else:
            print("SKIP: no cmake, so find_package(Latebind) is not tried")
    print(f"{len(sources)} programs, {runs} runs, {failures} problems")
    return 1 if failures or runs == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
