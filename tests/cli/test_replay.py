#!/usr/bin/env python3
"""Check what `latebind` accepts, refuses, prints and returns.

test_replay.py PROGRAM
"""

import json
import lzma
import subprocess
import sys
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path

from program import run, run_tests

PROGRAM = ""

# A small program: classes A(object), B(A) with dictionaries, C without.
GOOD = """\
# made by hand
Y 1 name
Y 2 size
Y 3 __class__
L 7 a made.py:1:0
K 1 b .object - 1 3!
K 2 hd made.A 1 2,1 1,2!
K 3 hd made.B 2 3,2,1 -
K 4 h made.C 1 4,1 1
O 1 3 -
O 2 2 1
g 1 3 1 7 c1
s 1 1
g 1 3 1 7 i1
g 1 3 2 7 d1
us 1 2
g 1 3 2 7 D1
q 0 3 1 7 c1
g 0 4 1 7 c0
g 0 4 2 7 n
g 2 2 1 7 i0
r 1 1
g 1 3 1 7 c1
S 3 1 !
g 1 3 1 7 d0
R 3 1
x 1 2
t 3 1 7
m 1 7
z 1 7
g 1 3 3 7 d2
g 0 1 3 7 d0
E 2 3
g 2 3 1 7 i1
M 3 hd 1 3,1
g 1 3 1 7 n
g 1 3 2 7 i
"""
GETS = 13

# What is wrong, the line that has it (instead of line `at` of GOOD, or after its end),
# and words of the message.
BAD = [
    ("unknown kind of line", None, "w 1 2", "no kind of line"),
    ("no word", None, "", "empty field"),
    ("two blanks", None, "s  1 1", "empty field"),
    ("a blank at the end", None, "s 1 1 ", "more than the fields"),
    ("a field missing", None, "s 1", "field is missing"),
    ("a field too many", None, "s 1 1 1", "more than the fields"),
    ("a carriage return", None, "s 1 1\r", "is no id"),
    ("a negative id", None, "s -1 1", "is no id"),
    ("an id with a sign", None, "s +1 1", "is no id"),
    ("a hexadecimal id", None, "s 0x1 1", "is no id"),
    ("a huge id", None, "Y 4294967295 new", "too large"),
    ("a longer id", None, "Y 99999999999999999999999999 new", "too large"),
    ("an unknown object", None, "s 9 1", "object 9 is not known"),
    ("object 0 changed", None, "s 0 1", "object 0 is not known"),
    ("an unknown symbol", None, "s 1 9", "symbol 9 is not known"),
    ("an unknown class", None, "g 1 9 1 7 n", "class 9 is not known"),
    ("an unknown site", None, "g 1 3 1 9 n", "site 9 is not known"),
    ("a symbol given twice", None, "Y 1 other", "symbol 1 was there before"),
    ("a class given twice", None, "K 2 hd X - 2 -", "class 2 was there before"),
    ("an object given twice", None, "O 1 3 -", "object 1 was there before"),
    ("a site given twice", None, "L 7 a x", "site 7 was there before"),
    ("object 0 introduced", None, "O 0 3 -", "begin with 1"),
    ("an unknown kind of site", None, "L 8 w x", "kinds are m a b i"),
    ("a site without a place", None, "L 8 a", "field is missing"),
    ("unknown flags", None, "K 9 hw X - 9 -", "flags"),
    ("flags h and b", None, "K 9 hb X - 9 -", "flags"),
    ("neither h nor b", None, "K 9 d X - 9 -", "flags"),
    ("a base not yet there", None, "K 9 h X 10 9,10 -", "class 10 is not known"),
    ("a class that is its own base", None, "K 9 h X 9 9 -", "its own base"),
    ("an mro without the class", None, "K 9 h X - 1 -", "does not begin"),
    ("an empty mro", None, "K 9 h X - - -", "does not begin"),
    ("a class twice in the mro", None, "K 9 h X 1 9,1,1 -", "twice"),
    ("a base twice", None, "K 9 h X 1,1 9,1 -", "twice"),
    ("a class that loses its dictionary", None, "K 9 h X 2 9,2,1 -", "flag d"),
    ("names that are no ids", None, "K 9 h X - 9 1,x", "is no id"),
    ("a list that ends in a comma", None, "K 9 h X - 9 1,", "is no id"),
    ("another mark than !", None, "K 9 h X - 9 1?", "separated by commas"),
    ("a mark in the mro", None, "K 9 h X 1 9,1! -", "separated by commas"),
    ("a cycle of bases", None, "M 1 b 2 1,2", "cycle"),
    ("a longer cycle", 31, "M 2 hd 3 2,3,1", "cycle"),
    ("bases of other flags", None, "M 2 h 1 2,1", "flags changed"),
    ("an unknown outcome", None, "g 1 3 1 7 w1", "outcome"),
    ("an outcome without a place", None, "g 1 3 1 7 c", "outcome"),
    ("a place that cannot be", None, "g 1 3 1 7 n1", "outcome"),
    ("a negative place", None, "g 1 3 1 7 c-1", "outcome"),
    ("a place beyond the mro", None, "g 1 3 1 7 c2", "2 classes only"),
    ("a huge place", None, "g 1 3 1 7 c99999999999", "outcome"),
    ("an implicit get in an instance", None, "q 1 3 1 7 i", "outcome"),
    ("a set without a dictionary", None, "O 3 4 1", "no dictionary"),
    ("an object that gets a dictionary", None, "O 3 4 -\nE 3 3", "flag d"),
    ("a mark that is none", None, "S 3 1 ?", "S cls sym"),
    ("no UTF-8", None, b"Y 9 \xff\xfe", "UTF-8"),
    ("an overlong character", None, b"Y 9 \xc0\xaf", "UTF-8"),
    ("a byte 0", None, b"Y 9 a\0b", "byte of value 0"),
]


def with_line(at, line):
    """GOOD with one more line, or another one, as bytes; and its number."""
    line = line.encode() if isinstance(line, str) else line
    lines = GOOD.encode().splitlines()
    if at is None:
        return b"\n".join([*lines, line, b""]), len(lines) + 1 + line.count(b"\n")
    lines[at - 1] = line
    return b"\n".join([*lines, b""]), at


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def file(self, content, name="made.trace"):
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def replay(self, content, *words, name="made.trace"):
        path = self.file(content, name)
        return run(PROGRAM, "replay", path, "--rounds", "0", *words)

    def assert_refused(self, done, *parts):
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        for part in parts:
            self.assertRegex(done.stderr, part)


class Reading(Case):
    def test_what_is_right_is_replayed(self):
        done = self.replay(GOOD, "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        said = json.loads(done.stdout)
        self.assertEqual(said["trace"]["gets"], GETS)
        self.assertEqual(said["trace"]["left_out"], 2)
        for one in said["runs"]:
            self.assertEqual(one["counters"]["gets"], GETS)
            self.assertEqual(one["differing"], 0)

    def test_compressed_files_are_known_by_their_content(self):
        plain = self.replay(GOOD, "--json", name="same")
        packed = self.replay(lzma.compress(GOOD.encode()), "--json", name="same")
        self.assertEqual(packed.returncode, 0)
        drop = lambda text: text.replace(str(self.folder), "")  # noqa: E731
        self.assertEqual(drop(plain.stdout), drop(packed.stdout))

    def test_several_compressed_streams_follow_each_other(self):
        parts = GOOD.encode().partition(b"O 1")
        packed = lzma.compress(parts[0]) + lzma.compress(parts[1] + parts[2])
        self.assertEqual(self.replay(packed).returncode, 0)

    def test_what_is_wrong_is_told_with_its_line(self):
        for what, at, line, part in BAD:
            content, number = with_line(at, line)
            with self.subTest(what):
                self.assert_refused(
                    self.replay(content), f"made.trace:{number}: ", part
                )

    def test_no_prefix_of_a_trace_is_accepted_silently(self):
        """Cut inside a line, it is refused; cut behind one, it is a shorter trace."""
        for size in range(1, len(GOOD), 7):
            done = self.replay(GOOD[:size])
            with self.subTest(size=size):
                whole = GOOD[size - 1] == "\n"
                self.assertEqual(done.returncode, 0 if whole else 2, done.stderr)

    def test_cut_and_damaged_compression_is_refused(self):
        packed = lzma.compress(GOOD.encode() * 1)
        self.assert_refused(self.replay(packed[:-9]), "cut off|damaged")
        self.assert_refused(self.replay(packed[:40]), "cut off")
        damaged = bytearray(packed)
        damaged[len(packed) // 2] ^= 0x55
        self.assert_refused(self.replay(bytes(damaged)), "damaged|cut off")
        self.assert_refused(self.replay(packed + b"more"), "damaged|cut off")

    def test_a_file_that_is_no_trace_is_refused(self):
        self.assert_refused(self.replay(""), "empty")
        self.assert_refused(self.replay(b"\x7fELF\2\1\1\0\n"), ":1: ")
        self.assert_refused(self.replay(b"no newline"), ":1: .*no end")
        self.assert_refused(run(PROGRAM, "replay", self.folder / "gone"), "gone: ")
        self.assert_refused(run(PROGRAM, "replay", self.folder), "directory")

    def test_a_line_without_end_is_limited(self):
        self.assert_refused(self.replay(b"# " + b"x" * (3 << 20)), ":1: .*1048576")
        self.assert_refused(self.replay(b"#" * (1 << 20) + b"#\n"), ":1: .*too long")
        self.assertEqual(self.replay(b"#" * (1 << 20) + b"\n" + b"# x\n").returncode, 0)

    def test_a_bomb_of_one_line_is_limited(self):
        bomb = lzma.compress(b"#" * (256 << 20), preset=1)
        self.assertLess(len(bomb), 1 << 17)
        self.assert_refused(self.replay(bomb), ":1: .*1048576")

    def test_compression_that_wants_much_memory_is_refused(self):
        filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 256 << 20}]
        packed = lzma.compress(GOOD.encode(), filters=filters)
        self.assert_refused(self.replay(packed), "128 MiB")

    def test_names_from_a_trace_do_not_reach_the_terminal_raw(self):
        done = self.replay(GOOD + "\x1b[31m 1\n")
        self.assertNotIn("\x1b", done.stderr)


class Outcomes(Case):
    def test_an_outcome_that_differs_is_shown_with_its_line(self):
        done = self.replay(GOOD + "g 1 3 2 7 n\n")
        self.assertEqual(done.returncode, 1)
        line = GOOD.count("\n") + 1
        self.assertRegex(
            done.stderr, f"made.trace:{line}: size of an instance of made.B"
        )
        self.assertRegex(done.stderr, "nothing was expected")

    def test_ten_differences_are_shown(self):
        done = self.replay(GOOD + "g 1 3 2 7 n\n" * 25, "--policy", "search")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "25 gets differ")
        self.assertEqual(done.stderr.count("made.trace:"), 10)

    def test_orders_that_c3_does_not_give_are_supplied(self):
        odd = "K 5 hd made.D 3,2 5,2,3,1 -\nO 5 5 -\ng 5 5 2 7 d1\n"
        text = GOOD.replace("M 3 hd 1 3,1\n", odd).split("g 1 3 1 7 n\n")[0]
        done = self.replay(text, "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(json.loads(done.stdout)["runs"][0]["orders_supplied"], 1)

    def test_a_count_that_differs_is_shown(self):
        rows = self.file("--policy search : 9 - - - - - - -\n", "rows")
        done = self.replay(GOOD, "--expect", rows)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "rows:1: instance: 9 expected, 11 counted")

    def test_rows_that_are_wrong_are_refused(self):
        for text, part in [
            ("--policy search\n", "no colon"),
            ("--policy nothing : - - - - - - - -\n", "--policy takes"),
            ("--policy : - - - - - - - -\n", "--policy takes"),
            ("--table-size 0 : - - - - - - - -\n", "1 to 1048576"),
            ("--table-size : - - - - - - - -\n", "1 to 1048576"),
            ("--json : - - - - - - - -\n", "not an option"),
            ("--policy search : 1 2 3\n", "eight counts"),
            ("--policy search : 1 2 3 4 5 6 7 8 9\n", "more than eight"),
            ("--policy search : -1 2 3 4 5 6 7 8\n", "eight counts"),
            ("--policy search : x 2 3 4 5 6 7 8\n", "eight counts"),
        ]:
            with self.subTest(text):
                path = self.file("# a comment\n" + text, "rows")
                done = self.replay(GOOD, "--expect", path)
                self.assert_refused(done, "rows:2: ", part)


class Options(Case):
    def test_bad_usage_is_refused(self):
        trace = self.file(GOOD)
        for words, part in [
            ([], "the verb is"),
            (["sing"], "sing: the verb is"),
            (["replay"], "no file"),
            (["replay", trace, trace], "one file"),
            (["replay", trace, "--what"], "--what: not an option"),
            (["replay", trace, "--order"], "1998 or python3"),
            (["replay", trace, "--order", "1999"], "1999.*1998 or python3"),
            (["replay", trace, "--policy"], "value is missing"),
            (["replay", trace, "--policy", "none"], "none.*table64"),
            (["replay", trace, "--table-size", "0"], "1 to 1048576"),
            (["replay", trace, "--table-size", "1048577"], "1 to 1048576"),
            (["replay", trace, "--table-size", "-5"], "1 to 1048576"),
            (["replay", trace, "--table-size", "64x"], "1 to 1048576"),
            (["replay", trace, "--table-size", ""], "1 to 1048576"),
            (["replay", trace, "--mark", "maybe"], "yes or no"),
            (["replay", trace, "--when-full", "burst"], "hierarchy"),
            (["replay", trace, "--thrash-limit", "-1"], "a number"),
            (
                ["replay", trace, "--policy", "site", "--when-full", "hierarchy"],
                "clear, stop or poor",
            ),
            (["replay", trace, "--table-pool", "9999999999"], "a number"),
            (["replay", trace, "--rounds", "100"], "0 to 99"),
            (["replay", trace, "--expect", "/gone/rows"], "/gone/rows"),
        ]:
            with self.subTest(words=words[1:]):
                self.assert_refused(run(PROGRAM, *words), part)

    def test_help_and_version(self):
        for words in (["--help"], ["replay", "--help"]):
            done = run(PROGRAM, *words)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for option in ("--order", "--table-pool", "--report", "--json"):
                self.assertIn(option, done.stdout)
        self.assertRegex(
            run(PROGRAM, "--version").stdout, r"^latebind \d+\.\d+\.\d+\n$"
        )

    def test_all_policies_run_after_the_plain_search(self):
        said = json.loads(self.replay(GOOD, "--json").stdout)
        names = [one["policy"] for one in said["runs"]]
        self.assertEqual(names, ["search", "table64", "site", "table"])

    def test_knobs_reach_the_policies_that_have_them(self):
        words = ["--table-size", 2, "--negative", "--drop", "--when-full", "stop"]
        words += ["--mark", "no", "--thrash-limit", 3, "--table-pool", 4]
        words += ["--order", "python3"]
        said = json.loads(self.replay(GOOD, "--json", *words).stdout)
        by_policy = {one["policy"]: one for one in said["runs"]}
        self.assertEqual({one["order"] for one in said["runs"]}, {"python3"})
        table64 = by_policy["table64"]
        wanted = {
            "table_size": 2, "negative": True, "drop": True, "when_full": "stop",
            "mark": False, "thrash_limit": 3, "table_pool": 4,
        }  # fmt: skip
        self.assertEqual({key: table64[key] for key in wanted}, wanted)
        self.assertIsNone(by_policy["table"]["table_size"])
        self.assertTrue(by_policy["table"]["mark"])

    def test_a_hierarchy_is_for_names(self):
        said = json.loads(
            self.replay(GOOD, "--json", "--when-full", "hierarchy").stdout
        )
        ways = {one["policy"]: one["when_full"] for one in said["runs"]}
        self.assertEqual((ways["table64"], ways["site"]), ("hierarchy", "clear"))

    def test_a_full_table_that_stops_begins_no_generation(self):
        def generations(how):
            words = ["--policy", "table64", "--table-size", "1", "--when-full", how]
            said = json.loads(self.replay(GOOD, "--json", *words).stdout)
            return said["runs"][1]["counters"]["generations"]

        self.assertEqual(generations("stop"), 1)
        self.assertGreater(generations("clear"), 1)

    def test_the_mark_saves_instance_look_ups(self):
        words = ["--policy", "search", "--mark", "yes", "--json"]
        before, after = json.loads(self.replay(GOOD, *words).stdout)["runs"]
        spared = after["counters"]["saved_lookups"]
        self.assertGreater(spared, 0)
        self.assertEqual(
            before["counters"]["instance_lookups"],
            after["counters"]["instance_lookups"] + spared,
        )


class Output(Case):
    def test_any_file_name_gives_valid_json(self):
        for name in (
            'quote".x',
            "back\\slash",
            "new\nline",
            "\u00e9\u4e2d",
            "\udcff\udcc3",
        ):
            done = self.replay(GOOD, "--json", name=name)
            shown = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            with self.subTest(name=name.encode("utf-8", "surrogateescape")):
                said = json.loads(done.stdout)
                self.assertEqual(Path(said["trace"]["file"]).name, shown)

    def test_times_are_told_when_rounds_are_run(self):
        path = self.file(GOOD)
        done = run(PROGRAM, "replay", path, "--json", "--rounds", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        for one in json.loads(done.stdout)["runs"]:
            self.assertEqual(
                set(one["ns_per_get"]), {"median", "least", "most", "ratio"}
            )
        without = json.loads(self.replay(GOOD, "--json").stdout)
        self.assertTrue(all(one["ns_per_get"] is None for one in without["runs"]))

    def test_a_trace_without_gets_is_fine(self):
        path = self.file("# nothing\n")
        done = run(PROGRAM, "replay", path, "--json", "--report", self.folder / "r")
        self.assertEqual(done.returncode, 0, done.stderr)
        json.loads(done.stdout)

    def test_the_table_shows_each_policy(self):
        text = self.replay(GOOD).stdout
        for word in ("search", "table64", "site", "table", "instance look-ups", "gets"):
            self.assertIn(word, text)

    def test_the_page_is_whole_and_needs_nothing_else(self):
        rows = self.file("--policy search : 11 - - - - - - -\n", "rows")
        folder = self.folder / "page"
        done = self.replay(
            GOOD, "--report", folder, "--expect", rows, name="a<b>&'.trace"
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("page/replay.html: written", done.stdout)
        page = (folder / "replay.html").read_text()
        self.assertIn("a&lt;b>&amp;&#39;.trace", page)
        for part in ("http:", "https:", "<script", "nan", "inf'"):
            self.assertNotIn(part, page)
        self.assertEqual(Balance.of(page), [])
        self.assertEqual(page.count("<svg"), 3)

    def test_a_page_that_cannot_be_written_is_told(self):
        path = self.file("in the way", "page")
        done = self.replay(GOOD, "--report", path)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, "page/replay.html")
        done = self.replay(GOOD, "--report", "/gone/deep/page")
        self.assertEqual(done.returncode, 2)

    def test_output_that_cannot_be_written_is_told(self):
        path = self.file(GOOD)
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [PROGRAM, "replay", path, "--rounds", "0"],
                stdout=full,
                stderr=subprocess.PIPE,
            )
        self.assertEqual(done.returncode, 2)


class Balance(HTMLParser):
    """The elements of a page that are opened or closed alone."""

    KEPT_OPEN = {"html", "meta", "tr", "td", "th", "br"}

    def __init__(self):
        super().__init__()
        self.stack, self.faults = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.KEPT_OPEN:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        if tag in self.KEPT_OPEN:
            return
        if not self.stack or self.stack.pop() != tag:
            self.faults.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    @classmethod
    def of(cls, page):
        parser = cls()
        parser.feed(page)
        parser.close()
        return parser.faults + parser.stack


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    sys.exit(run_tests())
