"""The command line: `python -m latebind explain | check | report | stubs`.

Exit status: 0 well, 1 there is something to tell (a call that fails, findings of a
check, a script that failed), 2 wrong usage or a module that cannot be imported.
Messages go to stderr, without tracebacks; results to stdout or a file.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback

import latebind
from latebind._errors import AmbiguousMethodError
from latebind._hints import UnresolvedName
from latebind._modules import (
    Problem,
    below,
    classes_of,
    function_named,
    functions_of,
    load,
    type_named,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from latebind._check import Result
    from latebind._core import GenericFunction

WELL, TOLD, FAILED = 0, 1, 2
_MODULE = "a module's name, or its file"


def _say(text: str) -> None:
    sys.stdout.flush()  # what was printed before stands before it
    print(f"latebind: {text}", file=sys.stderr)


def _write(path: str, text: str) -> None:
    if path == "-":
        sys.stdout.write(text)
        return
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise Problem(f"cannot write {path}: {error.strerror}") from error


def _modules(targets: Sequence[str], recursive: bool) -> list[ModuleType]:
    found: dict[str, ModuleType] = {}
    for target in targets:
        module = load(target)
        found[module.__name__] = module
        for name in below(module) if recursive else ():
            found[name] = load(name)
    return list(found.values())


def _functions(modules: Sequence[ModuleType]) -> list[GenericFunction]:
    return list(dict.fromkeys(one for m in modules for one in functions_of(m)))


# ------------------------------------------------------------------ explain


def _explain(given: argparse.Namespace) -> int:
    target, colon, path = given.function.rpartition(":")
    if not colon or not target or not path:
        raise Problem(
            f"{given.function!r} is not of the form MODULE:FUNCTION, e.g. shapes:area"
        )
    module = load(target)
    generic = function_named(module, path)
    types, by_name = [], {}
    for text in given.types:
        name, is_named, value = text.partition("=")
        cls = type_named(value if is_named else text, generic, module)
        if is_named:
            by_name[name] = cls
        elif by_name:
            raise Problem(f"{text}: types by position come before those by name")
        else:
            types.append(cls)
    try:
        found = generic.explain_types(*types, **by_name)
    except UnresolvedName as error:
        raise Problem(str(error)) from error
    print(found)
    return WELL if found.status == "ok" or found.inherits else TOLD


# ------------------------------------------------------------------ check


def _from_error(error: AmbiguousMethodError) -> Result:
    """A strict definition that stopped the import."""
    from latebind._check import Finding, Result

    result = Result()
    said = str(error).splitlines()
    message = " ".join(line.strip() for line in said[:3])
    generic, methods = error.generic, tuple(error.candidates)
    result.findings.append(
        Finding("ambiguous", generic, message, methods[::-1], code="\n".join(said[4:]))
    )
    return result


def _check(given: argparse.Namespace) -> int:
    from latebind._check import check, recording

    ignored = [kind for text in given.ignore for kind in text.split(",")]
    _refuse_unknown(ignored)
    modules: list[ModuleType] = []
    try:
        with recording() as recorder:
            modules = _modules(given.modules, given.recursive)
            classes = [cls for module in modules for cls in classes_of(module)]
            result = check(_functions(modules), recorder, ignored, classes)
    except AmbiguousMethodError as error:
        result = _from_error(error)
    if given.json:
        print(json.dumps(_to_json(result), indent=2))
    else:
        _print_findings(result, given.quiet)
        if not given.quiet and not given.recursive:
            _tell_of_packages(modules)
    return TOLD if result.findings else WELL


def _refuse_unknown(kinds: Sequence[str]) -> None:
    from latebind._check import KINDS

    for kind in kinds:
        if kind not in KINDS:
            raise Problem(f"--ignore {kind}: there are {', '.join(KINDS)}")


def _to_json(result: Result) -> dict[str, object]:
    return {
        "functions": result.functions,
        "methods": result.methods,
        "findings": [one.to_json() for one in result.findings],
        "unchecked": result.unchecked,
    }


def _print_findings(result: Result, quiet: bool) -> None:
    for one in result.findings:
        print(one)
    for text in result.unchecked:
        _say(f"{text}: too many calls to see whether it is reached")
    if not quiet:
        found = _count(len(result.findings), "finding") or "nothing found"
        functions = (
            _count(result.functions, "generic function") or "no generic function"
        )
        _say(f"{found} in {functions}, {result.methods} methods")


def _tell_of_packages(modules: Sequence[ModuleType]) -> None:
    for one in modules:
        if hasattr(one, "__path__"):
            _say(f"{one.__name__} is a package; -r looks at its modules, too")


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}" if count else ""


# ------------------------------------------------------------------ report


def _run_script(command: list[str], module: ModuleType) -> int:
    """Run it as Python would; its exit status."""
    import runpy

    by_name = command[0] == "-m"
    if by_name and len(command) == 1:
        raise Problem("--run -m wants the name of a module")
    script = command[1] if by_name else command[0]
    if not by_name and not os.path.exists(script):
        raise Problem(f"there is no file {script}")
    own = getattr(module, "__file__", None)
    if not by_name and own and os.path.samefile(own, script):
        raise Problem(
            f"{script} is the module itself, and running it makes another one; put "
            "what calls it into a script of its own"
        )
    old_argv, old_path = sys.argv, list(sys.path)
    sys.argv = command[1:] if by_name else list(command)
    try:
        if by_name:
            runpy.run_module(script, run_name="__main__", alter_sys=True)
        else:
            sys.path.insert(0, os.path.dirname(os.path.abspath(script)))
            runpy.run_path(script, run_name="__main__")
    except SystemExit as error:
        if isinstance(error.code, str):
            print(error.code, file=sys.stderr)
        return error.code if isinstance(error.code, int) else int(bool(error.code))
    except BaseException as error:
        # The script's own traceback, as if Python had run it.
        tb = error.__traceback__
        while tb is not None and tb.tb_frame.f_code.co_filename != script:
            tb = tb.tb_next
        traceback.print_exception(type(error), error, tb or error.__traceback__)
        return TOLD
    finally:
        sys.argv, sys.path[:] = old_argv, old_path
    return WELL


def _report(given: argparse.Namespace) -> int:
    from latebind._report import module_page

    modules = _modules([given.module], given.recursive)
    name = modules[0].__name__
    generics = _functions(modules)
    status, said = WELL, ""
    if given.run is not None:
        if not given.run:
            raise Problem("--run wants a script, or -m and a module")
        for one in generics:
            one.counting = True
        status = _run_script(given.run, modules[0])
        for one in generics:
            one.counting = False
        said = f"Calls counted in a run of {' '.join(given.run)}."
        if status:
            _say(f"the run ended with status {status}")
    path = given.output or f"{name}.html"
    _write(path, module_page(name, generics, said))
    if path != "-":
        functions = _count(len(generics), "generic function") or "no generic function"
        _say(f"{path}: {functions} of {name}")
    return TOLD if status else WELL


# ------------------------------------------------------------------ stubs


def _stubs(given: argparse.Namespace) -> int:
    from latebind._stubs import stub

    module = load(given.module)
    path = given.output or "-"
    _write(path, stub(module))
    if path != "-":
        _say(f"{path}: the stub of {module.__name__}")
    return WELL


# ------------------------------------------------------------------ the parser


def _add_explain(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "explain",
        help="which method a call runs, why, and what comes next",
        description="Say which method of a generic function a call with arguments of "
        "these types runs, which come next, and why the others do not. Status 0 if a "
        "method runs, 1 if the call would fail.",
    )
    parser.add_argument(
        "function",
        metavar="MODULE:FUNCTION",
        help="e.g. shapes:area or shapes:Shape.area",
    )
    parser.add_argument(
        "types",
        metavar="TYPE",
        nargs="*",
        help="a class by its name in the module, a built-in one, or a dotted name; "
        "NAME=TYPE for an argument given by name",
    )
    parser.set_defaults(run_command=_explain)


def _add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "check",
        help="find ambiguous, shadowed, duplicate methods",
        description="Import modules and look for what is wrong with their generic "
        "functions: ambiguous (two methods fit a call, none is more specific), "
        "possibly-ambiguous (if two tests of a value hold at once), duplicate (a "
        "definition replaced by a later one with the same types), unresolved (an "
        "annotation names nothing), shadowed (other methods run in each call that "
        "the method fits), unreachable (each such call fails). Status 1 if "
        "something is found.",
    )
    parser.add_argument("modules", metavar="MODULE", nargs="+", help=_MODULE)
    parser.add_argument(
        "-r", "--recursive", action="store_true", help="also all modules of packages"
    )
    parser.add_argument(
        "--json", action="store_true", help="findings as JSON on stdout"
    )
    parser.add_argument(
        "--ignore",
        metavar="KIND",
        action="append",
        default=[],
        help="leave a kind out; may be repeated, or several with commas",
    )
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="no summary on stderr"
    )
    parser.set_defaults(run_command=_check)


def _add_report(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "report",
        help="a page of HTML about a module's generic functions",
        description="Write one HTML file (no scripts, nothing from a network) about "
        "all generic functions of a module: methods, tables of types, ambiguities, "
        "classes; with --run also how often each was called.",
    )
    parser.add_argument("module", metavar="MODULE", help=_MODULE)
    parser.add_argument(
        "-r", "--recursive", action="store_true", help="also all modules of a package"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="MODULE.html if not given; - is stdout"
    )
    parser.add_argument(
        "--run",
        nargs=argparse.REMAINDER,
        metavar="SCRIPT",
        help="count the calls in a run of this script, or of `-m` and a module; all "
        "that follows are its arguments",
    )
    parser.set_defaults(run_command=_report)


def _add_stubs(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "stubs",
        help="a .pyi file for type checkers",
        description="Write a stub of a module: its generic functions with an overload "
        "for each method, the most specific first, and its other names as they are.",
    )
    parser.add_argument("module", metavar="MODULE", help=_MODULE)
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="standard output if not given, or -"
    )
    parser.set_defaults(run_command=_stubs)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m latebind", description="Questions about generic functions."
    )
    parser.add_argument(
        "--version", action="version", version=f"latebind {latebind.__version__}"
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for add in (_add_explain, _add_check, _add_report, _add_stubs):
        add(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status; raises SystemExit for --help, --version and wrong usage."""
    given = _parser().parse_args(arguments)
    try:
        return int(given.run_command(given))
    except (Problem, AmbiguousMethodError) as error:
        _say(str(error))
        return FAILED
    except KeyboardInterrupt:
        _say("interrupted")
        return 130
    except BrokenPipeError:  # the reader of stdout has seen enough
        sys.stdout = None  # type: ignore[assignment]
        return WELL
