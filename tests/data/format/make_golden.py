#!/usr/bin/env python3
# Makes the golden files of a format version: small .pith files and the values they must give for ever.
# Usage: make_golden.py BUILD_FOLDER OUTPUT_FOLDER        files that are there already are left: v1.0/ was made with format 1.0
# NAME.pith is converted from tests/data/onnx; NAME.txt holds one line a tensor: "input|output NAME DTYPE DIMS : VALUES", where
# floats are eight hexadecimal digits, their bytes in file order.
import ast
import json
import os
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
# What a reader of the first version must know: float, half and quantized convolutions and products, branches, recurrence,
# free dims, and every packed layout of weights. Name: (model, options of convert).
MODELS = {"conv-bn-relu": ("conv-bn-relu", []), "qdq-conv": ("qdq-conv", []), "if-branches": ("if-branches", []), "gru": ("gru", []),
          "dynamic-reshape": ("dynamic-reshape", []), "gemm": ("gemm", ["--precision", "int8-dynamic"]),
          "fp16": ("fp16", ["--precision", "fp16"]), "packed-int8": ("attention", ["--precision", "int8-dynamic"]),
          "packed-int4": ("attention", ["--precision", "int4"]), "packed-int4-64": ("attention", ["--precision", "int4", "--group", "64"]),
          "packed-int4-asymmetric": ("attention", ["--precision", "int4", "--asymmetric"]),
          "packed-nf4": ("attention", ["--precision", "nf4"])}
CODES = {"f4": ("f", "f32"), "f2": ("e", "f16"), "i4": ("i", "i32"), "i8": ("q", "i64"), "b1": ("?", "bool")}


def read_npy(path):
    with open(path, "rb") as f:
        data = f.read()
    length = struct.unpack("<H", data[8:10])[0]
    header = ast.literal_eval(data[10:10 + length].decode("latin1"))
    code, dtype = CODES[header["descr"][1:]]
    return dtype, header["shape"], [v[0] for v in struct.iter_unpack("<" + code, data[10 + length:])]


def line(role, name, path):
    dtype, shape, values = read_npy(path)
    numbers = " ".join(repr(int(v)) if dtype in ("i32", "i64", "bool") else struct.pack("<f", v).hex() for v in values)
    return f"{role} {name} {dtype} {' '.join(map(str, shape))} : {numbers}\n"


def make(build, out, name, source, options):
    folder = os.path.join(ROOT, "tests/data/onnx", source)
    reference = os.path.join(folder, "ref_true" if source == "if-branches" else "ref")
    with open(os.path.join(reference, "names.json"), encoding="utf-8") as f:
        names = json.load(f)["inputs"]
    model = os.path.join(out, name + ".pith")
    subprocess.run([os.path.join(build, "cli/pith"), "convert", os.path.join(folder, "model.onnx"), "-o", model] + (options or ["--precision", "fp32"]), check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory() as results:
        inputs = [os.path.join(reference, f"input_{i}.npy") for i in range(len(names))]
        flags = [word for n, path in zip(names, inputs) for word in ("--input", f"{n}={path}")]
        subprocess.run([os.path.join(build, "cli/pith-run"), "run", model, "--output-dir", results] + flags, check=True,
                       stdout=subprocess.DEVNULL, env={**os.environ, "PITH_BACKEND": "reference"})
        with open(os.path.join(out, name + ".txt"), "w", encoding="utf-8") as f:
            for n, path in zip(names, inputs):
                f.write(line("input", n, path))
            for result in sorted(os.listdir(results)):
                f.write(line("output", result.removesuffix(".npy"), os.path.join(results, result)))


def main():
    build, out = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    missing = {name: how for name, how in MODELS.items() if not os.path.exists(os.path.join(out, name + ".pith"))}
    for name, (source, options) in missing.items():
        make(os.path.abspath(build), out, name, source, options)
    print(f"{len(missing)} golden files made in {out}, {len(MODELS) - len(missing)} left as they are")


main()
