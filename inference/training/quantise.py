"""The eight-bit check: what would a model lose in int8?

    python3 quantise.py privacy build/training/int8

Writes an int8 copy (weights per output channel, activations per tensor, in ONNX's QuantizeLinear /
DequantizeLinear form, the last convolution of each head left alone) into a folder, with a manifest of
the same name, so that evaluate.py and `gadeblik models bench` measure it like any other. Ranges come
from training pictures: the 99.99th percentile, so that one bright spot does not cost a bit.
"""

import argparse
import json
import pathlib

import cv2
import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper

import export
import net as nets
from sets import WORK

OWN = WORK.parents[1] / "inference/catalogue/own"
PICTURES = 64
QUANTISED = ("Conv", "Add", "Resize")


def letterboxed(path, width, height):
    p = cv2.imread(path)
    s = min(width / p.shape[1], height / p.shape[0])
    small = cv2.resize(p, (round(p.shape[1] * s), round(p.shape[0] * s)), interpolation=cv2.INTER_LINEAR)
    out = np.full((height, width, 3), 114, np.uint8)
    out[: small.shape[0], : small.shape[1]] = small
    return torch.from_numpy(out).permute(2, 0, 1)[None].float()


def run(graph, weights, images):
    """Every tensor of the convolutional part, computed node by node."""
    t = dict(weights, images=images)
    for n in graph.node:
        x = [t.get(i) for i in n.input]
        if n.op_type == "Constant":
            t[n.output[0]] = torch.from_numpy(numpy_helper.to_array(n.attribute[0].t).copy())
        elif n.op_type == "Identity":
            t[n.output[0]] = x[0]
        elif any(v is None for v in x[:1]):
            continue
        elif n.op_type == "Conv":
            a = {k.name: helper.get_attribute_value(k) for k in n.attribute}
            t[n.output[0]] = F.conv2d(x[0], x[1], x[2] if len(x) > 2 else None, a["strides"], a["pads"][:2], groups=a.get("group", 1))
        elif n.op_type == "Relu":
            t[n.output[0]] = torch.relu(x[0])
        elif n.op_type in ("Add", "Sub", "Mul") and x[1] is not None:
            t[n.output[0]] = {"Add": x[0] + x[1], "Sub": x[0] - x[1], "Mul": x[0] * x[1]}[n.op_type]
        elif n.op_type == "Resize":
            t[n.output[0]] = F.interpolate(x[0], scale_factor=2, mode="nearest")
    return t


def ranges(model, name):
    """Lowest and highest value of each tensor over training pictures."""
    width, height = nets.MODELS[name]["size"]
    train = [p["file"] for p in json.loads((WORK / "labels.json").read_text()) if p["split"] == "train"]
    step = max(1, len(train) // PICTURES)
    weights = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in model.graph.initializer}
    spans = {}
    with torch.no_grad():
        for path in train[::step][:PICTURES]:
            for key, v in run(model.graph, weights, letterboxed(path, width, height)).items():
                if key in weights or not torch.is_tensor(v) or v.ndim != 4:
                    continue
                flat = v.flatten()[:: max(1, v.numel() // 20000)]
                lo, hi = torch.quantile(flat, torch.tensor([0.0001, 0.9999])).tolist()
                old = spans.get(key, (0.0, 0.0))
                spans[key] = (min(old[0], lo), max(old[1], hi))
    return spans


class Quantiser:
    def __init__(self, model, spans):
        self.graph, self.spans = model.graph, spans
        self.values = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
        self.done, self.new = {}, []

    def keep(self, name, array):
        self.graph.initializer.append(numpy_helper.from_array(array, name))
        return name

    def activation(self, tensor):
        """The tensor, rounded to eight bits."""
        if tensor not in self.done:
            lo, hi = self.spans[tensor]
            scale = max(hi - lo, 1e-6) / 255
            zero = int(np.clip(round(-lo / scale), 0, 255))
            s, z = self.keep(tensor + "_s", np.float32(scale)), self.keep(tensor + "_z", np.uint8(zero))
            self.done[tensor] = tensor + "_dq"
            self.new.append(helper.make_node("QuantizeLinear", [tensor, s, z], [tensor + "_q"]))
            self.new.append(helper.make_node("DequantizeLinear", [tensor + "_q", s, z], [tensor + "_dq"]))
        return self.done[tensor]

    def weight(self, name):
        """Weights [out, ...], one scale per output channel."""
        if name not in self.done:
            w = self.values[name]
            scale = np.maximum(np.abs(w).reshape(len(w), -1).max(1) / 127, 1e-9).astype(np.float32)
            q = np.clip(np.round(w / scale.reshape(-1, *[1] * (w.ndim - 1))), -127, 127).astype(np.int8)
            q, s, z = self.keep(name + "_q", q), self.keep(name + "_s", scale), self.keep(name + "_z", np.zeros(len(w), np.int8))
            self.done[name] = name + "_dq"
            self.new.append(helper.make_node("DequantizeLinear", [q, s, z], [name + "_dq"], axis=0))
        return self.done[name]

    def rewrite(self):
        feeds = {i for n in self.graph.node for i in n.input if n.op_type in QUANTISED}
        nodes = []
        for n in list(self.graph.node):
            last = n.op_type == "Conv" and n.output[0] not in feeds and not any(
                m.op_type == "Relu" and n.output[0] in m.input or m.op_type == "Add" and n.output[0] in m.input for m in self.graph.node)
            if n.op_type in QUANTISED and not last:
                for k, i in enumerate(n.input):
                    if n.op_type == "Conv" and k == 1:
                        n.input[k] = self.weight(i)
                    elif i in self.spans and (k == 0 or n.op_type == "Add"):
                        n.input[k] = self.activation(i)
            nodes += self.new + [n]
            self.new = []
        del self.graph.node[:]
        self.graph.node.extend(nodes)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("name", choices=nets.MODELS)
    ap.add_argument("folder", type=pathlib.Path)
    ap.add_argument("--own", type=pathlib.Path, default=OWN, help="folder of the float model")
    a = ap.parse_args()
    model = onnx.load(str(a.own / f"gadeblik_{a.name}.onnx"))
    q = Quantiser(model, ranges(model, a.name))
    q.rewrite()
    used = {i for n in model.graph.node for i in n.input}
    kept = [i for i in model.graph.initializer if i.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    onnx.checker.check_model(model)
    a.folder.mkdir(parents=True, exist_ok=True)
    path = a.folder / f"gadeblik_{a.name}_int8.onnx"
    path.write_bytes(model.SerializeToString())
    export.manifest(a.name, path)
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
