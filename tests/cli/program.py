"""What the tests of the program share: running it, and being counted."""

import subprocess
import sys
import unittest


def run(program, *words, stdin=None, binary=False):
    """Run the program with these words."""
    return subprocess.run(
        [str(word) for word in (program, *words)],
        capture_output=True,
        text=not binary,
        input=stdin,
        timeout=600,
    )


def run_tests():
    """Run the tests of the main module, and say how many there were in the words
    of cmocka, which scripts/run-tests.py counts; the exit status."""
    result = unittest.main(argv=sys.argv[:1], exit=False).result
    bad = {case.id() for case, _ in result.failures + result.errors}
    # A part of a test that failed carries its name behind the test's.
    names = {name.split(" ")[0] for name in bad}
    print(f"[  PASSED  ] {max(result.testsRun - len(names), 0)} test(s).")
    if names:
        print(f"[  FAILED  ] {len(names)} test(s).")
    return 0 if result.wasSuccessful() and result.testsRun else 1
