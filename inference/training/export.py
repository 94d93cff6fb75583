"""Writes a trained network as ONNX with its manifest, as package catalogue embeds them.

    python3 export.py street build/training/street.pt inference/catalogue/own
"""

import argparse
import hashlib
import pathlib

import onnx
import torch

import net as nets

MANIFEST = """# {title}; the card beside it says what it learnt from, what it reaches and what it misses.
name: {stem}
file: {stem}.onnx
sha256: {sha256}
task: {task}
licence: Apache-2.0
source: 'inference/training of this project'
decoder: yolox
output: output
classes: [{classes}]
score: {least}
# What is this sure is reported: the only place where these figures stand.
scores: {{{scores}}}
nms: 0.5
input: {{name: images, width: {width}, height: {height}, colour: bgr, mean: [0, 0, 0], std: [1, 1, 1], pad: 114}}
"""
TITLES = {"street": "What a task looks for in a street", "privacy": "What is removed from every picture"}


def write(name, net, folder):
    """Writes gadeblik_<name>.onnx and .yaml into folder and returns the path of the former."""
    width, height = nets.MODELS[name]["size"]
    path = folder / f"gadeblik_{name}.onnx"
    torch.onnx.export(
        nets.Shipped(net.eval(), len(nets.shipped(name))), torch.zeros(1, 3, height, width), str(path), opset_version=13,
        input_names=["images"], output_names=["output"], do_constant_folding=True,
    )
    model = onnx.load(str(path))
    model.producer_name, model.producer_version = "gadeblik", ""
    del model.graph.value_info[:]
    for n in model.graph.node:
        n.name, n.doc_string = "", ""
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    manifest(name, path)
    return path


def manifest(name, path, scores=None):
    """Writes the manifest of the model at path; scores by label, decided by card.py."""
    width, height = nets.MODELS[name]["size"]
    scores = scores or {c: 0.3 for c in nets.shipped(name)}
    path.with_suffix(".yaml").write_text(MANIFEST.format(
        stem=path.stem, title=TITLES[name], sha256=hashlib.sha256(path.read_bytes()).hexdigest(), task="objects",
        least=min(scores.values()), scores=", ".join(f"{k}: {v}" for k, v in scores.items()), classes=", ".join(nets.shipped(name)), width=width, height=height,
    ))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("name", choices=nets.MODELS)
    ap.add_argument("weights", type=pathlib.Path, help="of train.py; - for untrained ones")
    ap.add_argument("folder", type=pathlib.Path)
    a = ap.parse_args()
    torch.manual_seed(0)
    net = nets.build(a.name)
    if str(a.weights) != "-":
        net.load_state_dict(torch.load(a.weights, map_location="cpu")["weights"])
    path = write(a.name, net, a.folder)
    print(f"{path}: {path.stat().st_size} bytes, {nets.flops(net, *nets.MODELS[a.name]['size']) / 1e9:.2f} GFLOP")


if __name__ == "__main__":
    main()
