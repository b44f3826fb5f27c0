"""A small notebook for drawing ONNX graphs, and the saving of models with their references; see make_test_models.py."""
import json
import os
import zlib

import numpy as np
from onnx import TensorProto, helper, numpy_helper

F32, F16 = TensorProto.FLOAT, TensorProto.FLOAT16


class Sketch:
    """A graph under construction. Nodes return the name of their first output; weights come from a fixed seed."""

    def __init__(self, name, opset=13, ir=7):
        self.name, self.opset, self.ir = name, opset, ir
        self.nodes, self.weights, self.inputs, self.outputs, self.runs = [], [], [], [], {}
        self.random = np.random.RandomState(zlib.crc32(name.encode()))
        self.domains = []

    def input(self, name, shape, dtype=F32):
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def output(self, value, shape, dtype=F32):
        self.outputs.append(helper.make_tensor_value_info(value, dtype, shape))

    def constant(self, array, name=None):
        name = name or f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def normal(self, *shape, scale=None, offset=0.0):
        """Weights whose scale keeps activations near 1: 1 / sqrt(fan in) unless given."""
        scale = scale if scale is not None else 1 / np.sqrt(max(1, int(np.prod(shape[1:]))))
        return (self.random.standard_normal(shape) * scale + offset).astype(np.float32)

    def weight(self, *shape, **spread):
        return self.constant(self.normal(*shape, **spread))

    def __call__(self, op, *inputs, outputs=1, out=None, domain=None, **attributes):
        names = out if out else [f"{op.lower()}{len(self.nodes)}" + (f"_{i}" if i else "") for i in range(outputs)]
        names = [names] if isinstance(names, str) else names
        self.nodes.append(helper.make_node(op, inputs, names, name=f"{op}_{len(self.nodes)}", domain=domain, **attributes))
        return names[0]

    def norm(self, x, channels):
        scale, shift = self.weight(channels, scale=0.2, offset=1), self.weight(channels, scale=0.2)
        mean, spread = self.weight(channels, scale=0.2), self.constant(np.abs(self.normal(channels, scale=0.3)) + 0.5)
        return self("BatchNormalization", x, scale, shift, mean, spread, epsilon=1e-3)

    def run(self, folder="ref", **values):
        """One reference run: values by input name, in a folder of this name."""
        self.runs[folder] = values

    def data(self, *shape, scale=1.0, dtype=np.float32):
        return (self.random.standard_normal(shape) * scale).astype(dtype)

    def finish(self, doc):
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.weights)
        imports = [helper.make_opsetid("", self.opset)] + [helper.make_opsetid(d, 1) for d in self.domains]
        made = helper.make_model(graph, opset_imports=imports, producer_name="pith make_test_models", doc_string=doc)
        made.ir_version = self.ir
        return made


def save_model(made, folder, external):
    if external:
        offset, blob = 0, b""
        for tensor in made.graph.initializer:
            if tensor.name not in ("first", "second"):
                continue
            blob += b"\0" * (-len(blob) % 64)  # an offset that is not the end of the tensor before
            offset, raw = len(blob), tensor.raw_data
            tensor.ClearField("raw_data")
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in (("location", "weights.bin"), ("offset", offset), ("length", len(raw))):
                tensor.external_data.add(key=key, value=str(value))
            blob += raw
        with open(os.path.join(folder, "weights.bin"), "wb") as f:
            f.write(blob)
    with open(os.path.join(folder, "model.onnx"), "wb") as f:
        f.write(made.SerializeToString(deterministic=True))


def save_references(sketch, folder):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(os.path.join(folder, "model.onnx"), options, providers=["CPUExecutionProvider"])
    for name, values in sketch.runs.items():
        place = os.path.join(folder, name)
        os.makedirs(place, exist_ok=True)
        results = session.run(None, values)
        for i, value in enumerate(values.values()):
            np.save(os.path.join(place, f"input_{i}.npy"), value)
        for i, value in enumerate(results):
            np.save(os.path.join(place, f"output_{i}.npy"), value)
        names = {"inputs": list(values), "outputs": [o.name for o in session.get_outputs()],
                 "made_by": f"onnxruntime {ort.__version__} CPU, graph optimisations off"}
        with open(os.path.join(place, "names.json"), "w") as f:
            f.write(json.dumps(names) + "\n")
