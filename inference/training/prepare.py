"""Makes build/training/labels.json: every picture with its split, its boxes and what is not known of it.

Three kinds of knowledge are joined: annotations that came with a set or were drawn by hand
(labels/), a human's verdict on what a teacher saw (labels/verdicts.jsonl), and what the teachers saw.
What a teacher is unsure of is neither an object nor background: it is left out of the loss.

    python3 prepare.py --pictures ../shared --models build/models --scenes build/training/scenes
"""

import argparse
import json
import pathlib

import cv2

from sets import MEASURED, ROOT, SETS, WORK, files, splitter
from teach import taught, teach

HERE = pathlib.Path(__file__).resolve().parent
SURE, MAYBE = 0.5, 0.2  # a teacher's score for an object, and for leaving out

THINGS = {"person": "person", "car": "car", "truck": "truck", "bus": "truck", "bench": "bench", "traffic light": "traffic light", "light": "traffic light"}
ALL = ("person", "cyclist", "car", "truck", "container", "bag", "sign", "bench", "traffic light", "face", "plate")
# Notes of who drew a box: not sure, or a single small piece that some would call waste and some not.
DOUBTFUL = ("doubtful", "litter")
# Sets that are like what the teacher of containers learnt from; elsewhere its word only leaves out.
TAUGHT = ("amsterdam_unlabelled", "amsterdam_bags", "lege")
# What a set does not know at all, unless hand-drawn labels say otherwise.
UNKNOWN = ("bag", "sign", "bench", "cyclist")


def area(b):
    return max(0, b[2] - b[0]) * max(0, b[3] - b[1])


def common(a, b):
    return area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))


def iou(a, b):
    both = common(a, b)
    return both / max(1e-9, area(a) + area(b) - both)


class Picture:
    """The boxes of one picture while they are gathered."""

    def __init__(self):
        self.boxes, self.ignore, self.known = [], [], set()

    def add(self, label, box, score=1.0):
        """Adds an object unless the same one is there."""
        for l, b, _ in self.boxes:
            if l == label and iou(b, box) > 0.5:
                return
        self.boxes.append((label, list(box), score))

    def leave_out(self, label, box):
        if not any(l == label and iou(b, box) > 0.5 for l, b, _ in self.boxes):
            self.ignore.append((label, list(box)))


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def by_hand(pictures):
    """file -> hand-drawn boxes; every label that was looked for is known there."""
    drawn = {}
    for d in lines(HERE / "labels" / "drawn.jsonl"):
        drawn.setdefault(str(pictures / d["file"]), []).append(d)
    return drawn


def verdicts(pictures):
    """(file, label) -> [(box, verdict, mended box)]."""
    out = {}
    for d in lines(HERE / "labels" / "verdicts.jsonl"):
        out.setdefault((str(pictures / d["file"]), d["label"]), []).append((d["box"], d["verdict"], d.get("fixed", d["box"])))
    return out


def annotated(pictures):
    """file -> boxes that came with the sets, and what they say about what is missing."""
    out = {}
    for name, whole in (("amsterdam_containers", ["container"]), ("romania_plates", []), ("faces", ["face"])):
        notes = json.loads((pictures / "annotations" / f"{name}.json").read_text())
        for image in notes["images"]:
            boxes = [(o["label"], o["box"]) for o in image["objects"] if o["label"] in ALL]
            out.setdefault(str(pictures / image["file"]), ([], set()))
            out[str(pictures / image["file"])][0].extend(boxes)
            out[str(pictures / image["file"])][1].update(whole)
    return out


def judged(p, label, seen, said):
    """Adds what a teacher saw of one label: as a human judged it, else by its score."""
    for d in seen:
        verdict = next(((v, mended) for box, v, mended in said if iou(box, d["box"]) > 0.6), None)
        if verdict is None:
            verdict = ("yes" if d["score"] >= SURE else "unsure" if d["score"] >= MAYBE else "no", d["box"])
        if verdict[0] == "yes":
            p.add(label, verdict[1], d["score"])
        elif verdict[0] in ("unsure", "poster"):
            p.leave_out(label, verdict[1])
    for box, v, mended in said:
        if v in ("added", "yes"):
            p.add(label, mended)


def riders(p, bicycles):
    """A person on a bicycle is a cyclist: one box around both. The person stays one, too."""
    for label, b, score in list(p.boxes):
        if label != "person":
            continue
        for c in bicycles:
            over = min(b[2], c[2]) - max(b[0], c[0])
            width = min(b[2] - b[0], c[2] - c[0])
            if over > 0.6 * width and b[1] < c[1] and c[1] < b[3] < c[3] + 0.15 * (c[3] - c[1]) and (b[1] + b[3]) / 2 < c[1] + 0.3 * (c[3] - c[1]):
                p.add("cyclist", (min(b[0], c[0]), min(b[1], c[1]), max(b[2], c[2]), max(b[3], c[3])), score)
                break


def riding(boxes):
    """Which boxes are of persons who ride: a cyclist's box holds them nearly whole. They are persons to
    whom people are removed, and part of the cyclist to whom cyclists are counted."""
    cyclists = [b[1:5] for b in boxes if b[0] == "cyclist"]
    return [b[0] == "person" and any(common(b[1:5], c) > 0.8 * area(b[1:5]) and b[4] - b[2] > 0.5 * (c[3] - c[1]) for c in cyclists) for b in boxes]


def gather(name, f, know):
    p = Picture()
    key = str(f)
    boxes, whole = know.annotated.get(key, ([], set()))
    for label, box in boxes:
        p.add(label, box)
    p.known |= whole
    drawn = know.drawn.get(key)
    for d in drawn or ():
        label = THINGS.get(d["label"], d["label"])
        if label not in ALL:
            continue
        if any(word in d.get("note", "") for word in DOUBTFUL):
            p.leave_out(label, d["box"])
        else:
            p.add(label, d["box"])
    # Plates: a teacher's box is more exact than a drawn one, so it is asked first where both are.
    said = lambda label: know.verdicts.get((key, label), [])
    things = know.small.get(key, []) + know.large.get(key, [])
    for coco, label in THINGS.items():
        judged(p, label, sorted((d for d in things if d["label"] == coco), key=lambda d: -d["score"]), said(label) if label == "person" else [])
    riders(p, [d["box"] for d in things if d["label"] in ("bicycle", "motorcycle") and d["score"] > 0.3])
    if "container" not in p.known and drawn is None:
        seen = [d for d in know.containers.get(key, []) if d["label"] == "container"]
        judged(p, "container", seen if name in TAUGHT else [dict(d, score=min(d["score"], 0.3)) for d in seen], [])
    if "face" not in p.known:
        faces = know.faces.get(key, [])
        judged(p, "face", faces if name != "static" else [dict(d, score=min(d["score"], 0.3)) for d in faces], said("face"))
    plates = know.plates.get(key, [])
    checked = said("plate")
    judged(p, "plate", plates if checked else [dict(d, score=min(d["score"], MAYBE)) for d in plates], checked)
    missing = [] if drawn is not None else [l for l in UNKNOWN if not any(b[0] == l for b in p.boxes)]
    if name in ("clips", "portraits"):
        missing += ["container", "plate", "car", "truck"]  # indoors: what a teacher sees of these is not there
        p.boxes = [b for b in p.boxes if b[0] not in missing]
    return p, missing


class Knowledge:
    def __init__(self, pictures):
        self.annotated, self.drawn, self.verdicts = annotated(pictures), by_hand(pictures), verdicts(pictures)
        self.small, self.large = taught("yolox_nano_1280x736"), taught("yolox_nano_640x384")
        self.containers, self.faces = taught("yolox_nano_container_640x640"), taught("yunet_n_1280x736")
        self.plates = taught("en_PP-OCRv3_det")


def real(pictures):
    know, split = Knowledge(pictures), splitter(pictures)
    for name in SETS | MEASURED:
        for f in files(name, pictures):
            h, w = cv2.imread(str(f)).shape[:2]
            p, missing = gather(name, f, know)
            boxes = [[l, *b, round(s, 3)] for l, b, s in p.boxes]
            yield dict(
                file=str(f), set=name, split=split(name, f), width=w, height=h, missing=missing,
                boxes=boxes, riding=riding(boxes), ignore=[[l, *b] for l, b in p.ignore],
            )


def rendered(scenes):
    """Scenes of our own renderer: exact boxes; what hardly shows is left out."""
    by = {}
    for d in lines(scenes / "labels.jsonl"):
        by.setdefault(d["file"], []).append(d)
    for f in sorted(scenes.glob("*.jpg")):
        boxes, ignore = [], []
        for d in by.get(f.name, []):
            hidden = d.get("shown", 1) < 0.3 or d["label"] == "face" and d.get("turned", 0) > 100
            (ignore if hidden else boxes).append([THINGS.get(d["label"], d["label"]), *d["box"]] + ([] if hidden else [1.0]))
        h, w = cv2.imread(str(f)).shape[:2]
        yield dict(file=str(f), set="scenes", split="train", width=w, height=h, missing=[], boxes=boxes, riding=riding(boxes), ignore=ignore)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--pictures", type=pathlib.Path, default=ROOT.parent / "shared")
    ap.add_argument("--models", type=pathlib.Path, default=ROOT / "build/models")
    ap.add_argument("--scenes", type=pathlib.Path, default=WORK / "scenes")
    a = ap.parse_args()
    a.pictures = a.pictures.resolve()
    teach(a.pictures, a.models.resolve())
    out = list(real(a.pictures)) + list(rendered(a.scenes.resolve()))
    (WORK / "labels.json").write_text(json.dumps(out))
    count = {}
    for p in out:
        for b in p["boxes"]:
            c = count.setdefault((p["split"], p["set"]), {})
            c[b[0]] = c.get(b[0], 0) + 1
    for (split, name), c in sorted(count.items()):
        print(split, name, dict(sorted(c.items())))


if __name__ == "__main__":
    main()
