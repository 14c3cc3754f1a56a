"""The kernels' texts as CUDA: what the plug-in hands to the compiler for every
kernel that test_opencl.c launches is read by clang, which knows the language.

Arguments: the program ops-test_opencl, the fake driver.  Without clang the test is
skipped (status 77).
"""

import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

# What NVRTC knows without headers.
KNOWN = """
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
struct place_t { unsigned x, y, z; };
extern __device__ const place_t threadIdx, blockIdx, blockDim;
__device__ void __syncthreads();
extern "C" __device__ float __uint_as_float(unsigned);
extern "C" __device__ unsigned __float_as_uint(float);
extern "C" __device__ unsigned __umulhi(unsigned, unsigned);
#define BOTH(name) __device__ float name(float); __device__ double name(double);
BOTH(exp) BOTH(log) BOTH(tanh) BOTH(sqrt) BOTH(erf) BOTH(fabs) BOTH(sin) BOTH(cos)
__device__ float pow(float, float);
__device__ double pow(double, double);
#line 1
"""

OPTIONS = [
    "-x",
    "cuda",
    "--cuda-device-only",
    "-nocudainc",
    "-nocudalib",
    "--cuda-gpu-arch=sm_70",
    "-fsyntax-only",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-unused",
    "-Wno-tautological-compare",
    "-Wno-sign-compare",
    "-Wno-unused-parameter",
    "-Wno-unknown-cuda-version",
]


def write_texts(program, fake, folder):
    """Runs all launches; the fake compiler keeps what it is given."""
    names = ["DRIVER", "NVRTC", "CUBLAS"]
    environment = os.environ | {f"LATEBIND_CUDA_{name}": fake for name in names}
    environment["FAKE_CUDA_KEEP"] = str(folder)
    done = subprocess.run(
        [program, "cuda", "launches"], env=environment, capture_output=True, text=True
    )
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)


def check(clang, path):
    path.write_text(KNOWN + path.read_text())
    done = subprocess.run([clang, *OPTIONS, path], capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stderr


def main():
    clang = shutil.which("clang")
    if clang is None:
        print("no clang here: skipped")
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_texts(sys.argv[1], sys.argv[2], folder)
        texts = sorted(folder.glob("*.cu"))
        with concurrent.futures.ThreadPoolExecutor(2) as workers:
            told = workers.map(lambda path: check(clang, path), texts)
            wrong = [text for text in told if text]
    print(f"{len(texts)} texts, {len(wrong)} wrong", *wrong[:3], sep="\n")
    return 1 if wrong or len(texts) < 100 else 0


sys.exit(main())
