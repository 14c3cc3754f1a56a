#!/bin/sh
# Say what can be said about the files without running them.
#
#   scripts/lint.sh [C FILE]...
#
# Tools that are not installed are named and left out.
set -u
cd "$(dirname "$0")/.." || exit 2
failed=

step() {
    name=$1
    shift
    if ! command -v "$1" >/dev/null 2>&1; then
        echo "lint: $name: skipped, no $1"
        return
    fi
    if "$@"; then
        echo "lint: $name: good"
    else
        echo "lint: $name: NOT good"
        failed=yes
    fi
}

[ $# -eq 0 ] || step "C layout" clang-format --dry-run --Werror "$@"
step "layers" python3 scripts/check-layers.py
step "listed files" python3 scripts/check-listed.py
step "comments of public functions" python3 scripts/check-comments.py
step "headers alone" python3 scripts/check-headers.py
step "Python" ruff check scripts tests python bench examples
step "Python layout" ruff format --check scripts tests python bench examples
step "shell" shellcheck scripts/setup.sh scripts/lint.sh .ci/run

# Clang's deeper look needs the compile commands of a build.
if [ -f build/release/compile_commands.json ]; then
    # shellcheck disable=SC2046
    step "clang-tidy" clang-tidy --quiet -p build/release \
        $(find src -name '*.c' | sort)
else
    echo "lint: clang-tidy: skipped, needs build/release (make test)"
fi

[ -z "$failed" ]
