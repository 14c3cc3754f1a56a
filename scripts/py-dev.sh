#!/bin/sh
# Build the Python package into a folder, for trying it out in place:
#
#   scripts/py-dev.sh DIR [CC-FLAG]...     (PYTHON=/usr/bin/python3-dbg, CC=clang)
#   PYTHONPATH=DIR/site python3 -c 'import latebind'
#
# The Python files are links into the working tree; only the extension and the
# library are built, file by file as they change.
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
ln -sfn "$root/include" "$dir/site/latebind/include"
