"""docs/ops-python.md says what is so; see ../test_docs.py for how."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_docs import Section, run_section, runnable, sections_of

SECTIONS = [one for one in sections_of("ops-python.md") if runnable(one)]
WITHOUT = {"Threads"}


@pytest.mark.parametrize("section", SECTIONS, ids=lambda one: one.name)
def test_examples(section: Section, tmp_path: Path) -> None:
    run_section(section, tmp_path, before=False)


def test_all_sections_but_one_have_examples() -> None:
    every = {one.title for one in sections_of("ops-python.md")}
    assert every - {one.title for one in SECTIONS} == WITHOUT
