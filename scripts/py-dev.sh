#!/bin/sh
# Build the Python package into a folder, for trying it out in place:
#
#   scripts/py-dev.sh DIR [CC-FLAG]...     (PYTHON=/usr/bin/python3-dbg, CC=clang)
#   PYTHONPATH=DIR/site python3 -c 'import latebind'
#
# The Python files are links into the working tree; only the extensions and the
# libraries are built, file by file as they change. The operators' library comes
# from Meson, in DIR/ops; without Meson or jansson there is no latebind.ops.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
dir=$1; shift
python=${PYTHON:-/usr/bin/python3}
mkdir -p "$dir/site/latebind" "$dir/obj"
includes=$("$python" -c 'import sysconfig as s; print("-I" + s.get_paths()["include"])')
suffix=$("$python" -c 'import sysconfig as s; print(s.get_config_var("EXT_SUFFIX"))')
flags="-O2 -g -std=c11 -fPIC -fvisibility=hidden -D_POSIX_C_SOURCE=200809L
    -Wall -Wextra -I$root/include -I$root/src -I$root/python/src $includes $*"
engine=; extension=
for file in "$root"/src/*/*.c "$root"/python/src/*.c; do
    object=$dir/obj/$(echo "${file#"$root"/}" | tr / _).o
    if [ ! -f "$object" ] || [ -n "$(find "$root/include" "$root/src" \
        "$root/python/src" -name '*.h' -newer "$object")" ] ||
        [ "$file" -nt "$object" ]; then
        # shellcheck disable=SC2086
        ${CC:-cc} $flags -c "$file" -o "$object"
    fi
    case $file in
        "$root"/python/*) extension="$extension $object" ;;
        *) engine="$engine $object" ;;
    esac
done
# shellcheck disable=SC2086
${CC:-cc} -shared $* -Wl,-soname,liblatebind.so.1 $engine \
    -o "$dir/site/latebind/liblatebind.so.1" -lpthread -ldl -lm
# shellcheck disable=SC2086
${CC:-cc} -shared $* '-Wl,-rpath,$ORIGIN' $extension \
    "$dir/site/latebind/liblatebind.so.1" -o "$dir/site/latebind/_core$suffix"
ln -sfn liblatebind.so.1 "$dir/site/latebind/liblatebind.so"
for file in "$root"/python/latebind/*; do
    ln -sfn "$file" "$dir/site/latebind/$(basename "$file")"
done
include=$dir/site/latebind/include
if [ -L "$include" ]; then rm "$include"; fi
mkdir -p "$include/latebind"
for file in "$root"/include/latebind/* "$root"/ops/include/latebind/*; do
    ln -sfn "$file" "$include/latebind/$(basename "$file")"
done

# ---- operators ------------------------------------------------------------

command -v meson >/dev/null && command -v ninja >/dev/null &&
    pkg-config --exists jansson || exit 0
if [ ! -f "$dir/ops/build.ninja" ]; then
    # shellcheck disable=SC2086
    meson setup "$dir/ops" "$root" -Doptimization=2 -Db_lundef=false \
        -Dtests=disabled -Dexamples=disabled -Dcli=disabled -Dops=enabled \
        "-Dc_args=$*" "-Dc_link_args=$*" >/dev/null
fi
plugins=$(ninja -C "$dir/ops" -t targets all |
    sed -n 's,^\(ops/plugins/latebind-ops-[a-z-]*\.so\):.*,\1,p')
# shellcheck disable=SC2086
ninja -C "$dir/ops" --quiet src/liblatebind.so.1 ops/liblatebind-ops.so.1 $plugins
fresh() { cp "$1" "$2.new" && mv "$2.new" "$2"; }
fresh "$dir/ops/ops/liblatebind-ops.so.1" "$dir/site/latebind/liblatebind-ops.so.1"
mkdir -p "$dir/site/latebind/latebind-ops"
for file in $plugins; do
    fresh "$dir/ops/$file" "$dir/site/latebind/latebind-ops/$(basename "$file")"
done
extension=
for file in "$root"/python/ops/*.c; do
    object=$dir/obj/$(echo "${file#"$root"/}" | tr / _).o
    if [ ! -f "$object" ] || [ -n "$(find "$root/include" "$root/ops/include" \
        "$root/python/ops" -name '*.h' -newer "$object")" ] ||
        [ "$file" -nt "$object" ]; then
        # shellcheck disable=SC2086
        ${CC:-cc} $flags -I"$root/ops/include" -c "$file" -o "$object"
    fi
    extension="$extension $object"
done
# shellcheck disable=SC2086
${CC:-cc} -shared $* '-Wl,-rpath,$ORIGIN' $extension \
    "$dir/site/latebind/liblatebind-ops.so.1" \
    "$dir/site/latebind/liblatebind.so.1" -o "$dir/site/latebind/_ops$suffix"
ln -sfn liblatebind-ops.so.1 "$dir/site/latebind/liblatebind-ops.so"
