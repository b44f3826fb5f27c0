#!/usr/bin/env python3
# Makes the float model of a QDQ one, to compare their speed: activations are no longer quantized, weights stay as they are
# (their DequantizeLinear of a constant becomes a float constant in any converter). Ranges that the quantization cut off
# (a Relu6 folded into its scale) are cut off no longer.
# Usage: float_from_qdq.py IN.onnx OUT.onnx      Reads and writes protobuf's wire format itself: needs no package.
import sys

GRAPH, NODE = 7, 1                            # fields of ModelProto and GraphProto
INPUT, OUTPUT, OP_TYPE, INITIALIZER, GRAPH_OUTPUT = 1, 2, 4, 5, 12


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def fields(data):
    """(number, wire type, value) of every field; bytes for length-delimited ones."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            size = 8 if kind == 1 else 4
            value, at = data[at:at + size], at + size
        yield key >> 3, kind, value


def encoded(number):
    out = bytearray()
    while True:
        out.append(number & 127 | (128 if number > 127 else 0))
        number >>= 7
        if not number:
            return bytes(out)


def joined(parts):
    out = bytearray()
    for number, kind, value in parts:
        out += encoded(number << 3 | kind)
        out += encoded(value) if kind == 0 else encoded(len(value)) + value if kind == 2 else value
    return bytes(out)


def texts(node, number):
    return [value.decode() for n, _, value in node if n == number]


def main(source, target):
    with open(source, "rb") as f:
        model = list(fields(f.read()))
    graph = list(fields(next(v for n, _, v in model if n == GRAPH)))
    nodes = [list(fields(v)) for n, _, v in graph if n == NODE]
    stands_for, quantized = {}, {}            # value -> the float value in its place; code -> what was quantized
    removed = set()
    for i, node in enumerate(nodes):
        op, inputs, outputs = texts(node, OP_TYPE)[0], texts(node, INPUT), texts(node, OUTPUT)
        if op == "QuantizeLinear":
            quantized[outputs[0]] = stands_for.get(inputs[0], inputs[0])
        elif op in ("Identity", "Cast") and inputs[0] in quantized:
            quantized[outputs[0]] = quantized[inputs[0]]
        elif op == "DequantizeLinear" and inputs[0] in quantized:
            stands_for[outputs[0]] = quantized[inputs[0]]
        else:
            if op == "Identity" and inputs[0] in stands_for:
                stands_for[outputs[0]] = stands_for[inputs[0]]
            nodes[i] = [(n, k, stands_for.get(v.decode(), v.decode()).encode() if n == INPUT else v) for n, k, v in node]
            continue
        removed.add(i)
    outputs = {texts(list(fields(v)), 1)[0] for n, _, v in graph if n == GRAPH_OUTPUT}
    for name in outputs & set(stands_for):    # an output that was dequantized keeps its name
        nodes.append([(INPUT, 2, stands_for[name].encode()), (OUTPUT, 2, name.encode()), (OP_TYPE, 2, b"Identity")])
    kept = [(NODE, 2, joined(node)) for i, node in enumerate(nodes) if i not in removed]
    graph = kept + [part for part in graph if part[0] != NODE]
    with open(target, "wb") as f:
        f.write(joined([(n, k, joined(graph) if n == GRAPH else v) for n, k, v in model]))
    print(f"{target}: {len(removed)} of {len(nodes)} nodes were quantization of activations")


main(*sys.argv[1:])
