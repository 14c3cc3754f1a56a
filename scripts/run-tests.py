#!/usr/bin/env python3
"""Build and run the tiers of tests, and count.

    run-tests.py             the fast tiers; what `make test` runs
    run-tests.py --slow      the slow tiers; what `make check` runs
    run-tests.py TIER...     the tiers named

Each tier is a build folder of its own under build/.  The last line printed is

    N passed, N failed[, N skipped]

over all tiers.  Test programs that speak cmocka and pytest are counted by their
single tests, anything else counts as one.  The exit status is 0 only if something
passed and nothing failed.

The tiers in Python use the environment .venv, which scripts/setup.sh makes.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"

SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}
VALGRIND = (
    "valgrind --quiet --error-exitcode=99 --leak-check=full "
    "--errors-for-leak-kinds=definite,possible --fair-sched=yes"
)
VENV = ROOT / ".venv"
PYTHON_TESTS = ROOT / "tests" / "python"
PROGRAMS = ["unit", "oracle", "memory", "plugins", "examples", "cli", "ops"]


@dataclass
class Tier:
    """One way of building the tests, and which suites to run in it."""

    folder: str
    compiler: str = "gcc"
    options: list = field(default_factory=list)
    suites: list = field(default_factory=list)  # empty: all
    without: list = field(default_factory=list)  # suites left out
    torture_seconds: int = 2
    sanitizer: str = ""
    wrapper: str = ""
    patience: int = 1  # a factor on every test's time limit


@dataclass
class PythonTier:
    """One way of building the Python package, and which of its tests to run."""

    folder: str
    compiler: str = "gcc"
    options: list = field(default_factory=list)
    marker: str = "not slow"
    interpreter: str = ""  # empty: the environment's own
    leaks: bool = False  # run tests/python/leaks, too
    sanitizer: str = ""
    wrapper: str = ""
    minutes: int = 15  # for all the tests together


def sanitized(folder, sanitizer, **more):
    # b_lundef: a shared library leaves the sanitizer's names to the program.
    options = [f"-Db_sanitize={sanitizer}", "-Db_lundef=false"]
    return Tier(folder, "clang", options, sanitizer=sanitizer, patience=4, **more)


def seconds(default):
    return int(os.environ.get("LB_TORTURE_SECONDS", default))


FAST = {
    "release": Tier("release", without=["torch"], torture_seconds=seconds(2)),
    "asan": sanitized(
        "asan",
        "address,undefined",
        suites=[*PROGRAMS, "torture"],
        torture_seconds=seconds(2),
    ),
    "tsan": sanitized(
        "tsan",
        "thread",
        suites=["torture", "plugins"],
        torture_seconds=seconds(20),
    ),
    "python": PythonTier("python"),
}
SLOW = {
    "tsan-long": sanitized(
        "tsan", "thread", suites=["torture"], torture_seconds=seconds(600)
    ),
    "torch": Tier("release", suites=["torch"]),
    "valgrind": Tier(
        "release",
        suites=["unit", "oracle", "memory", "plugins"],
        wrapper=VALGRIND,
        patience=50,
    ),
    "fuzz": sanitized("fuzz", "address,undefined"),
    "coverage": Tier("coverage", options=["-Db_coverage=true"], suites=PROGRAMS),
    "python-asan": PythonTier(
        "python-asan",
        "clang",
        [
            "-Db_sanitize=address,undefined",
            "-Db_lundef=false",
            "-Dbuildtype=debugoptimized",
        ],
        marker="not slow and not heavy",
        sanitizer="address,undefined",
        minutes=60,
    ),
    "python-slow": PythonTier("python", marker="slow", minutes=60),
    "python-dbg": PythonTier(
        "python-dbg",
        options=["-Dbuildtype=debug"],
        marker="not slow and not heavy",
        interpreter="python3-dbg",
        leaks=True,
        minutes=40,
    ),
}


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        return self

    def __str__(self):
        text = f"{self.passed} passed, {self.failed} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")


def say(text):
    print(text, flush=True)


def call(command, **options):
    """Run a command with its output in ours; whether it succeeded."""
    return subprocess.run([str(c) for c in command], **options).returncode == 0


# Building ------------------------------------------------------------------


def environment(tier):
    result = {**os.environ, **SANITIZER_ENV}
    result["CC"] = tier.compiler
    result["CXX"] = {"gcc": "g++", "clang": "clang++"}[tier.compiler]
    # A user's own flags would make the tiers differ from what they say.
    for name in ("CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "DESTDIR"):
        result.pop(name, None)
    return result


def build(tier, extra=()):
    """Configure the tier's folder when needed, and compile; whether it worked."""
    folder = BUILD / tier.folder
    options = [*tier.options, "-Dtests=enabled", "-Dexamples=enabled", *extra]
    if not shutil.which(tier.compiler):
        say(f"{tier.compiler} is not installed")
        return False
    stamp = folder / "options.txt"
    wanted = " ".join([tier.compiler, *options])
    env = environment(tier)
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        log = folder / "setup.txt"
        with log.open("w") as output:
            command = ["meson", "setup", folder, ROOT, *options]
            good = call(command, env=env, stdout=output, stderr=subprocess.STDOUT)
        if not good:
            print(log.read_text())
            return False
        stamp.write_text(wanted)
    return compile_quietly(folder, env)


def compile_quietly(folder, env):
    """Compile; print the compiler's output only if it fails."""
    done = subprocess.run(
        ["ninja", "-C", str(folder)],
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode != 0:
        print(without_progress(done.stdout))
    return done.returncode == 0


def without_progress(text):
    """What a build said, less the lines about what went well."""
    lines = text.splitlines()
    return "\n".join(li for li in lines if not re.match(r"\s*\[\d+/\d+\] ", li))


# The machine ---------------------------------------------------------------


def runs_here(sanitizer, wrapper):
    """Whether an empty program under this sanitizer works on this machine."""
    with tempfile.TemporaryDirectory() as temp:
        source, program = Path(temp) / "a.c", Path(temp) / "a"
        source.write_text("int main(void) { return 0; }\n")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        command = ["clang", f"-fsanitize={sanitizer}", source, "-o", program]
        # A layout that does not suit it may come by chance: ask a few times.
        return call(command, **quiet) and all(
            call([*wrapper.split(), program], **quiet) for _ in range(5)
        )


def fitting_wrapper(tier):
    """A wrapper with which the tier's sanitizer runs, or None.

    Kernels that scatter addresses widely do not leave Clang's sanitizers the
    space they expect; a fixed layout does.
    """
    if not tier.sanitizer:
        return tier.wrapper
    fixed = f"setarch {platform.machine()} -R"
    for wrapper in ("", fixed):
        if runs_here(tier.sanitizer, wrapper):
            return wrapper
    return None


# Running and counting ------------------------------------------------------


def count_one(test):
    """The count of one line of meson's test log."""
    text = (test.get("stdout") or "") + "\n" + (test.get("stderr") or "")
    result = test["result"]
    if result == "SKIP":
        return Count(skipped=1)
    good = result in ("OK", "EXPECTEDFAIL")

    def total(word):
        found = re.findall(rf"^\[\s*{word}\s*\] (\d+) test\(s\)", text, re.M)
        return sum(map(int, found))

    count = Count(total("PASSED"), total("FAILED"), total("SKIPPED"))
    # A program that crashed gives no totals, but has told what went well.
    if not good and count.passed == 0:
        count.passed = len(re.findall(r"^\[\s+OK \]", text, re.M))
    if good and count.passed + count.skipped == 0:
        count.passed = 1
    if not good and count.failed == 0:
        count.failed = 1
    if good:
        # A part that a check could not do, as it says itself.
        count.skipped += len(re.findall(r"^SKIP: ", text, re.M))
    return count


def describe(test, count):
    """Print one test's line, and everything it said if it failed."""
    mark = "FAIL" if count.failed else "skip" if not count.passed else "ok"
    say(f"  {mark:4} {test['name']:44} {test['duration']:7.2f} s  {count}")
    if count.failed:
        say(f"       {test['result']}, status {test.get('returncode')}")
        for stream in ("stdout", "stderr"):
            for line in (test.get(stream) or "").splitlines()[-200:]:
                say(f"       | {line}")
    else:
        for line in re.findall(r"^SKIP: .*", test.get("stdout") or "", re.M):
            say(f"       {line}")


def run(tier, suites, wrapper):
    """Run the tier's suites; the count of what they did."""
    folder = BUILD / tier.folder
    name = "run-valgrind" if "valgrind" in wrapper else "run"
    # With a wrapper meson writes a log of a slightly longer name.
    pattern = f"testlog-{name}*.json"
    for old in (folder / "meson-logs").glob(pattern):
        old.unlink()
    env = environment(tier)
    env["LB_TORTURE_SECONDS"] = str(tier.torture_seconds)
    patience = max(tier.patience, tier.torture_seconds // 60 + 1)
    command = ["meson", "test", "-C", folder, "--no-rebuild", "--logbase"]
    command += [f"testlog-{name}", "--timeout-multiplier", patience]
    if wrapper:
        command += ["--wrapper", wrapper]
    for suite in tier.without:
        command += ["--no-suite", suite]
    for suite in suites:
        command += ["--suite", suite]
    done = subprocess.run(
        [str(c) for c in command],
        env=env,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    logs = list((folder / "meson-logs").glob(pattern))
    tests = [json.loads(line) for line in logs[0].open()] if logs else []
    result = Count()
    for test in tests:
        count = count_one(test)
        describe(test, count)
        result += count
    if done.returncode != 0 and result.failed == 0:
        print(done.stdout)
        result.failed += 1
    return result


def known_suites(tier):
    """The suites that hold at least one test in the tier's folder."""
    listing = subprocess.run(
        ["meson", "introspect", "--tests", str(BUILD / tier.folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    tests = json.loads(listing.stdout)
    return {s.split(":")[-1] for test in tests for s in test["suite"]}


def run_tier(name, tier):
    """Build and run one tier; its count."""
    started = time.monotonic()
    say(f"== {name}: {tier.compiler}, build/{tier.folder}")
    wrapper = fitting_wrapper(tier)
    if wrapper is None:
        say(f"  skip: -fsanitize={tier.sanitizer} does not work on this machine")
        return Count(skipped=1)
    if wrapper and not tier.wrapper:
        say(f"  under {wrapper}, for the sanitizer's sake")
    if not build(tier):
        say("  FAIL the build")
        return Count(failed=1)
    known = known_suites(tier)
    suites = [suite for suite in tier.suites if suite in known]
    if tier.suites and not suites:
        say(f"  no tests in {', '.join(tier.suites)}")
        return Count()
    result = run(tier, suites, wrapper)
    say(f"   {name}: {result}, {time.monotonic() - started:.0f} s")
    return result


# The slow tiers that need more than a run -----------------------------------


def run_fuzz(name, tier):
    """Run each fuzz target for LB_FUZZ_SECONDS; its findings stay in build/."""
    limit = int(os.environ.get("LB_FUZZ_SECONDS", 300))
    if not list((ROOT / "tests" / "fuzz").glob("fuzz_*.c")):
        say(f"== {name}: no targets in tests/fuzz")
        return Count()
    say(f"== {name}: {tier.compiler}, build/{tier.folder}, {limit} s each")
    if not build(tier, ["-Dfuzz=enabled"]):
        say("  FAIL the build")
        return Count(failed=1)
    result = Count()
    folder = BUILD / tier.folder
    wrapper = (fitting_wrapper(tier) or "").split()
    for program in sorted((folder / "tests").glob("fuzz_*")):
        if not program.is_file() or not os.access(program, os.X_OK):
            continue
        corpus = folder / "corpus" / program.name
        corpus.mkdir(parents=True, exist_ok=True)
        seeds = ROOT / "tests" / "fuzz" / "seeds" / program.name
        command = [*wrapper, program, f"-max_total_time={limit}"]
        command += [f"-artifact_prefix={corpus}-", corpus]
        command += [seeds] if seeds.is_dir() else []
        log = folder / f"{program.name}.txt"
        with log.open("w") as output:
            good = call(command, env=environment(tier), stdout=output, stderr=output)
        say(f"  {'ok' if good else 'FAIL':4} {program.name}")
        if not good:
            say("\n".join(log.read_text(errors="replace").splitlines()[-60:]))
        result += Count(passed=1) if good else Count(failed=1)
    return result


def run_coverage(name, tier):
    """Run the tests under gcov, and report lines and branches of src/."""
    result = run_tier(name, tier)
    folder = BUILD / tier.folder
    page = folder / "report"
    page.mkdir(parents=True, exist_ok=True)
    if shutil.which("gcovr"):
        call(
            ["gcovr", "--root", ROOT, "--filter", ROOT / "src", "--filter"]
            + [ROOT / "include", "--html-details", page / "index.html"]
            + ["--print-summary", folder]
        )
    elif shutil.which("lcov"):
        info = str(folder / "coverage.info")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        call(["lcov", "-c", "-d", folder, "-o", info], **quiet)
        only = [ROOT / "src/*", ROOT / "include/*"]
        call(["lcov", "-e", info, *only, "-o", info], **quiet)
        call(["genhtml", info, "-o", page], **quiet)
        call(["lcov", "--summary", info])
    else:
        say("  skip the report: neither gcovr nor lcov is installed")
        result.skipped += 1
        return result
    say("   report: build/coverage/report/index.html")
    return result


# The tiers in Python --------------------------------------------------------


def python_environment(tier, *folders):
    """The environment's commands first; `folders` are looked in for packages."""
    env = environment(tier)
    env["PATH"] = f"{VENV / 'bin'}{os.pathsep}{env['PATH']}"
    env.pop("PYTHONPATH", None)
    if folders:
        env["PYTHONPATH"] = os.pathsep.join(map(str, folders))
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    return env


def shared_packages(tier):
    """The environment's packages, for an interpreter that is not its own."""
    if not tier.interpreter:
        return []
    return sorted((VENV / "lib").glob("python3*/site-packages"))


def build_package(tier, python):
    """Build the package as pip does; the folder for PYTHONPATH, or None.

    The environment's own interpreter gets the wheel installed; a sanitized or
    debugging build lies beside it, in a folder of its own.
    """
    folder = BUILD / tier.folder
    built = folder / "meson"
    folder.mkdir(parents=True, exist_ok=True)
    # Whoever configured the folder before may have been another Python.
    wanted = f"{Path(python).resolve()} {tier.compiler}"
    stamp = folder / "options.txt"
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(built, ignore_errors=True)
        stamp.write_text(wanted)
    plain = not (tier.sanitizer or tier.interpreter)
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    settings = [f"build-dir={built}", "setup-args=-Dwerror=true"]
    settings += [f"setup-args={option}" for option in tier.options]
    options = ["--no-build-isolation", "--no-deps"]
    options += [f"--config-settings={setting}" for setting in settings]
    target = folder / ("wheel" if plain else "site")
    shutil.rmtree(target, ignore_errors=True)
    if plain:
        command = [*pip, "wheel", *options, "--wheel-dir", target, ROOT]
    else:
        command = [*pip, "install", *options, "--target", target, ROOT]
    env = python_environment(tier, *shared_packages(tier))
    log = folder / "build.txt"
    with log.open("w") as output:
        good = call(command, env=env, stdout=output, stderr=subprocess.STDOUT)
        if good and plain:
            command = [*pip, "install", "--no-deps", "--force-reinstall"]
            command += target.glob("*.whl")
            good = call(command, env=env, stdout=output, stderr=subprocess.STDOUT)
    if not good:
        print(without_progress(log.read_text(errors="replace")))
        return None
    return target


def sanitizer_environment(tier):
    """What makes an ordinary Python run a sanitized extension."""
    if not tier.sanitizer:
        return {}
    ending = f"abort_on_error=1:log_path={BUILD / tier.folder / 'sanitizer'}"
    library = f"libclang_rt.asan-{platform.machine()}.so"
    found = subprocess.run(
        ["clang", f"-print-file-name={library}"],
        check=True,
        capture_output=True,
        text=True,
    )
    return {
        "LD_PRELOAD": found.stdout.strip(),
        # Python's own pools would hide what happens in them; and Python never
        # frees all that it has.
        "PYTHONMALLOC": "malloc",
        # Standard error is pytest's, so the reports go to files; and the signal
        # makes Python say which test it was.
        "ASAN_OPTIONS": f"detect_leaks=0:strict_string_checks=1:{ending}",
        "UBSAN_OPTIONS": f"print_stacktrace=1:{ending}",
        "LB_SANITIZED": tier.sanitizer,
    }


def count_junit(report):
    """The count of a pytest report, and the reasons for what was skipped."""
    count, reasons = Count(), {}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            count.failed += 1
        elif skip is not None:
            count.skipped += 1
            reason = skip.get("message", "")
            reasons[reason] = reasons.get(reason, 0) + 1
        else:
            count.passed += 1
    return count, reasons


def run_limited(command, minutes, **options):
    """Run a command; its status and output, or None and what it said so far."""
    try:
        done = subprocess.run(
            [str(c) for c in command],
            cwd=ROOT,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=minutes * 60,
            **options,
        )
    except subprocess.TimeoutExpired as expired:
        said = expired.stdout or b""
        return None, said if isinstance(said, str) else said.decode(errors="replace")
    return done.returncode, done.stdout


def show_output(text, lines):
    for line in text.splitlines()[-lines:]:
        say(f"       | {line}")


def run_pytest(tier, python, env, wrapper):
    """Run the tier's part of tests/python; its count."""
    folder = BUILD / tier.folder
    report = folder / "junit.xml"
    for old in [report, *folder.glob("sanitizer.*")]:
        old.unlink(missing_ok=True)
    command = [*wrapper.split(), python, "-m", "pytest", PYTHON_TESTS, "-q"]
    command += ["-m", tier.marker, f"--junitxml={report}"]
    command += ["--continue-on-collection-errors", "-o", "faulthandler_timeout=240"]
    status, output = run_limited(command, tier.minutes, env=env)
    if status == 5:
        say(f"  no tests for -m '{tier.marker}'")
        return Count()
    count, reasons = count_junit(report) if report.is_file() else (Count(), {})
    for reason, times in reasons.items():
        say(f"       SKIP: {reason}" + (f" ({times} times)" if times > 1 else ""))
    # A child of a test may have been told off, too.
    findings = sorted(folder.glob("sanitizer.*"))
    if (status != 0 or findings) and not count.failed:
        count.failed += 1
    say(f"  {'FAIL' if count.failed else 'ok':4} pytest -m '{tier.marker}'  {count}")
    if count.failed:
        problem = "out of time" if status is None else f"status {status}"
        say(f"       {problem}: {' '.join(map(str, command))}")
        show_output(output, 400)
        for finding in findings:
            text = finding.read_text(errors="replace")
            show_output("\n".join(text.splitlines()[:40]), 40)
    return count


def run_leaks(tier, python, env):
    """Run the scripts that count references, each in a process of its own."""
    result = Count()
    for script in sorted((PYTHON_TESTS / "leaks").glob("*.py")):
        if script.name == "measure.py":
            continue  # what they share
        status, output = run_limited([python, script], tier.minutes, env=env)
        good = status in (0, 77)
        mark = "FAIL" if not good else "skip" if status == 77 else "ok"
        say(f"  {mark:4} leaks/{script.name}")
        if not good:
            show_output(output, 100)
        result += Count(status == 0, not good, status == 77)
    return result


def run_python(name, tier):
    """Build the package and run one tier in Python; its count."""
    started = time.monotonic()
    say(f"== {name}: {tier.compiler}, build/{tier.folder}")
    if not PYTHON_TESTS.is_dir():
        say("  no tests in tests/python")
        return Count()
    wrapper = fitting_wrapper(tier)
    if wrapper is None:
        say(f"  skip: -fsanitize={tier.sanitizer} does not work on this machine")
        return Count(skipped=1)
    python = VENV / "bin" / "python"
    if not python.is_file():
        say("  FAIL there is no .venv (make setup)")
        return Count(failed=1)
    if tier.interpreter:
        python = shutil.which(tier.interpreter)
    if python is None:
        say(f"  skip: {tier.interpreter} is not installed")
        return Count(skipped=1)
    site = build_package(tier, python)
    if site is None:
        say("  FAIL the build")
        return Count(failed=1)
    folders = [site] if site.name == "site" else []
    env = python_environment(tier, *folders, *shared_packages(tier))
    env.update(sanitizer_environment(tier))
    result = run_pytest(tier, python, env, wrapper)
    if tier.leaks:
        result += run_leaks(tier, python, env)
    say(f"   {name}: {result}, {time.monotonic() - started:.0f} s")
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--slow", action="store_true", help="the slow tiers")
    parser.add_argument("tiers", nargs="*", metavar="TIER")
    options = parser.parse_args()
    known = {**FAST, **SLOW}
    names = options.tiers or list(SLOW if options.slow else FAST)
    for name in names:
        if name not in known:
            parser.error(f"no tier {name}; there are {', '.join(known)}")

    special = {"fuzz": run_fuzz, "coverage": run_coverage}
    result = Count()
    for name in names:
        tier = known[name]
        if tier.wrapper and not shutil.which(tier.wrapper.split()[0]):
            say(f"== {name}: skip, {tier.wrapper.split()[0]} is not installed")
            result.skipped += 1
            continue
        usual = run_python if isinstance(tier, PythonTier) else run_tier
        result += special.get(name, usual)(name, tier)
    if result.passed == 0 and result.failed == 0:
        say("no test ran")
    say(str(result))
    return 0 if result.passed and not result.failed else 1


if __name__ == "__main__":
    sys.exit(main())
