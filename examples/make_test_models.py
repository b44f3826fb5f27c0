#!/usr/bin/env python3
"""Writes the small ONNX models of tests/data/onnx, each with a reference input and output.

Needs numpy and onnx (Debian: python3-onnx); references come from onnxruntime where it is installed, with its graph
optimisations off. Only for changing the models: tests read the committed files.
  python3 examples/make_test_models.py                  all models, into tests/data/onnx
  python3 examples/make_test_models.py --only gemm lstm
"""
import argparse
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from onnx_sketch import F16, F32, Sketch, save_model, save_references

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = {}


def model(build):
    """Registers a builder under its name with dashes; its docstring is the line in the model and in the README."""
    MODELS[build.__name__.replace("_", "-")] = build
    return build


@model
def conv_bn_relu(g):
    """Two convolutions, each with unfolded batch normalization and ReLU, and max pooling; batch size free."""
    x = g.input("image", ["batch", 3, 12, 12])
    x = g("Relu", g.norm(g("Conv", x, g.weight(8, 3, 3, 3), pads=[1, 1, 1, 1]), 8))
    x = g("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = g("Conv", x, g.weight(12, 8, 3, 3), g.weight(12, scale=0.3), strides=[2, 2], pads=[1, 1, 1, 1])
    g("Relu", g.norm(x, 12), out="features")
    g.output("features", ["batch", 12, 3, 3])
    g.run(image=g.data(1, 3, 12, 12))
    g.run("ref_batch3", image=g.data(3, 3, 12, 12))


@model
def depthwise(g):
    """Depthwise-separable blocks (multiplier 1 and 2, uneven padding), ReLU6 as Clip, average pooling, classifier."""
    x = g.input("image", [1, 4, 11, 9])
    low, high = g.constant(np.float32(0)), g.constant(np.float32(6))
    x = g("Conv", x, g.weight(4, 1, 3, 3), g.weight(4, scale=0.3), group=4, strides=[2, 2], pads=[0, 1, 1, 1])
    x = g("Clip", g("Conv", x, g.weight(8, 4, 1, 1), g.weight(8, scale=0.3)), low, high)
    x = g("Conv", x, g.weight(16, 1, 3, 3), group=8, dilations=[1, 2], pads=[1, 2, 1, 2])
    x = g("Clip", g("Conv", x, g.weight(12, 16, 1, 1), g.weight(12, scale=0.3)), low, high)
    x = g("Flatten", g("GlobalAveragePool", x))
    g("Gemm", x, g.weight(5, 12), g.weight(5, scale=0.3), transB=1, out="logits")
    g.output("logits", [1, 5])
    g.run(image=g.data(1, 4, 11, 9, scale=2))


@model
def gemm(g):
    """Gemm in its forms (transposed, alpha, beta, no bias), MatMul with bias by Add, Softmax; batch size free."""
    x = g.input("x", ["batch", 24])
    x = g("Relu", g("Gemm", x, g.weight(32, 24), g.weight(32, scale=0.5), transB=1))
    x = g("Tanh", g("Gemm", x, g.weight(32, 20, scale=0.2), g.weight(1, 20, scale=0.5), alpha=0.75, beta=1.5))
    x = g("Sigmoid", g("Add", g("MatMul", x, g.weight(20, 16, scale=0.3)), g.weight(16, scale=0.3)))
    g("Softmax", g("Gemm", x, g.weight(16, 7, scale=0.6)), axis=-1, out="probabilities")
    g.output("probabilities", ["batch", 7])
    g.run(x=g.data(1, 24))
    g.run("ref_batch5", x=g.data(5, 24))


@model
def lstm(g):
    """A forward LSTM whose state enters and leaves, then a bidirectional one; layout by Transpose and Reshape."""
    steps, features, hidden = 6, 10, 8
    x = g.input("sequence", [1, steps, features])
    h, c = g.input("h", [1, 1, hidden]), g.input("c", [1, 1, hidden])
    x = g("Transpose", x, perm=[1, 0, 2])
    gates = lambda d, n: (g.weight(d, 4 * hidden, n, scale=0.3), g.weight(d, 4 * hidden, hidden, scale=0.3),
                          g.weight(d, 8 * hidden, scale=0.2))
    y = g("LSTM", x, *gates(1, features), "", h, c, out=["y1", "h_out", "c_out"], hidden_size=hidden)
    y = g("Squeeze", y, g.constant(np.array([1], np.int64)))
    y = g("LSTM", y, *gates(2, hidden), outputs=1, hidden_size=hidden, direction="bidirectional")
    y = g("Transpose", y, perm=[2, 0, 1, 3])
    g("Reshape", y, g.constant(np.array([0, 0, -1], np.int64)), out="y")
    g.output("y", [1, steps, 2 * hidden])
    g.output("h_out", [1, 1, hidden])
    g.output("c_out", [1, 1, hidden])
    g.run(sequence=g.data(1, steps, features), h=g.data(1, 1, hidden), c=g.data(1, 1, hidden))


@model
def gru(g):
    """GRU with the reset gate after the product (linear_before_reset = 1) over a batch of two."""
    x = g.input("sequence", [5, 2, 7])
    w, r, b = g.weight(1, 24, 7, scale=0.4), g.weight(1, 24, 8, scale=0.4), g.weight(1, 48, scale=0.2)
    g("GRU", x, w, r, b, out=["y", "h_out"], hidden_size=8, linear_before_reset=1)
    g.output("y", [5, 1, 2, 8])
    g.output("h_out", [1, 2, 8])
    g.run(sequence=g.data(5, 2, 7))


def layer_norm_by_parts(g, x, width):
    centred = g("Sub", x, g("ReduceMean", x, axes=[-1], keepdims=1))
    variance = g("ReduceMean", g("Pow", centred, g.constant(np.float32(2))), axes=[-1], keepdims=1)
    y = g("Div", centred, g("Sqrt", g("Add", variance, g.constant(np.float32(1e-5)))))
    return g("Add", g("Mul", y, g.weight(width, scale=0.2, offset=1)), g.weight(width, scale=0.2))


def gelu_by_erf(g, x):
    half = g("Mul", x, g.constant(np.float32(0.5)))
    return g("Mul", half, g("Add", g("Erf", g("Div", x, g.constant(np.float32(np.sqrt(2))))), g.constant(np.float32(1))))


@model
def attention(g):
    """A transformer block: two-headed attention, layer norm once by parts and once as operator, GELU by Erf (opset 17)."""
    tokens, width, heads = 5, 16, 2
    x = g.input("x", ["batch", tokens, width])
    split = g.constant(np.array([0, 0, heads, width // heads], np.int64))
    linear = lambda v, n, m: g("Add", g("MatMul", v, g.weight(n, m, scale=n ** -0.5)), g.weight(m, scale=0.1))
    head = lambda v, perm: g("Transpose", g("Reshape", linear(v, width, width), split), perm=perm)
    normed = layer_norm_by_parts(g, x, width)
    q, k, v = head(normed, [0, 2, 1, 3]), head(normed, [0, 2, 3, 1]), head(normed, [0, 2, 1, 3])
    scores = g("Div", g("MatMul", q, k), g.constant(np.float32(np.sqrt(width // heads))))
    mixed = g("Transpose", g("MatMul", g("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
    joined = g("Reshape", mixed, g.constant(np.array([0, 0, width], np.int64)))
    x = g("Add", x, linear(joined, width, width))
    normed = g("LayerNormalization", x, g.weight(width, scale=0.2, offset=1), g.weight(width, scale=0.2), epsilon=1e-5)
    g("Add", x, linear(gelu_by_erf(g, linear(normed, width, 32)), 32, width), out="y")
    g.output("y", ["batch", tokens, width])
    g.run(x=g.data(1, tokens, width))
    g.run("ref_batch2", x=g.data(2, tokens, width))


@model
def qdq_conv(g):
    """INT8 by QuantizeLinear and DequantizeLinear: per-channel weights, INT32 bias, uint8 activations, residual Add."""
    x = g.input("image", [1, 3, 8, 8])
    steps = {"x": (0.025, 128), "y": (0.02, 0), "z": (0.03, 120), "s": (0.035, 90)}
    name = lambda k: (g.constant(np.float32(steps[k][0])), g.constant(np.uint8(steps[k][1])))

    def requantized(value, key):
        scale, zero = name(key)
        return g("DequantizeLinear", g("QuantizeLinear", value, scale, zero), scale, zero)

    def conv(value, in_step, outputs, inputs, **attributes):
        w = g.normal(outputs, inputs, 3, 3)
        scale = (np.abs(w).reshape(outputs, -1).max(1) / 127).astype(np.float32)
        stored = np.clip(np.rint(w / scale[:, None, None, None]), -127, 127).astype(np.int8)
        s = g.constant(scale)
        weights = g("DequantizeLinear", g.constant(stored), s, g.constant(np.zeros(outputs, np.int8)), axis=0)
        bias_scale = (scale * np.float32(in_step)).astype(np.float32)
        bias = np.rint(g.normal(outputs, scale=0.3) / bias_scale).astype(np.int32)
        bias = g("DequantizeLinear", g.constant(bias), g.constant(bias_scale), g.constant(np.zeros(outputs, np.int32)), axis=0)
        return g("Conv", value, weights, bias, pads=[1, 1, 1, 1], **attributes)

    x = requantized(x, "x")
    y = requantized(g("Relu", conv(x, steps["x"][0], 8, 3)), "y")
    z = requantized(conv(y, steps["y"][0], 8, 8), "z")
    s = requantized(g("Add", y, z), "s")
    g("Flatten", g("GlobalAveragePool", s), out="features")
    g.output("features", [1, 8])
    g.run(image=np.clip(g.data(1, 3, 8, 8), -3, 3))


@model
def qlinear(g):
    """INT8 by QLinearConv (per-channel) and QLinearMatMul: integers from the first node to the last."""
    f, u, i = (lambda v: g.constant(np.float32(v))), (lambda v: g.constant(np.uint8(v))), (lambda v: g.constant(np.int8(v)))
    x = g.input("image", [1, 2, 7, 7])
    q = g("QuantizeLinear", x, f(0.025), u(128))
    weights = g.constant(g.random.randint(-127, 128, (6, 2, 3, 3)).astype(np.int8))
    scales = g.constant(np.linspace(0.002, 0.005, 6).astype(np.float32))
    bias = g.constant(g.random.randint(-3000, 3000, 6).astype(np.int32))
    q = g("QLinearConv", q, f(0.025), u(128), weights, scales, g.constant(np.zeros(6, np.int8)), f(0.02), u(64), bias,
          strides=[2, 2], pads=[1, 1, 1, 1])
    q = g("Reshape", q, g.constant(np.array([1, 96], np.int64)))
    second = g.constant(g.random.randint(-127, 128, (96, 5)).astype(np.int8))
    q = g("QLinearMatMul", q, f(0.02), u(64), second, f(0.003), i(0), f(0.05), u(120))
    g("DequantizeLinear", q, f(0.05), u(120), out="logits")
    g.output("logits", [1, 5])
    g.run(image=np.clip(g.data(1, 2, 7, 7), -3, 3))


@model
def dynamic_quantize(g):
    """DynamicQuantizeLinear, MatMulInteger with a weight zero point, Cast and Mul: INT8 with run-time ranges."""
    x = g.input("x", [4, 20])
    g("DynamicQuantizeLinear", x, out=["q", "q_scale", "q_zero"])
    weights = g.constant(g.random.randint(0, 256, (20, 9)).astype(np.uint8))
    total = g("Cast", g("MatMulInteger", "q", weights, "q_zero", g.constant(np.uint8(121))), to=F32)
    y = g("Mul", total, g("Mul", "q_scale", g.constant(np.float32(0.004))))
    g("Add", y, g.weight(9, scale=0.3), out="y")
    g.output("y", [4, 9])
    g.run(x=g.data(4, 20))


@model
def hard_swish(g):
    """Hard-swish spelt x * Clip(x + 3, 0, 6) / 6 after a convolution, and a squeeze-excite gate of the same make."""
    low, high, three, six = (g.constant(np.float32(v)) for v in (0, 6, 3, 6))
    gate = lambda v: g("Div", g("Clip", g("Add", v, three), low, high), six)
    x = g("Conv", g.input("image", [1, 3, 9, 9]), g.weight(8, 3, 3, 3), g.weight(8, scale=0.5), strides=[2, 2], pads=[1] * 4)
    x = g("Div", g("Mul", x, g("Clip", g("Add", x, three), low, high)), six)
    pooled = g("Relu", g("Conv", g("GlobalAveragePool", x), g.weight(4, 8, 1, 1), g.weight(4, scale=0.3)))
    g("Mul", x, gate(g("Conv", pooled, g.weight(8, 4, 1, 1, scale=1), g.weight(8, scale=0.5))), out="y")
    g.output("y", [1, 8, 5, 5])
    g.run(image=g.data(1, 3, 9, 9, scale=3))


@model
def dynamic_reshape(g):
    """Shape, Gather, Unsqueeze and Concat make the target of Reshape: sizes known only when the input is."""
    x = g.input("x", ["batch", 6, "length"])
    at = lambda i: g("Unsqueeze", g("Gather", g("Shape", x), g.constant(np.int64(i))), g.constant(np.array([0], np.int64)))
    const = lambda v: g.constant(np.array([v], np.int64))
    y = g("Reshape", x, g("Concat", at(0), const(2), const(3), at(2), axis=0))
    y = g("Transpose", y, perm=[0, 3, 1, 2])
    rows = g("Mul", at(0), at(2))
    y = g("Reshape", y, g("Concat", rows, const(-1), axis=0))
    g("MatMul", y, g.weight(6, 4, scale=0.5), out="y")
    g.output("y", ["rows", 4])
    g.run(x=g.data(1, 6, 5))
    g.run("ref_batch3", x=g.data(3, 6, 4))


@model
def if_branches(g):
    """One If whose condition is a constant, and one that the input `negate` decides; both read outer values."""
    x = g.input("x", [2, 6])
    negate = g.input("negate", [1], TensorProto.BOOL)
    y = g("MatMul", x, g.weight(6, 6, scale=0.5))

    def branch(label, *nodes):
        out = helper.make_tensor_value_info(nodes[-1].output[0], F32, [2, 6])
        return helper.make_graph(list(nodes), label, [], [out])

    node = lambda op, ins, out: helper.make_node(op, ins, [out])
    g("Constant", out="always", value=numpy_helper.from_array(np.array(True)))
    g("If", "always", then_branch=branch("taken", node("Relu", [y], "t0")),
      else_branch=branch("dead", node("Exp", [y], "e0"), node("Log", ["e0"], "e1")), out="first")
    g("If", g("Squeeze", negate), then_branch=branch("negated", node("Neg", ["first"], "n0")),
      else_branch=branch("kept", node("Add", ["first", x], "k0")), out="y")
    g.output("y", [2, 6])
    x = g.data(2, 6)
    g.run("ref_true", x=x, negate=np.array([True]))
    g.run("ref_false", x=x, negate=np.array([False]))


@model
def external_data(g):
    """Weights beside the model in weights.bin, the second at an offset; the bias stays inside."""
    x = g.input("x", [3, 32])
    x = g("Relu", g("MatMul", x, g.constant(g.normal(32, 40, scale=0.2), "first")))
    g("Gemm", x, g.constant(g.normal(40, 10, scale=0.2), "second"), g.weight(10, scale=0.3), out="y")
    g.output("y", [3, 10])
    g.run(x=g.data(3, 32))


@model
def fp16(g):
    """Every tensor half precision: convolution, ReLU, residual Add, global pooling, Gemm."""
    half = lambda *shape, **spread: g.constant(g.normal(*shape, **spread).astype(np.float16))
    x = g.input("image", [1, 3, 8, 8], F16)
    x = g("Relu", g("Conv", x, half(8, 3, 3, 3), half(8, scale=0.3), pads=[1] * 4))
    x = g("Relu", g("Add", x, g("Conv", x, half(8, 8, 3, 3), half(8, scale=0.3), pads=[1] * 4)))
    g("Gemm", g("Flatten", g("GlobalAveragePool", x)), half(6, 8), half(6, scale=0.3), transB=1, out="logits")
    g.output("logits", [1, 6], F16)
    g.run(image=g.data(1, 3, 8, 8, dtype=np.float16))


@model
def opset9(g):
    """Opset 9 as written then: Upsample with scales, Slice, Pad, Squeeze and Unsqueeze by attributes, Clip likewise."""
    x = g("Conv", g.input("image", [1, 2, 6, 6]), g.weight(4, 2, 3, 3), g.weight(4, scale=0.3), pads=[1] * 4)
    x = g("Upsample", x, g.constant(np.array([1, 1, 2, 2], np.float32)), mode="nearest")
    x = g("Slice", x, axes=[2, 3], starts=[1, -9], ends=[11, 9223372036854775807])
    x = g("Pad", x, pads=[0, 0, 0, 1, 0, 0, 2, 0], mode="constant", value=0.5)
    x = g("Squeeze", g("Clip", g("Unsqueeze", x, axes=[1]), min=-1.5, max=1.5), axes=[1])
    g("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2], out="y")
    g.output("y", [1, 4, 6, 5])
    g.run(image=g.data(1, 2, 6, 6))


@model
def opset7(g):
    """Opset 7, IR 3: every weight listed as graph input too; Dropout, Add with broadcasting, Softmax over the tail."""
    x = g.input("data", [1, 1, 8, 8])
    x = g("Conv", x, g.weight(4, 1, 5, 5, scale=0.3), auto_pad="SAME_UPPER", strides=[1, 1], kernel_shape=[5, 5])
    x = g("Relu", g("Add", x, g.weight(4, 1, 1, scale=0.3)))
    x = g("MaxPool", x, kernel_shape=[3, 3], strides=[3, 3], auto_pad="VALID")
    x = g("Reshape", g("Dropout", x, ratio=0.5), g.constant(np.array([1, 16], np.int64)))
    g("Softmax", g("Gemm", x, g.weight(16, 10, scale=0.5), g.weight(10, scale=0.3)), out="probabilities")
    g.output("probabilities", [1, 10])
    g.run(data=g.data(1, 1, 8, 8))
    for w in g.weights:
        g.inputs.append(helper.make_tensor_value_info(w.name, w.data_type, list(w.dims)))


@model
def resize_concat(g):
    """A detector's neck: linear Resize, Concat, Split, LeakyRelu, ConvTranspose, DepthToSpace, PRelu."""
    x = g("Conv", g.input("image", [1, 3, 8, 8]), g.weight(8, 3, 3, 3), strides=[2, 2], pads=[1] * 4)
    up = g("Resize", x, "", g.constant(np.array([1, 1, 2, 2], np.float32)), mode="linear",
           coordinate_transformation_mode="half_pixel")
    across = g("ConvTranspose", x, g.weight(8, 4, 2, 2, scale=0.3), g.weight(4, scale=0.3), strides=[2, 2])
    both = g("LeakyRelu", g("Concat", up, across, axis=1), alpha=0.1)
    g("Split", both, g.constant(np.array([4, 8], np.int64)), out=["left", "right"], axis=1)
    deep = g("PRelu", g("DepthToSpace", "right", blocksize=2, mode="CRD"), g.weight(2, 1, 1, scale=0.1, offset=0.25))
    g("MaxPool", deep, kernel_shape=[2, 2], strides=[2, 2], out="small")
    g("Sigmoid", "left", out="scores")
    g.output("scores", [1, 4, 8, 8])
    g.output("small", [1, 2, 8, 8])
    g.run(image=g.data(1, 3, 8, 8))


@model
def refused_custom(g):
    """To be refused with all three problems in one pass: two operators of a foreign domain and one unknown of ONNX's."""
    g.domains = ["com.example"]
    x = g("Relu", g.input("x", [1, 4]))
    x = g("Mystery", x, domain="com.example", strength=3)
    x = g("NoSuchOperator", x)
    g("Riddle", x, domain="com.example", out="y")
    g.output("y", [1, 4])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--output", default=os.path.join(HERE, "../tests/data/onnx"), metavar="DIR")
    p.add_argument("--only", nargs="+", choices=sorted(MODELS), default=sorted(MODELS), metavar="NAME")
    args = p.parse_args()
    opset = {"lstm": 14, "attention": 17, "opset9": 9, "opset7": 7}
    ir = {"attention": 8, "opset9": 4, "opset7": 3}
    for name in args.only:
        sketch = Sketch(name, opset.get(name, 13), ir.get(name, 7))
        MODELS[name](sketch)
        folder = os.path.join(args.output, name)
        os.makedirs(folder, exist_ok=True)
        made = sketch.finish(MODELS[name].__doc__)
        if sketch.runs:
            onnx.checker.check_model(made)
        save_model(made, folder, external=name == "external-data")
        if sketch.runs:
            save_references(sketch, folder)
        print(f"{name}: {os.path.getsize(os.path.join(folder, 'model.onnx')):,} bytes, {len(sketch.nodes)} nodes")


if __name__ == "__main__":
    main()
