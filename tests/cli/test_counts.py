#!/usr/bin/env python3
"""Check that a replay gives the published counts of data/traces, exactly.

    test_counts.py PROGRAM FOLDER

The numbers are taken from the tables of FOLDER/README.md. All rows are replayed by one
process, from the file of counts that lies beside the trace.
"""

import json
import re
import sys
import unittest
from pathlib import Path

from program import run, run_tests

PROGRAM, FOLDER = "", Path()

# What README.md calls the rows, and how the program is asked for them.
ROWS = {
    "search": ("1998", "search"),
    "mark": ("1998", "search + mark"),
    "table 64": ("1998", "table64"),
    "table 128": ("1998", "table64 128"),
    "table 256": ("1998", "table64 256"),
    "table 1024": ("1998", "table64 1024"),
    "64 + neg": ("1998", "table64 + negative"),
    "256 + neg + drop": ("1998", "table64 256 + negative + drop"),
    "unbounded + neg + drop": ("1998", "table64 unbounded + negative + drop"),
    "python3, search": ("python3", "search"),
    "python3, 64 + neg + drop": ("python3", "table64 + negative + drop"),
    "python3, 1024 + neg + drop": ("python3", "table64 1024 + negative + drop"),
}


def published(name):
    """The table of README.md under the trace's name: {scheme: [numbers]}."""
    text = (FOLDER / "README.md").read_text()
    table = re.search(rf"^{name}:\n\n((?:\|.*\n)+)", text, re.M)[1]
    rows = {}
    for line in table.splitlines()[2:]:
        scheme, *cells = line.strip("|").split("|")
        numbers = re.findall(r"\d[\d,]*", " ".join(cells))
        rows[scheme.strip()] = [int(number.replace(",", "")) for number in numbers]
    return rows


def replay(name):
    done = run(
        PROGRAM, "replay", FOLDER / f"{name}.trace.xz", "--policy", "search",
        "--expect", FOLDER / f"{name}.counts", "--rounds", "0", "--json",
    )  # fmt: skip
    return done, json.loads(done.stdout)


class Counts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.done, cls.said = replay("docutils")
        cls.wanted = published("docutils")
        cls.counted = {
            (row["order"], row["name"]): dict(
                zip(cls.said["columns"], row["counted"], strict=True)
            )
            for row in cls.said["rows"]
        }

    def test_every_published_row_comes_out_again(self):
        self.assertEqual(list(self.wanted), list(ROWS))
        for scheme, numbers in self.wanted.items():
            counted = self.counted[ROWS[scheme]]
            columns = ["instance", "class", "total", "hits", "misses", "generations"]
            got = [counted[column] for column in columns[: len(numbers)]]
            with self.subTest(scheme=scheme):
                self.assertEqual(got, numbers)

    def test_the_file_of_counts_agrees(self):
        self.assertEqual((self.done.returncode, self.done.stderr), (0, ""))
        self.assertTrue(all(row["agrees"] for row in self.said["rows"]))

    def test_facts_about_the_trace(self):
        trace, run_ = self.said["trace"], self.said["runs"][0]
        self.assertEqual(trace["gets"], 2_030_694)
        self.assertEqual(trace["classes"], 492)
        self.assertEqual(run_["counters"]["gets"], 2_030_694)
        shares = [run_[f"found_{where}"] for where in ("in_instance", "in_class")]
        self.assertEqual([round(100 * n / 2_030_694, 1) for n in shares], [52.0, 46.9])

    def test_names_are_excluded_unless_changes_drop(self):
        excluded = {row: c["excluded"] for row, c in self.counted.items()}
        self.assertEqual(excluded["1998", "table64"], 950)
        self.assertEqual(excluded["1998", "table64 256 + negative + drop"], 0)

    def test_each_row_finds_what_was_recorded(self):
        self.assertEqual({row["differing"] for row in self.said["rows"]}, {0})
        self.assertEqual({c["not found"] for c in self.counted.values()}, {22_169})


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    FOLDER = Path(sys.argv.pop(1))
    sys.exit(run_tests())
