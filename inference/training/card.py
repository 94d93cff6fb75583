"""Decides the scores, measures, and writes manifests and model cards: the last step of `make models`.

    python3 card.py --models ../../build/models

The words of a card are its own, in card_<name>.md here; the figures are put where it says {figures},
{beside} and {made}.
"""

import argparse
import hashlib
import json
import pathlib
import subprocess

import torch

import evaluate as ev
import export
import net as nets
from sets import ROOT, WORK
from teach import seen

HERE = pathlib.Path(__file__).resolve().parent
# class: public models of the catalogue that look for it
PUBLIC = {
    "privacy": {
        "person": ["yolox_nano_640x384", "yolox_nano_960x544"],
        "face": ["yunet_n_640x640", "yunet_n_1280x736"],
        "plate": ["en_PP-OCRv3_det_960x544", "en_PP-OCRv3_det"],
    },
    "street": {
        "person": ["yolox_nano_640x384"],
        "car": ["yolox_nano_640x384"],
        "truck": ["yolox_nano_640x384"],
        "container": ["yolox_nano_container"],
    },
}
COCO = {"truck": ("truck", "bus")}
# What was asked of the models before they were trained: class, figure, least, words.
BARS = {
    "privacy": [("plate", "recall", 0.85, "plates covered"), ("person", "recall", 0.85, "persons found"), ("face", "recall", 0.80, "faces found")],
    "street": [("container", "ap", 0.5, "containers, AP50")],
}
MOST_FALSE = 1.0  # regions per picture that the plates' bar allows


def costs(models, folder):
    """Median ratio of a whole look to the first model's, in turns on one thread."""
    done = subprocess.run(
        [str(ROOT / "bin/gadeblik"), "models", "bench", *models, "--models", str(folder), "--runs", "15", "--json"],
        cwd=ROOT, capture_output=True, text=True,
    )
    if done.returncode:
        raise SystemExit(done.stderr.strip())
    laps = [json.loads(line) for line in done.stdout.splitlines()]
    return {l["model"]: (l["ratio"], f"{l['width']}x{l['height']}", l["bytes"]) for l in laps}


def beside(name, split, own, scores, folder):
    """Ours and the public ones on the same pictures and machine: recall and cost as ratios."""
    model = f"gadeblik_{name}"
    public = sorted({m for of in PUBLIC[name].values() for m in of})
    cost = costs([model] + public, folder)
    looks = {m: kept(m, split.files(), folder) for m in public}
    out = ["| class | model | input | KB | recall | false per picture | recall / ours | cost / ours |", "|---|---|---|--:|--:|--:|--:|--:|"]
    for label, rivals in PUBLIC[name].items():
        ours = ev.measure(split, label, [d for d in own if d["label"] == label], scores[label])
        r = ev.recall(ours)
        out.append(f"| {label} | **ours** | {cost[model][1]} | {cost[model][2] // 1024} | {r:.2f} | {ev.false_per_picture(ours):.2f} | 1 | 1 |")
        for m in rivals:
            labels = COCO.get(label, (label,))
            rows = ev.measure(split, label, [dict(d, label=label) for d in looks[m] if d["label"] in labels], 0.3)
            q, (ratio, size, kb) = ev.recall(rows), cost[m]
            out.append(f"| {label} | {m} | {size} | {kb // 1024} | {q:.2f} | {ev.false_per_picture(rows):.2f} | {ratio_of(q, r)} | {ratio:.2f} |")
    return out


def kept(model, files, folder):
    """What a public model sees in the test pictures; looked at once, since neither changes."""
    path = WORK / "teacher" / f"test_{model}.jsonl"
    if not path.exists():
        found = seen(model, 0.3, files, folder)
        path.write_text("".join(json.dumps(d) + "\n" for d in found))
    return [json.loads(line) for line in path.read_text().splitlines()]


def held(name, split, own, scores):
    """Each bar, what was reached, and whether that is enough."""
    out = []
    for label, key, least, words in BARS[name]:
        f = ev.figures(ev.measure(split, label, [d for d in own if d["label"] == label], scores[label]))
        good = f[key] >= least and (label != "plate" or f["false"] <= MOST_FALSE)
        out.append(f"- {words}: wanted {least:.2f}{' at one false per picture' if label == 'plate' else ''}, "
                   f"reached {f[key]:.2f} at {f['false']:.2f}: {'held' if good else '**missed**'}")
    return out


def ratio_of(theirs, ours):
    return f"{theirs / ours:.2f}" if ours >= 0.01 else "-"


def made(name):
    state = torch.load(WORK / f"{name}.pt", map_location="cpu")
    labels = hashlib.sha256((WORK / "labels.json").read_bytes().replace(str(ROOT.parent).encode(), b"")).hexdigest()
    net = nets.build(name)
    weights = sum(p.numel() for p in net.parameters())
    size = nets.MODELS[name]["size"]
    return [
        f"- {weights} weights, {size[0]}x{size[1]}, {nets.flops(net, *size) / 1e9:.2f} GFLOP a look",
        f"- {state['samples']} samples, seed {state['seed']}, the last of {state['step']} steps, weights averaged exponentially",
        f"- pictures and labels: sha256 {labels[:16]} of labels.json",
    ]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--models", type=pathlib.Path, default=ROOT / "build/models", help="folder of public models")
    ap.add_argument("names", nargs="*", default=list(nets.MODELS))
    a = ap.parse_args()
    for name in a.names:
        test, deciding = ev.Split("test", name), ev.Split("choose", name)
        model, path = f"gadeblik_{name}", ev.OWN / f"gadeblik_{name}.onnx"
        scores = ev.choose(deciding, name, seen(model, ev.LOWEST, deciding.files(), ev.OWN))
        export.manifest(name, path, scores)
        own = seen(model, ev.LOWEST, test.files(), ev.OWN)
        card = (HERE / f"card_{name}.md").read_text()
        for mark, lines in (
            ("{figures}", ev.table(test, name, own, scores)),
            ("{beside}", beside(name, test, own, scores, a.models.resolve())),
            ("{made}", made(name)),
            ("{bars}", held(name, test, own, scores)),
        ):
            card = card.replace(mark, "\n".join(lines))
        (ev.OWN / f"gadeblik_{name}.md").write_text(card)
        print(f"{ev.OWN / model}.md")


if __name__ == "__main__":
    main()
