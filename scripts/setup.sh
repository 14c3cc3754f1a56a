#!/bin/sh
# Install what the build needs and the machine lacks.
#
#   scripts/setup.sh [run|test|check|bench|lint]...     (default: run)
#
# Each group names its packages once, below.  A package counts as present when
# dpkg says so, or when what it brings is found anyway (a command, a library
# known to pkg-config, a folder), so a machine without apt can be prepared by
# hand.  Nothing is fetched unless something is missing.
set -eu

# PACKAGE=PROBE; is_found below knows the probes.
build_group="gcc=cmd:cc libc6-dev=file:/usr/include/stdio.h
    meson=cmd:meson ninja-build=cmd:ninja pkg-config=cmd:pkg-config"
run_group="$build_group libexpat1-dev=pc:expat liblzma-dev=pc:liblzma
    papirus-icon-theme=dir:/usr/share/icons/Papirus
    adwaita-icon-theme=dir:/usr/share/icons/Adwaita"
test_group="$run_group g++=cmd:g++ clang=cmd:clang libcmocka-dev=pc:cmocka
    clang-runtime"
check_group="$test_group valgrind=cmd:valgrind gcovr=cmd:gcovr cmake=cmd:cmake"
bench_group="$build_group g++=cmd:g++ gobjc=objc
    libglib2.0-dev=pc:gobject-2.0 python3-dev=pc:python3-embed
    liblua5.4-dev=pc:lua5.4"
lint_group="$build_group clang-format=cmd:clang-format"

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

is_found() {
    case $1 in
        cmd:*) command -v "${1#cmd:}" >/dev/null 2>&1 ;;
        pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
        dir:*) [ -d "${1#dir:}" ] ;;
        file:*) [ -f "${1#file:}" ] ;;
        objc) [ -f "$(gcc -print-prog-name=cc1obj 2>/dev/null)" ] ;;
        *) false ;;
    esac
}

# The sanitizers' run time is a package of its own, named after Clang's
# version.  Before Clang is there, apt knows which version it will be.
clang_runtime_missing() {
    command -v clang >/dev/null 2>&1 || return 0
    ! ls "$(clang -print-resource-dir)"/lib/*/libclang_rt.tsan* >/dev/null 2>&1
}

clang_runtime_package() {
    version=
    if command -v clang >/dev/null 2>&1; then
        version=$(clang -dumpversion | cut -d. -f1)
    elif command -v apt-cache >/dev/null 2>&1; then
        version=$(apt-cache depends clang 2>/dev/null |
            sed -n 's/.*Depends: clang-\([0-9][0-9]*\)$/\1/p' | head -n 1)
    fi
    echo "libclang-rt-${version:-14}-dev"
}

# Collect the packages of the groups that were asked for.
wanted=
for group in "${@:-run}"; do
    case $group in
        run) wanted="$wanted $run_group" ;;
        test) wanted="$wanted $test_group" ;;
        check) wanted="$wanted $check_group" ;;
        bench) wanted="$wanted $bench_group" ;;
        lint) wanted="$wanted $lint_group" ;;
        *) die "unknown group '$group' (run, test, check, bench, lint)" ;;
    esac
done

# One question to dpkg for all of them.
names=
for item in $wanted; do
    [ "$item" = clang-runtime ] || names="$names ${item%%=*}"
done
present=
if command -v dpkg-query >/dev/null 2>&1; then
    # shellcheck disable=SC2086
    present=$(dpkg-query -W -f '${db:Status-Status}=${Package}\n' $names \
        2>/dev/null | sed -n 's/^installed=//p' || true)
fi

missing=
runtime_missing=
for item in $wanted; do
    if [ "$item" = clang-runtime ]; then
        if clang_runtime_missing; then runtime_missing=yes; fi
        continue
    fi
    name=${item%%=*}
    case "
$present
" in *"
$name
"*) continue ;; esac
    is_found "${item#*=}" && continue
    case " $missing " in *" $name "*) ;; *) missing="$missing $name" ;; esac
done

[ -n "$missing$runtime_missing" ] || exit 0

hint() {
    [ -z "$runtime_missing" ] || missing="$missing $(clang_runtime_package)"
    die "missing:$missing
setup: $1
setup: install them (as root, on Debian: apt-get install$missing)
setup: and try again."
}

command -v apt-get >/dev/null 2>&1 || hint "there is no apt-get here."
[ "$(id -u)" = 0 ] || hint "installing packages needs root."

# A mirror may be slow or a lock held: three tries, a little further apart.
attempt() {
    for pause in 5 20 0; do
        if "$@" >>"$log" 2>&1; then return 0; fi
        [ "$pause" = 0 ] || { say "failed, once more in ${pause}s"; sleep "$pause"; }
    done
    tail -n 20 "$log" >&2
    return 1
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
options="-o Acquire::Retries=3 -o DPkg::Lock::Timeout=300"

say "reading the package lists"
# shellcheck disable=SC2086
attempt apt-get $options update || say "the lists could not be refreshed"
[ -z "$runtime_missing" ] || missing="$missing $(clang_runtime_package)"
say "installing:$missing"
# shellcheck disable=SC2086
attempt apt-get $options install -y --no-install-recommends $missing ||
    die "apt-get could not install:$missing"
say "done"
