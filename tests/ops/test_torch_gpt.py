"""The same models from the same start, here and in PyTorch: the losses agree.

usage: test_torch_gpt.py TRAIN [FOLDER]

Weights and batches are written as safetensors by the few lines below, so that the
reader of the library is checked against somebody else's writer. TRAIN runs its
steps and prints each loss at full precision; PyTorch does the same steps.

How close the losses must be: both compute in f32 (unit roundoff u = 6e-8) but sum
in another order. The longest sums have some 500 terms, which makes about sqrt(500) u
= 1.3e-6 in what a single layer gives, and less in a loss that is the mean over many
rows: 5e-6 for the first ten steps. Every step carries the differences on and adds
its own, so that a hundred of them may come to a hundred times a step's: 1e-4 at the
end. (Measured: 4e-7 at most.)
"""

import json
import math
import pathlib
import struct
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

TYPES = {"float32": "F32", "int64": "I64"}
WIDTH, DEPTH, HEADS, CONTEXT, SYMBOLS = 128, 4, 4, 64, 65


def write_safetensors(path, tensors):
    header, parts, at = {}, [], 0
    for name, tensor in tensors.items():
        array = np.ascontiguousarray(tensor)
        data = array.tobytes()
        header[name] = {
            "dtype": TYPES[str(array.dtype)],
            "shape": list(array.shape),
            "data_offsets": [at, at + len(data)],
        }
        parts.append(data)
        at += len(data)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(parts))


def read_safetensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    names = {short: long for long, short in TYPES.items()}
    result = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        first, last = (8 + length + offset for offset in entry["data_offsets"])
        array = np.frombuffer(data[first:last], names[entry["dtype"]])
        result[name] = array.reshape(entry["shape"])
    return result


def linear_start(generator, start, name, inputs, outputs, bias=True):
    bound = 1 / math.sqrt(inputs)
    start[f"{name}.weight"] = generator.uniform(-bound, bound, (outputs, inputs))
    if bias:
        start[f"{name}.bias"] = generator.uniform(-bound, bound, outputs)


def gpt_start(generator):
    start = {
        "symbols.weight": generator.normal(0, 0.02, (SYMBOLS, WIDTH)),
        "places.weight": generator.normal(0, 0.02, (CONTEXT, WIDTH)),
    }
    for i in range(DEPTH):
        for norm in ("norm1", "norm2"):
            start[f"block{i}.{norm}.weight"] = generator.uniform(0.5, 1.5, WIDTH)
            start[f"block{i}.{norm}.bias"] = generator.normal(0, 0.1, WIDTH)
        linear_start(generator, start, f"block{i}.attention.qkv", WIDTH, 3 * WIDTH)
        linear_start(generator, start, f"block{i}.attention.projection", WIDTH, WIDTH)
        linear_start(generator, start, f"block{i}.grow", WIDTH, 4 * WIDTH)
        linear_start(generator, start, f"block{i}.shrink", 4 * WIDTH, WIDTH)
    start["norm.weight"] = np.ones(WIDTH)
    start["norm.bias"] = np.zeros(WIDTH)
    linear_start(generator, start, "head", WIDTH, SYMBOLS, bias=False)
    return start


def gpt_forward(p, x):
    batch, time = x.shape

    def norm(x, name):
        return F.layer_norm(x, (WIDTH,), p[f"{name}.weight"], p[f"{name}.bias"])

    def linear(x, name):
        return F.linear(x, p[f"{name}.weight"], p.get(f"{name}.bias"))

    mask = torch.full((time, time), -math.inf).triu(1)
    h = p["symbols.weight"][x] + p["places.weight"][:time]
    for i in range(DEPTH):
        block = f"block{i}"
        qkv = linear(norm(h, f"{block}.norm1"), f"{block}.attention.qkv")
        q, k, v = (
            part.view(batch, time, HEADS, WIDTH // HEADS).transpose(1, 2)
            for part in qkv.split(WIDTH, dim=2)
        )
        scores = q @ k.transpose(-2, -1) / math.sqrt(WIDTH // HEADS) + mask
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, time, WIDTH)
        h = h + linear(mixed, f"{block}.attention.projection")
        grown = F.gelu(linear(norm(h, f"{block}.norm2"), f"{block}.grow"))
        h = h + linear(grown, f"{block}.shrink")
    return linear(norm(h, "norm"), "head").view(batch * time, SYMBOLS)


def mlp_start(generator):
    start = {}
    for name, inputs, outputs in (("1", 64, 128), ("3", 128, 128), ("5", 128, 10)):
        linear_start(generator, start, name, inputs, outputs)
    return start


def mlp_forward(p, x):
    h = x.flatten(1)
    for name in ("1", "3"):
        h = F.relu(F.linear(h, p[f"{name}.weight"], p[f"{name}.bias"]))
    return F.linear(h, p["5.weight"], p["5.bias"])


def torch_losses(forward, start, batches, optimizer):
    p = {
        name: torch.tensor(value, dtype=torch.float32, requires_grad=True)
        for name, value in start.items()
    }
    step = optimizer(list(p.values()))
    losses = []
    for x, y in zip(batches["x"], batches["y"], strict=False):
        step.zero_grad()
        loss = F.cross_entropy(forward(p, torch.from_numpy(x)), torch.from_numpy(y))
        loss.backward()
        step.step()
        losses.append(loss.item())
    return losses, {name: value.detach().numpy() for name, value in p.items()}


def our_losses(train, folder, model, start, batches, options):
    paths = {
        name: folder / f"{model}.{name}"
        for name in ("start", "batches", "losses", "end")
    }
    write_safetensors(
        paths["start"], {name: np.float32(value) for name, value in start.items()}
    )
    write_safetensors(paths["batches"], batches)
    command = [train, "--model", model, "--device", "cpu", "--constant", "--quiet"]
    command += ["--load", paths["start"], "--batches", paths["batches"]]
    command += ["--losses", paths["losses"], "--checkpoint", paths["end"]]
    command += ["--data", pathlib.Path(__file__).parents[2] / "data"]
    command += ["--context", str(CONTEXT), "--steps", str(len(batches["x"]))]
    command = [*map(str, command), *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    losses = [float(line) for line in paths["losses"].read_text().split()]
    return losses, read_safetensors(paths["end"])


def compare(what, ours, theirs, early, late):
    assert len(ours) == len(theirs), (len(ours), len(theirs))
    apart = [abs(a - b) / abs(b) for a, b in zip(ours, theirs, strict=False)]
    first, last = max(apart[:10]), max(apart)
    print(
        f"{what}: {len(ours)} steps, loss {theirs[0]:.4f} to {theirs[-1]:.4f}; "
        f"apart by {first:.1e} in the first 10, {last:.1e} at most"
    )
    assert theirs[-1] < 0.9 * theirs[0], "nothing was learned: the test shows little"
    assert first < early and last < late, (first, last)


def digits_batches(generator, steps, size):
    """Labels that depend on the pixels, so that there is something to learn."""
    x = generator.uniform(0, 1, (steps, size, 1, 8, 8)).astype(np.float32)
    teacher = generator.normal(0, 1, (64, 10))
    scores = (x.reshape(steps, size, 64) - 0.5) @ teacher
    return {"x": x, "y": scores.argmax(-1).astype(np.int64)}


def text_batches(generator, steps, size):
    path = pathlib.Path(__file__).parents[2] / "data" / "text" / "tinyshakespeare.txt"
    text = np.frombuffer(path.read_bytes(), np.uint8)
    numbers = np.searchsorted(np.unique(text), text).astype(np.int64)
    places = generator.integers(0, len(text) - CONTEXT - 1, (steps, size))
    x = np.stack([[numbers[at : at + CONTEXT] for at in row] for row in places])
    y = np.stack([[numbers[at + 1 : at + CONTEXT + 1] for at in row] for row in places])
    return {"x": x, "y": y.reshape(steps, size * CONTEXT)}


def main():
    train = sys.argv[1]
    generator = np.random.default_rng(5)
    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        cases = [
            (
                "mlp",
                "sgd",
                lambda p: torch.optim.SGD(p, 0.05, momentum=0.9, weight_decay=1e-3),
                ["--optimizer", "sgd", "--rate", "0.05", "--momentum", "0.9"]
                + ["--decay", "1e-3"],
            ),
            (
                "mlp",
                "adamw",
                lambda p: torch.optim.AdamW(p, 2e-3, weight_decay=1e-2),
                ["--rate", "2e-3", "--decay", "1e-2"],
            ),
            ("gpt", "adam", lambda p: torch.optim.Adam(p, 1e-3), ["--rate", "1e-3"]),
        ]
        for model, what, optimizer, options in cases:
            if model == "mlp":
                start, forward = mlp_start(generator), mlp_forward
                batches = digits_batches(generator, 200, 32)
            else:
                start, forward = gpt_start(generator), gpt_forward
                batches = text_batches(generator, 100, 8)
            theirs, their_end = torch_losses(forward, start, batches, optimizer)
            ours, our_end = our_losses(train, folder, model, start, batches, options)
            compare(f"{model}, {what}", ours, theirs, 5e-6, 1e-4)
            missing = set(their_end) - set(our_end)
            assert not missing, missing
            wrong = [n for n, v in their_end.items() if our_end[n].shape != v.shape]
            assert not wrong, wrong


if __name__ == "__main__":
    main()
