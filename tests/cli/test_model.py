#!/usr/bin/env python3
"""Compare `latebind replay` with the model, on traces made at random.

    test_model.py PROGRAM [SEED...]

A seed that failed can be run alone.
"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from made_trace import made_trace
from program import run_tests
from replay_model import Knobs, Replay

SEEDS = range(24)
PROGRAM = ""

SCHEMES = [
    Knobs(order, mark, table, negative, drop)
    for order in ("1998", "python3")
    for mark, table, negative, drop in [
        (False, None, False, False),
        (True, None, False, False),
        (False, 64, False, False),
        (False, 3, False, False),
        (False, 5, True, False),
        (False, 4, False, True),
        (False, 6, True, True),
        (False, 0, True, True),
    ]
]

# Of these the model knows only what must be found.
OTHERS = [
    "--policy table",
    "--policy site --table-size 4",
    "--policy site --negative --drop",
    "--policy table64 --mark no --negative",
    "--policy table64 --table-size 3 --when-full stop",
    "--policy table64 --table-size 3 --when-full poor --negative",
    "--policy table64 --table-size 3 --when-full hierarchy --drop",
    "--policy table64 --table-size 2 --thrash-limit 2",
    "--policy table64 --table-pool 2 --negative --drop",
]


def options_of(knobs):
    words = ["--order", knobs.order]
    if knobs.table is None:
        words += ["--policy", "search", "--mark", "yes" if knobs.mark else "no"]
    else:
        words += ["--policy", "table64", "--table-size", knobs.table or "unbounded"]
    words += ["--negative"] * knobs.negative + ["--drop"] * knobs.drop
    return " ".join(map(str, words))


def replay(text, option_lists):
    """What the program says of a trace, in one run."""
    with tempfile.TemporaryDirectory() as folder:
        trace, rows = Path(folder) / "made.trace", Path(folder) / "made.counts"
        trace.write_text(text)
        rows.write_text("".join(f"{o} : {'- ' * 8}\n" for o in option_lists))
        command = [PROGRAM, "replay", trace, "--expect", rows, "--json"]
        command += ["--rounds", "0"]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"status {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


class Model(unittest.TestCase):
    def compare(self, text):
        model = Replay(SCHEMES).read(text.splitlines())
        said = replay(text, [options_of(knobs) for knobs in SCHEMES])
        self.assertEqual(model.disagreements, 0)
        self.assertEqual(said["trace"]["gets"], model.gets)
        for row, knobs, wanted in zip(
            said["rows"], SCHEMES, model.results(), strict=True
        ):
            counted = dict(zip(said["columns"], row["counted"], strict=True))
            known = {k: v for k, v in wanted.items() if v is not None}
            with self.subTest(scheme=options_of(knobs)):
                self.assertEqual({k: counted[k] for k in known}, known)

    def test_counts_equal_those_of_the_model(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                self.compare(made_trace(seed))

    def test_every_policy_finds_the_same(self):
        both = [f"--order {o} {rest}" for o in ("1998", "python3") for rest in OTHERS]
        for seed in SEEDS:
            with self.subTest(seed=seed):
                said = replay(made_trace(seed), both)
                found = {
                    (row["found_in_instance"], row["found_in_class"])
                    for row in said["rows"][: len(OTHERS)]
                }
                self.assertEqual(len(found), 1)
                self.assertEqual([row["differing"] for row in said["rows"]], [0] * 18)

    def test_made_traces_hold_what_a_trace_can(self):
        words, orders = set(), 0
        for seed in SEEDS:
            text = made_trace(seed)
            words |= {line.split()[0] for line in text.splitlines()}
            orders += replay(text, ["--policy table"])["runs"][0]["orders_supplied"]
        self.assertGreaterEqual(words, set("#YLKMOEgqsrSR") | {"us", "ur", "uS"})
        self.assertGreater(orders, 0)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    if sys.argv[1:]:
        SEEDS = [int(seed) for seed in sys.argv[1:]]
    sys.exit(run_tests())
