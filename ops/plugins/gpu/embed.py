"""Writes texts of kernels as arrays of C: embed.py OUT.c TEXT..."""

import pathlib
import sys


def array(path):
    data = path.read_bytes() + b"\0"
    lines = [
        "    " + ", ".join(str(byte) for byte in data[i : i + 16]) + ","
        for i in range(0, len(data), 16)
    ]
    head = f"const char gpu_source_{path.stem}[] = {{"
    return "\n".join([head, *lines, "};", ""])


def main():
    texts = [array(pathlib.Path(name)) for name in sys.argv[2:]]
    pathlib.Path(sys.argv[1]).write_text('#include "gpu.h"\n\n' + "\n".join(texts))


main()
