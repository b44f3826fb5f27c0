#!/usr/bin/env python3
"""Trains a small vision transformer on MNIST and exports it as ONNX (opset 17), plain and with injected outlier channels.

Needs python3-torch and python3-numpy from Debian 12, and the 12,000 MNIST training images of the shared data:
  nice python3 examples/transformer/train_transformer.py --output build/transformer
Writes transformer.onnx, and transformer-x20.onnx and transformer-x100.onnx: the same function, but one channel behind every
layer norm is so many times larger and the weights that read it as many times smaller, as large language models have them.
"""
import argparse
import gzip
import os
import struct
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
PATCH, WIDTH, HEADS, DEPTH = 4, 96, 4, 4
TOKENS = (28 // PATCH) ** 2


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.query, self.key, self.value = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.join = nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def heads(self, x):
        return x.reshape(-1, TOKENS, HEADS, WIDTH // HEADS).transpose(1, 2)

    def forward(self, x):
        y = self.norm1(x)
        q, k, v = self.heads(self.query(y)), self.heads(self.key(y)), self.heads(self.value(y))
        weights = torch.softmax(q @ k.transpose(2, 3) * (WIDTH // HEADS) ** -0.5, -1)
        x = x + self.join((weights @ v).transpose(1, 2).reshape(-1, TOKENS, WIDTH))
        return x + self.down(F.gelu(self.up(self.norm2(x))))

    def inject(self, channel, factor):
        for norm, readers in ((self.norm1, (self.query, self.key, self.value)), (self.norm2, (self.up,))):
            norm.weight[channel] *= factor
            norm.bias[channel] *= factor
            for layer in readers:
                layer.weight[:, channel] /= factor


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(1, WIDTH, PATCH, PATCH)
        self.place = nn.Parameter(torch.randn(1, TOKENS, WIDTH) * 0.02)
        self.blocks = nn.Sequential(*(Block() for _ in range(DEPTH)))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2) + self.place
        return self.head(self.norm(self.blocks(x)).mean(1))


def idx(path):
    with gzip.open(path, "rb") as f:
        rank = struct.unpack(">HBB", f.read(4))[2]
        dims = struct.unpack(f">{rank}I", f.read(4 * rank))
        return np.frombuffer(f.read(), np.uint8).reshape(dims)


def mnist(folder, part):
    images = idx(os.path.join(folder, part + "-images-idx3-ubyte.gz"))
    labels = idx(os.path.join(folder, part + "-labels-idx1-ubyte.gz"))
    return torch.from_numpy(images[:, None].astype(np.float32) / 255), torch.from_numpy(labels.astype(np.int64))


def shifted(x, maps):
    """Each picture moved by up to two pixels: a transformer has no other idea of translation."""
    dx, dy = maps.integers(-2, 3, 2)
    return torch.roll(x, (int(dy), int(dx)), (2, 3))


@torch.no_grad()
def accuracy(net, images, labels):
    net.eval()
    return sum((net(x).argmax(1) == y).sum().item() for x, y in zip(images.split(500), labels.split(500))) / len(labels)


def train(net, images, labels, test, args):
    maps = np.random.default_rng(args.seed)
    steps = len(labels) // args.batch * args.epochs
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, args.rate, total_steps=steps, pct_start=0.2)
    begin = time.time()
    for epoch in range(args.epochs):
        net.train()
        for pick in maps.permutation(len(labels))[:len(labels) // args.batch * args.batch].reshape(-1, args.batch):
            loss = F.cross_entropy(net(shifted(images[pick], maps)), labels[pick], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1:2}  test {100 * accuracy(net, *test):.2f} %  {time.time() - begin:.0f} s", flush=True)


def export(net, path):
    torch.onnx.export(net.eval(), torch.zeros(1, 1, 28, 28), path + ".partial", opset_version=17, input_names=["image"],
                      output_names=["logits"], dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}})
    os.replace(path + ".partial", path)
    print(f"{path}: {os.path.getsize(path):,} bytes, {sum(p.numel() for p in net.parameters()):,} parameters")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--mnist", default=os.path.join(HERE, "../../../shared/data/mnist"), metavar="DIR")
    p.add_argument("--output", required=True, metavar="DIR")
    p.add_argument("--epochs", type=int, default=10)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--rate", type=float, default=0.002, help="highest learning rate")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--seed", type=int, default=2026)
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    os.makedirs(args.output, exist_ok=True)
    net = Transformer()
    test = mnist(args.mnist, "test-even")
    train(net, *mnist(args.mnist, "train-12k"), test, args)
    export(net, os.path.join(args.output, "transformer.onnx"))
    done = 1
    for factor in (20, 100):
        with torch.no_grad():
            for i, block in enumerate(net.blocks):
                block.inject(7 + 13 * i, factor / done)
        done = factor
        print(f"x{factor}: test {100 * accuracy(net, *test):.2f} %")
        export(net, os.path.join(args.output, f"transformer-x{factor}.onnx"))


if __name__ == "__main__":
    main()
