#!/usr/bin/env python3
"""Build the benchmarks in release and run them, one after the other.

    run-bench.py [NAME]...       default: all
    run-bench.py --build         builds them, and runs none

Each prints as it goes; what it prints is kept in build/bench/report/NAME.txt,
under a head that names the machine and the compilers.
"""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "bench"


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "none"
    return (done.stdout.splitlines() or ["none"])[0]


def head():
    """What the numbers depend on."""
    model = "unknown processor"
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return (
        f"# {model}, {os.cpu_count()} CPUs, {platform.machine()}\n"
        f"# {platform.system()} {platform.release()}, load {load}\n"
        f"# {first_line('gcc', '--version')}\n"
        f"# {first_line('clang', '--version')}\n"
    )


def configure():
    environment = {**os.environ, "CC": "gcc", "CXX": "g++"}
    if not (FOLDER / "build.ninja").is_file():
        options = ["--buildtype=release", "-Dbench=enabled", "-Dtests=disabled"]
        command = ["meson", "setup", FOLDER, ROOT, *options]
        subprocess.run(command, check=True, env=environment)
    subprocess.run(["ninja", "-C", FOLDER], check=True, env=environment)


def benchmarks():
    listing = subprocess.run(
        ["meson", "introspect", "--benchmarks", FOLDER],
        check=True,
        capture_output=True,
        text=True,
    )
    return {item["name"]: item["cmd"] for item in json.loads(listing.stdout)}


def environment():
    """One thread for everybody, and the plug-ins of this build."""
    return {
        **os.environ,
        "LATEBIND_OPS_PLUGINS": str(FOLDER / "ops" / "plugins"),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def run(name, command):
    """Run one benchmark, copying what it prints to its report."""
    report = FOLDER / "report" / f"{name}.txt"
    report.parent.mkdir(exist_ok=True)
    print(f"== {name}", flush=True)
    with report.open("w") as output:
        output.write(head())
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(),
        )
        for line in process.stdout:
            print(line, end="", flush=True)
            output.write(line)
    return process.wait() == 0


def main():
    try:
        configure()
    except subprocess.CalledProcessError as error:
        return error.returncode
    if sys.argv[1:] == ["--build"]:
        return 0
    known = benchmarks()
    names = sys.argv[1:] or list(known)
    print(head(), end="")
    good = True
    for name in names:
        if name not in known:
            print(f"no benchmark {name}; there are: {', '.join(known)}")
            return 2
        good = run(name, known[name]) and good
    print(f"reports: {(FOLDER / 'report').relative_to(ROOT)}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
