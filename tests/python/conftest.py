"""What all tests in Python share.

They test the package that the interpreter finds: the installed wheel, or what
PYTHONPATH leads to.  The header of a run says which one that was.
"""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest
from hypothesis.configuration import set_hypothesis_home_dir

ROOT = Path(__file__).resolve().parents[2]
set_hypothesis_home_dir(ROOT / "build" / "hypothesis")

# A machine's speed is not what the tests are about, so there are no deadlines.
hypothesis.settings.register_profile(
    "latebind",
    deadline=None,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    # A sanitizer looks closer at each example, and takes its time.
    max_examples=20 if os.environ.get("LB_SANITIZED") else 100,
)
hypothesis.settings.load_profile("latebind")


def pytest_report_header() -> str:
    import latebind

    sanitized = os.environ.get("LB_SANITIZED")
    how = f", {sanitized} sanitizers" if sanitized else ""
    return f"latebind: {Path(latebind.__file__).parent}{how}"


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT
