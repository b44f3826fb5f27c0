# Runs whole models on an emulated board: converts them on the host, runs pith-run on both, compares the outputs.
# Usage: target_models.py HOST_BUILD TARGET_BUILD EMULATOR...     the last line counts: "N passed, N failed"
# Tolerance: float sums come in another order on another vector width, |difference| <= 1e-4 of the output's range, the bound
# that FP32 models must keep against their reference; quantized models may step over a rounding edge: 2 % of the range.
import ast
import glob
import json
import os
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


def run(command, folder):
    os.makedirs(folder, exist_ok=True)
    done = subprocess.run(command + ["--output-dir", folder], capture_output=True, text=True, timeout=900, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"exit {done.returncode}: {done.stderr.strip()[-300:]}")


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


def main(host, target, emulator):
    work = os.path.join(target, "models")
    os.makedirs(work, exist_ok=True)
    passed = failed = 0
    for name, source, options, inputs, share in cases(host, work):
        model = os.path.join(work, name + ".pith")
        try:
            done = subprocess.run([os.path.join(host, "cli/pith"), "convert", source, "-o", model] + options,
                                  capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise RuntimeError(f"convert: exit {done.returncode}: {done.stderr.strip()[-300:]}")
            flags = [word for i in inputs for word in ("--input", i)]
            run([os.path.join(host, "cli/pith-run"), "run", model] + flags, os.path.join(work, name + "-host"))
            run(emulator + [os.path.join(target, "cli/pith-run"), "run", model] + flags, os.path.join(work, name + "-target"))
            worst = compare(os.path.join(work, name + "-target"), os.path.join(work, name + "-host"), share)
            print(f"{name}: ok, largest difference {worst:.2g} of the range", flush=True)
            passed += 1
        except (RuntimeError, subprocess.SubprocessError, OSError) as e:
            print(f"{name}: FAILED: {e}", flush=True)
            failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


sys.exit(main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3:]))
