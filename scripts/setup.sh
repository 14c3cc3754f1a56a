#!/bin/sh
# Install what the build needs and the machine lacks.
#
#   scripts/setup.sh [run|test|check|bench|lint|peers]...     (default: run)
#
# Each group names its packages once, below.  A package counts as present when
# dpkg says so, or when what it brings is found anyway (a command, a library
# known to pkg-config, a folder), so a machine without apt can be prepared by
# hand.  Then the folder .venv gets what Python needs, from PyPI by pip; the lists
# are python/requirements-*.txt.  Nothing is fetched unless something is missing.
set -eu

# PACKAGE=PROBE; is_found below knows the probes.
build_group="gcc=cmd:cc libc6-dev=file:/usr/include/stdio.h
    meson=cmd:meson ninja-build=cmd:ninja pkg-config=cmd:pkg-config
    python3-dev=python python3-venv=python"
# What the operators use: JSON, products, convolutions, vectors; a device.
ops_group="libjansson-dev=pc:jansson zlib1g-dev=pc:zlib
    libopenblas-dev=pc:openblas libdnnl-dev=file:/usr/include/dnnl.h
    libsleef-dev=file:/usr/include/sleef.h pocl-opencl-icd=pocl
    ocl-icd-libopencl1=lib:libOpenCL.so.1 libclblast1=lib:libclblast.so.1"
run_group="$build_group libexpat1-dev=pc:expat liblzma-dev=pc:liblzma
    papirus-icon-theme=dir:/usr/share/icons/Papirus
    adwaita-icon-theme=dir:/usr/share/icons/Adwaita $ops_group"
test_group="$run_group g++=cmd:g++ clang=cmd:clang libcmocka-dev=pc:cmocka
    clang-runtime openmpi-bin=cmd:mpirun libopenmpi-dev=pc:ompi-c"
check_group="$test_group valgrind=cmd:valgrind gcovr=cmd:gcovr cmake=cmd:cmake
    python3-dbg=cmd:python3-dbg python3-torch=debian:torch"
bench_group="$build_group $ops_group g++=cmd:g++ gobjc=objc
    libtorch-dev=file:/usr/include/torch/csrc/api/include/torch/torch.h
    python3-torch=debian:torch
    libglib2.0-dev=pc:gobject-2.0 python3-dev=pc:python3-embed
    liblua5.4-dev=pc:lua5.4"
lint_group="$build_group clang-format=cmd:clang-format"

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# The Python that everything here is built for: the first that can build
# extensions and make virtual environments; the system's own before others.
find_python() {
    for candidate in /usr/bin/python3 python3 python3.14 python3.13 python3.12 \
        python3.11 python3.10; do
        if "$candidate" -c '
import os, sys, sysconfig, ensurepip, venv
header = os.path.join(sysconfig.get_paths()["include"], "Python.h")
sys.exit(not (sys.version_info >= (3, 10) and os.path.isfile(header)))
' >/dev/null 2>&1; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

is_found() {
    case $1 in
        python) find_python >/dev/null ;;
        cmd:*) command -v "${1#cmd:}" >/dev/null 2>&1 ;;
        pc:*) pkg-config --exists "${1#pc:}" 2>/dev/null ;;
        dir:*) [ -d "${1#dir:}" ] ;;
        file:*) [ -f "${1#file:}" ] ;;
        lib:*) ldconfig -p 2>/dev/null | grep -q "${1#lib:}" ;;
        debian:*) /usr/bin/python3 -c "import ${1#debian:}" >/dev/null 2>&1 ;;
        pocl) [ -n "$(ls /etc/OpenCL/vendors/pocl*.icd 2>/dev/null)" ] ;;
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

# Collect the packages of the groups that were asked for, and the lists of what
# goes into .venv.
wanted=
lists=
for group in "${@:-run}"; do
    case $group in
        run) wanted="$wanted $run_group"; lists="$lists run" ;;
        test) wanted="$wanted $test_group"; lists="$lists test" ;;
        check) wanted="$wanted $check_group"; lists="$lists test" ;;
        bench) wanted="$wanted $bench_group"; lists="$lists build" ;;
        lint) wanted="$wanted $lint_group"; lists="$lists test" ;;
        peers) wanted="$wanted $build_group"; lists="$lists peers" ;;
        *) die "unknown group '$group' (run, test, check, bench, lint, peers)" ;;
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

hint() {
    [ -z "$runtime_missing" ] || missing="$missing $(clang_runtime_package)"
    die "missing:$missing
setup: $1
setup: install them (as root, on Debian: apt-get install$missing)
setup: and try again."
}

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

install_packages() {
    command -v apt-get >/dev/null 2>&1 || hint "there is no apt-get here."
    [ "$(id -u)" = 0 ] || hint "installing packages needs root."
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
}

# Python ----------------------------------------------------------------------

root=$(cd "$(dirname "$0")/.." && pwd)
venv=$root/.venv

# A new environment when there is none that works.
make_venv() {
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 && return 0
    python=$(find_python) || die "no Python >= 3.10 with its headers and venv."
    say "making .venv with $python"
    rm -rf "$venv"
    "$python" -m venv "$venv" >"$log" 2>&1 || { cat "$log" >&2; die "no .venv."; }
}

pip_install() {
    attempt "$venv/bin/python" -m pip install --quiet --retries 5 --timeout 60 \
        --disable-pip-version-check -r "$1"
}

# Install a list; when that fails, without the lines that are optional.  A stamp
# says what was asked for, so that the next time costs nothing.
fill_venv() {
    stamp=$venv/latebind-$1.txt
    content=$(cat "$root/python/requirements-build.txt" \
        "$root/python/requirements-$1.txt" | sed '/^-r /d')
    [ "$(cat "$stamp" 2>/dev/null)" != "$content" ] || return 0
    say "installing python/requirements-$1.txt into .venv"
    printf '%s\n' "$content" >"$venv/wanted.txt"
    if ! pip_install "$venv/wanted.txt"; then
        printf '%s\n' "$content" | sed '/# optional/d' >"$venv/wanted.txt"
        pip_install "$venv/wanted.txt" ||
            die "pip could not install python/requirements-$1.txt"
        say "left out what is optional; to try again, remove $stamp"
    fi
    printf '%s\n' "$content" >"$stamp"
}

[ -z "$missing$runtime_missing" ] || install_packages
make_venv
for list in $lists; do
    fill_venv "$list"
done
