#!/usr/bin/env python3
"""Writes well-known convolutional topologies with random weights, and noise to calibrate them with: for measuring speed.

Batch normalization is folded already (a bias). Each goes to DIR/NAME/model.onnx with DIR/NAME/calibration/inputs.npy.
  python3 bench/make_topologies.py DIR                     all: resnet50, mobilenetv1, mobilenetv2
  pith convert DIR/resnet50/model.onnx -o resnet50.pith --precision int8 --calibrate DIR/resnet50/calibration
  pith_network_share_bench resnet50.pith                   share of the dot peak
Needs numpy and onnx.
"""
import argparse
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "examples"))
from onnx_sketch import Sketch, save_model  # noqa: E402


def conv(g, x, inputs, outputs, kernel=1, stride=1, groups=1, top=None):
    """Convolution, then Clip to [0, top] (top 0: ReLU, None: nothing)."""
    gain = 1.4 if top is not None else 0.7
    w = g.weight(outputs, inputs // groups, kernel, kernel, scale=gain / np.sqrt(inputs // groups * kernel * kernel))
    pad = kernel // 2
    x = g("Conv", x, w, g.weight(outputs, scale=0.1), strides=[stride, stride], pads=[pad] * 4, group=groups)
    if top is None:
        return x
    return g("Relu", x) if top == 0 else g("Clip", x, g.constant(np.float32(0)), g.constant(np.float32(top)))


def classify(g, x, channels):
    x = g("Flatten", g("GlobalAveragePool", x))
    g("Gemm", x, g.weight(1000, channels), g.weight(1000, scale=0.1), transB=1, out="scores")
    g.output("scores", [1, 1000])


def resnet50(g, x):
    x = conv(g, x, 3, 64, 7, 2, top=0)
    x = g("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    inputs = 64
    for stage, blocks in enumerate([3, 4, 6, 3]):
        width = 64 << stage
        for block in range(blocks):
            stride = 2 if block == 0 and stage > 0 else 1
            y = conv(g, x, inputs, width, top=0)
            y = conv(g, y, width, width, 3, stride, top=0)
            y = conv(g, y, width, 4 * width)
            x = conv(g, x, inputs, 4 * width, 1, stride) if block == 0 else x
            x, inputs = g("Relu", g("Add", x, y)), 4 * width
    classify(g, x, inputs)


def mobilenetv1(g, x):
    x, inputs = conv(g, x, 3, 32, 3, 2, top=6), 32
    for outputs, stride in [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + [(512, 1)] * 5 + [(1024, 2),
                                                                                                        (1024, 1)]:
        x = conv(g, x, inputs, inputs, 3, stride, inputs, top=6)
        x, inputs = conv(g, x, inputs, outputs, top=6), outputs
    classify(g, x, inputs)


def mobilenetv2(g, x):
    x, inputs = conv(g, x, 3, 32, 3, 2, top=6), 32
    for widen, outputs, blocks, first in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                          (6, 160, 3, 2), (6, 320, 1, 1)]:
        for block in range(blocks):
            stride, width = first if block == 0 else 1, inputs * widen
            y = conv(g, x, inputs, width, top=6) if widen > 1 else x
            y = conv(g, y, width, width, 3, stride, width, top=6)
            y = conv(g, y, width, outputs)
            x, inputs = g("Add", x, y) if stride == 1 and inputs == outputs else y, outputs
    classify(g, conv(g, x, inputs, 1280, top=6), 1280)


TOPOLOGIES = {f.__name__: f for f in (resnet50, mobilenetv1, mobilenetv2)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder")
    parser.add_argument("--only", nargs="*", default=sorted(TOPOLOGIES))
    parser.add_argument("--size", type=int, default=224, help="height and width of the picture")
    args = parser.parse_args()
    for name in args.only:
        folder = os.path.join(args.folder, name)
        os.makedirs(os.path.join(folder, "calibration"), exist_ok=True)
        g = Sketch(name)
        TOPOLOGIES[name](g, g.input("image", [1, 3, args.size, args.size]))
        save_model(g.finish(f"{name}, random weights"), folder, external=False)
        np.save(os.path.join(folder, "calibration", "inputs.npy"), g.data(8, 3, args.size, args.size))


if __name__ == "__main__":
    main()
