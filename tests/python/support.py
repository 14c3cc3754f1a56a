"""What several test files share: child processes, warnings, class factories."""

import os
import subprocess
import sys
import textwrap
import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import latebind


def run_child(
    code: str, *arguments: str, timeout: float = 60, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `code` by a fresh interpreter that finds the same package."""
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def output_of(code: str, *arguments: str, timeout: float = 60) -> str:
    """What `code` prints; it must end well and say nothing on stderr."""
    done = run_child(code, *arguments, timeout=timeout)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def module_of(code: str, name: str = "made_module") -> types.ModuleType:
    """A module made of `code`, in sys.modules only if it puts itself there."""
    module = types.ModuleType(name)
    exec(compile(textwrap.dedent(code), f"<{name}>", "exec"), module.__dict__)
    return module


@contextmanager
def quiet() -> Iterator[None]:
    """Definitions inside may be ambiguous without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", latebind.AmbiguityWarning)
        yield
