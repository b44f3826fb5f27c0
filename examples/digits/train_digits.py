#!/usr/bin/env python3
"""Trains the demo's digit classifier and exports it as ONNX (opset 13, batch size free).

Needs python3-torch and python3-numpy from Debian 12, and the draw_digits program of this folder:
  cmake --preset release && cmake --build --preset release --target draw_digits
  nice python3 examples/digits/train_digits.py --draw-digits build/release/examples/draw_digits
Trains on drawn digits, and on the 12,000 MNIST training images where --mnist has them; accuracies come out at the end.
"""
import argparse
import gzip
import math
import os
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
SEEDS = {"train": 1, "validation": 2, "test": 3}  # of draw_digits; the demo calibrates on seed 4
WEIGHT_SEED = 2026


def conv_norm(inputs, outputs, size=3, stride=1, groups=1, relu=True):
    layers = [nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if relu else []))


class Residual(nn.Module):
    """x + body(x), then ReLU. body: two full 3x3 convolutions, or a depthwise one and a 1x1."""

    def __init__(self, channels, depthwise):
        super().__init__()
        first = conv_norm(channels, channels, groups=channels if depthwise else 1)
        self.body = nn.Sequential(first, conv_norm(channels, channels, size=1 if depthwise else 3, relu=False))

    def forward(self, x):
        return F.relu(x + self.body(x))


def digit_net():
    """28x28 -> 14x14 -> 7x7; 5 million multiply-adds an image."""
    return nn.Sequential(
        conv_norm(1, 16),
        conv_norm(16, 32, stride=2),
        Residual(32, depthwise=True),
        conv_norm(32, 64, stride=2),
        Residual(64, depthwise=False),
        conv_norm(64, 64, groups=64),
        conv_norm(64, 128, size=1),
        Residual(128, depthwise=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(128, 10),
    )


def drawn(program, part, count):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, folder, "--count", str(count), "--seed", str(SEEDS[part])], check=True)
        images = np.load(os.path.join(folder, "inputs.npy"))
        return images, np.load(os.path.join(folder, "labels.npy"))


def idx(path):
    with gzip.open(path, "rb") as f:
        rank = struct.unpack(">HBB", f.read(4))[2]
        dims = struct.unpack(f">{rank}I", f.read(4 * rank))
        return np.frombuffer(f.read(), np.uint8).reshape(dims)


def mnist(folder, part):
    images = idx(os.path.join(folder, part + "-images-idx3-ubyte.gz"))
    labels = idx(os.path.join(folder, part + "-labels-idx1-ubyte.gz"))
    return images[:, None].astype(np.float32) / 255, labels.astype(np.int64)


def tensors(images, labels):
    return torch.from_numpy(np.ascontiguousarray(images)), torch.from_numpy(np.ascontiguousarray(labels))


def distort(x, maps, strength):
    """Another view of each picture: rotation, slant, size, shift; then contrast and noise. `maps`: numpy generator."""
    n = len(x)
    s = torch.from_numpy(strength.astype(np.float32))
    normal = lambda scale: torch.from_numpy(maps.standard_normal(n).astype(np.float32)) * scale * s
    turn, slant, grow_x, grow_y = normal(0.12), normal(0.12), torch.exp(normal(0.10)), torch.exp(normal(0.10))
    c, d = torch.cos(turn), torch.sin(turn)
    theta = torch.stack([
        torch.stack([c * grow_x, (c * slant - d) * grow_y, normal(0.07)], 1),
        torch.stack([d * grow_x, (d * slant + c) * grow_y, normal(0.07)], 1)], 1)
    x = F.grid_sample(x, F.affine_grid(theta, x.shape, align_corners=False), padding_mode="border", align_corners=False)
    x = x * torch.exp(normal(0.1)).clamp(max=1)[:, None, None, None]
    return (x + torch.randn_like(x) * (normal(0.03).abs()[:, None, None, None])).clamp(0, 1)


@torch.no_grad()
def accuracy(net, images, labels):
    net.eval()
    right = sum((net(x).argmax(1) == y).sum().item() for x, y in zip(images.split(500), labels.split(500)))
    return right / len(labels)


def wilson(p, n, z=1.96):
    """95 % interval of a share p seen in n trials."""
    middle, half = (p + z * z / (2 * n)), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


def train(net, images, labels, strength, check, args):
    net = net.to(memory_format=torch.channels_last)
    order = np.random.default_rng(WEIGHT_SEED)
    steps = len(labels) // args.batch * args.epochs
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, args.rate, total_steps=steps, pct_start=0.2)
    begin = time.time()
    for epoch in range(args.epochs):
        net.train()
        chosen = order.permutation(len(labels))[:len(labels) // args.batch * args.batch].reshape(-1, args.batch)
        total = 0.0
        for pick in chosen:
            x = distort(images[pick], order, strength[pick]).contiguous(memory_format=torch.channels_last)
            loss = F.cross_entropy(net(x), labels[pick], label_smoothing=0.03)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        scores = "  ".join(f"{name} {100 * accuracy(net, *data):.2f} %" for name, data in check.items())
        print(f"epoch {epoch + 1:2}  loss {total / len(chosen):.4f}  {scores}  {time.time() - begin:.0f} s", flush=True)


def export(net, path):
    """Batch normalization stays in the graph, as training programs often leave it: folding it is the converter's work."""
    net = net.to(memory_format=torch.contiguous_format).eval()
    partial = path + ".partial"
    torch.onnx.export(net, torch.zeros(1, 1, 28, 28), partial, opset_version=13, input_names=["image"],
                      output_names=["logits"], dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}},
                      training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)
    os.replace(partial, path)
    print(f"{path}: {os.path.getsize(path):,} bytes, {sum(p.numel() for p in net.parameters()):,} parameters")


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--draw-digits", required=True, metavar="PROGRAM", help="the built draw_digits")
    p.add_argument("--mnist", default=os.path.join(HERE, "../../../shared/data/mnist"), metavar="DIR",
                   help="train-12k-* and test-even-* IDX files; left out of training when absent")
    p.add_argument("--output", default=os.path.join(HERE, "digits.onnx"), metavar="FILE")
    p.add_argument("--drawn", type=int, default=60000, metavar="N", help="drawn training pictures")
    p.add_argument("--epochs", type=int, default=10)
    p.add_argument("--batch", type=int, default=128)
    p.add_argument("--rate", type=float, default=0.004, help="highest learning rate")
    p.add_argument("--threads", type=int, default=1)
    return p.parse_args()


def main():
    args = options()
    torch.set_num_threads(args.threads)
    torch.manual_seed(WEIGHT_SEED)
    images, labels = drawn(args.draw_digits, "train", args.drawn)
    strength = np.full(len(labels), 0.5)  # drawn pictures are distorted already
    check = {"validation": tensors(*drawn(args.draw_digits, "validation", 5000))}
    test = {"drawn test": tensors(*drawn(args.draw_digits, "test", 10000))}
    if os.path.isdir(args.mnist):
        more, more_labels = mnist(args.mnist, "train-12k")
        images, labels = np.concatenate([images, more]), np.concatenate([labels, more_labels])
        strength = np.concatenate([strength, np.full(len(more_labels), 1.0)])
        test["MNIST test"] = tensors(*mnist(args.mnist, "test-even"))
    else:
        print(f"{args.mnist} is not there: training on drawn digits alone", file=sys.stderr)
    net = digit_net()
    train(net, *tensors(images, labels), strength, check, args)
    for name, data in test.items():
        share, n = accuracy(net, *data), len(data[1])
        low, high = wilson(share, n)
        print(f"{name}: {100 * share:.2f} % (95 %: {100 * low:.2f} .. {100 * high:.2f}) of {n:,}")
    export(net, args.output)


if __name__ == "__main__":
    main()
