"""The program train, as a user runs it.

usage: test_train.py CASE TRAIN [PLUGIN | TRAIN_MPI]

digits      the MLP gets 96 %, the convolutional network 98 % of the test rows
activation  an operator of a plug-in is used by name
model       a model of a plug-in is trained by the same loop
resume      a run that was stopped and resumed has the losses of one that was not
mpi         two processes get the losses of one
errors      what is wrong is said, and the exit status is not 0
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

DATA = pathlib.Path(__file__).parents[2] / "data"


def run(command, *options, device="cpu"):
    command = [*command, "--quiet", "--device", device, "--data", DATA, *options]
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=500
    )


def output(command, *options):
    result = run(command, *options)
    assert result.returncode == 0, result.stderr
    return result.stdout


def accuracy(text):
    return float(re.search(r"accuracy ([\d.]+) %", text)[1])


def digits(train, _):
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder) / "training.html"
        for model, least in (("mlp", 96), ("cnn", 98)):
            got = accuracy(output([train], "--model", model, "--curve", page))
            print(f"{model}: {got} %")
            assert got >= least, (model, got)
        html = page.read_text()
        assert html.count("<svg") == 2 and "<script" not in html
        output([train], "--steps", "3", "--curve", page)
        assert page.read_text().count("<svg") == 2, "a figure takes its old place"


def activation(train, plugin):
    text = output([train], "--plugin", plugin, "--activation", "mish")
    assert re.search(r"mish +cpu +[1-9]", text), text
    assert re.search(r"mish_backward +cpu +[1-9]", text), text
    assert accuracy(text) >= 95, text


def model(train, plugin):
    text = output([train], "--model", plugin)
    assert "model: residual" in text, text
    assert accuracy(text) >= 95, text


def losses(command, folder, *options):
    path = folder / "losses"
    output(command, "--losses", path, *options)
    return [float(line) for line in path.read_text().split()]


def resume(train, _):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        saved = folder / "saved.safetensors"
        for optimizer in ("adam", "sgd"):
            same = ["--constant", "--optimizer", optimizer, "--rate", "0.01"]
            same += ["--checkpoint", saved]
            whole = losses([train], folder, "--steps", "60", *same)
            first = losses([train], folder, "--steps", "30", *same)
            second = losses([train], folder, "--steps", "60", "--resume", *same)
            assert len(whole) == 60 and len(second) == 30
            assert first + second == whole, (optimizer, second[:3], whole[30:33])
        assert not list(folder.glob("*.tmp"))


def mpi(train, train_mpi):
    mpirun = shutil.which("mpirun")
    if mpirun is None:
        print("skipped: there is no mpirun")
        sys.exit(77)
    os.environ.update(OMPI_MCA_btl_vader_single_copy_mechanism="none")
    two = [mpirun, "--allow-run-as-root", "--oversubscribe", "-n", "2", train_mpi]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for optimizer, rate in (("sgd", "0.05"), ("adam", "0.002")):
            same = ["--steps", "100", "--optimizer", optimizer, "--rate", rate]
            one = losses([train], folder, *same)
            both = losses(two, folder, *same)
            assert len(one) == len(both) == 100
            apart = max(abs(a - b) / abs(a) for a, b in zip(one, both, strict=False))
            # Sums of 32 in f32 in another order, carried on over 100 steps.
            print(f"{optimizer}: apart by {apart:.1e} at most")
            assert apart < 1e-4, apart
            assert one[-1] < 0.7 * one[0], one


def errors(train, _):
    with tempfile.TemporaryDirectory() as name:
        broken = pathlib.Path(name) / "broken"
        broken.write_bytes(b"\xff" * 100)
        for options, said in (
            (["--model", "nothing"], 'no model "nothing"; there are: mlp, cnn, gpt'),
            (["--device", "nothing"], 'no device "nothing"; there are: cpu'),
            (["--activation", "nothing"], 'no operator "nothing"'),
            (["--activation", "add"], "add is no operator of one input"),
            (["--optimizer", "nothing"], "--optimizer is adam or sgd"),
            (["--batch", "100000"], "a batch of 100000 samples"),
            (["--steps", "x"], "no number"),
            (["--nothing"], "not known"),
            (["--load", broken], "a header of"),
            (["--load", broken.parent / "missing"], "No such file"),
            (["--plugin", broken], "broken"),
        ):
            device = options.pop() if options[0] == "--device" else "cpu"
            if device != "cpu":
                options = []
            result = run([train], *options, device=device)
            assert result.returncode in (1, 2), (options, result)
            assert said in result.stderr, (said, result.stderr)


if __name__ == "__main__":
    case, program, *further = sys.argv[1:]
    globals()[case](program, further[0] if further else None)
