# Runs whole models on an emulated board: converts them on the host, runs pith-run on both, compares the outputs.
# Usage: target_models.py HOST_BUILD TARGET_BUILD CPUS EMULATOR...     the last line counts: "N passed, N failed"
# CPUS: names for QEMU_CPU, separated by commas. Every model runs on the first one, with whatever kernels are chosen there. Models
# whose arithmetic is ours from end to end also run on every CPU and every level of PITH_ISA, here and there: the same bytes.
# Tolerance: float sums come in another order on another vector width, |difference| <= 1e-4 of the output's range, the bound
# that FP32 models must keep against their reference; quantized models may step over a rounding edge: 2 % of the range.
import ast
import glob
import hashlib
import json
import os
import platform
import struct
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CODES = {"f4": "f", "f8": "d", "i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "i8": "q", "u8": "Q",
         "b1": "?", "f2": "e"}


def read_npy(path):
    with open(path, "rb") as f:
        data = f.read()
    major = data[6]
    start, length = (10, struct.unpack("<H", data[8:10])[0]) if major == 1 else (12, struct.unpack("<I", data[8:12])[0])
    header = ast.literal_eval(data[start:start + length].decode("latin1"))
    code = CODES[header["descr"][1:]]
    body = data[start + length:]
    return header["shape"], [float(v[0]) for v in struct.iter_unpack("<" + code, body)]


def run(command, folder, **variables):
    os.makedirs(folder, exist_ok=True)
    done = subprocess.run(command + ["--output-dir", folder], capture_output=True, text=True, timeout=900, check=False,
                          env={**os.environ, **variables})
    if done.returncode != 0:
        raise RuntimeError(f"exit {done.returncode}: {done.stderr.strip()[-300:]}")


def hashes(folder):
    digests = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as f:
            digests[name] = hashlib.sha256(f.read()).hexdigest()
    return digests


def compare(ours, theirs, share):
    names = sorted(os.listdir(theirs))
    if not names or sorted(os.listdir(ours)) != names:
        raise RuntimeError(f"outputs differ: host {names}, target {sorted(os.listdir(ours))}")
    worst = 0.0
    for name in names:
        (shape, a), (expected_shape, b) = read_npy(os.path.join(ours, name)), read_npy(os.path.join(theirs, name))
        if shape != expected_shape:
            raise RuntimeError(f"{name} has shape {shape}, the host gives {expected_shape}")
        span = max(b) - min(b) if b else 0.0
        bound = share * max(span, max((abs(v) for v in b), default=0.0), 1e-6)
        error = max((abs(x - y) for x, y in zip(a, b)), default=0.0)
        if not error <= bound:
            raise RuntimeError(f"{name} differs by {error:.3g}, at most {bound:.3g} allowed")
        worst = max(worst, error / bound * share)
    return worst


def cases(host, work):
    digit = os.path.join(work, "digit")
    subprocess.run([os.path.join(host, "examples/draw_digits"), digit, "--count", "1", "--seed", "3"], check=True,
                   capture_output=True)
    subprocess.run([os.path.join(host, "examples/draw_digits"), digit + "-calibration", "--count", "64", "--seed", "4"],
                   check=True, capture_output=True)
    digits = os.path.join(ROOT, "examples/digits/digits.onnx")
    for precision in ("fp32", "fp16", "int8"):
        extra = ["--calibrate", digit + "-calibration"] if precision == "int8" else []
        yield (f"digits-{precision}", digits, ["--precision", precision] + extra, [f"image={digit}/inputs.npy"],
               0.02 if precision == "int8" else 1e-4)
    for folder in sorted(glob.glob(os.path.join(ROOT, "tests/data/onnx/*/ref*"))):
        with open(os.path.join(folder, "names.json"), encoding="utf-8") as f:
            names = json.load(f)["inputs"]
        model = os.path.dirname(folder)
        name = os.path.basename(model)
        quantized = any(word in name for word in ("qdq", "qlinear", "quantize"))
        yield (f"{name}-{os.path.basename(folder)}", os.path.join(model, "model.onnx"), ["--precision", "fp32"],
               [f"{n}={folder}/input_{i}.npy" for i, n in enumerate(names)], 0.02 if quantized else 1e-4)


# Models of codes and of packed weights, by whose arithmetic all processors give the same bytes: name, source, options, inputs.
def exact_cases(work):
    digits = os.path.join(ROOT, "examples/digits/digits.onnx")
    image = [f"image={work}/digit/inputs.npy"]
    yield "digits-int8", digits, ["--precision", "int8", "--calibrate", f"{work}/digit-calibration"], image
    for words in ("int8-dynamic", "int4", "int4 --asymmetric", "int4 --group 128", "nf4"):
        yield "digits-" + words.replace(" ", ""), digits, ["--precision"] + words.split(), image
    data = os.path.join(ROOT, "tests/data/onnx")
    for name in ("qdq-conv", "qlinear"):
        with open(f"{data}/{name}/ref/names.json", encoding="utf-8") as f:
            names = json.load(f)["inputs"]
        yield name, f"{data}/{name}/model.onnx", [], [f"{n}={data}/{name}/ref/input_{i}.npy" for i, n in enumerate(names)]


LEVELS = {"x86_64": ("scalar", "avx2", "avxvnni", "avx512vnni"), "aarch64": ("scalar", "neon", "neondot", "i8mm"),
          "arm": ("scalar", "neon")}


def pith_run(build):
    return os.path.join(build, "cli/pith-run")


def convert(host, source, model, options):
    done = subprocess.run([os.path.join(host, "cli/pith"), "convert", source, "-o", model] + options,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"convert: exit {done.returncode}: {done.stderr.strip()[-300:]}")


def close_enough(host, target, emulator, work, case):
    name, source, options, inputs, share = case
    model = os.path.join(work, name + ".pith")
    convert(host, source, model, options)
    flags = ["run", model] + [word for i in inputs for word in ("--input", i)]
    run([pith_run(host)] + flags, os.path.join(work, name + "-host"))
    run(emulator + [pith_run(target)] + flags, os.path.join(work, name + "-target"))
    worst = compare(os.path.join(work, name + "-target"), os.path.join(work, name + "-host"), share)
    return f"{name}: ok, largest difference {worst:.2g} of the range"


# The scalar kernels here say what is right; every level here, and on every CPU of the board.
def same_bytes(host, target, emulator, work, case, cpus):
    name, source, options, inputs = case
    model = os.path.join(work, name + "-exact.pith")
    convert(host, source, model, options)
    flags = ["run", model] + [word for i in inputs for word in ("--input", i)]
    expected, places = None, 0
    runs = [("here", [pith_run(host)], {"PITH_ISA": level}) for level in LEVELS.get(platform.machine(), ("scalar",))]
    there = LEVELS[os.path.basename(emulator[0]).removeprefix("qemu-")]
    for cpu in cpus:
        runs += [(cpu, emulator + [pith_run(target)], {"QEMU_CPU": cpu, "PITH_ISA": level}) for level in there]
    for where, command, variables in runs:
        folder = os.path.join(work, f"{name}-exact")
        run(command + flags, folder, **variables)
        found = hashes(folder)
        expected = expected or found
        if found != expected:
            raise RuntimeError(f"other bytes on {where} at {variables['PITH_ISA']}: {found}, expected {expected}")
        places += 1
    return f"{name}: ok, the same bytes {places} times"


def main(host, target, cpus, emulator):
    work = os.path.join(target, "models")
    os.makedirs(work, exist_ok=True)
    os.environ["QEMU_CPU"] = cpus[0]
    passed = failed = 0
    jobs = [(case[0], lambda c=case: close_enough(host, target, emulator, work, c)) for case in cases(host, work)]
    jobs += [(case[0], lambda c=case: same_bytes(host, target, emulator, work, c, cpus)) for case in exact_cases(work)]
    for name, job in jobs:
        try:
            print(job(), flush=True)
            passed += 1
        except (RuntimeError, subprocess.SubprocessError, OSError) as e:
            print(f"{name}: FAILED: {e}", flush=True)
            failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


sys.exit(main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3].split(","), sys.argv[4:]))
