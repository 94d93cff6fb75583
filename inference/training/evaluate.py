"""Measures models on the pictures of the test split, as the product sees them.

    python3 evaluate.py                       # both built-in models
    python3 evaluate.py privacy --models build/training/int8 --suffix _int8

Every look goes through `gadeblik models try`: letterbox, decoder and suppression are the shipped ones.
Intervals are 95 % of 1000 bootstrap samples over pictures (Efron 1979), so that ten boxes in one
picture do not count as ten witnesses.
"""

import argparse
import json
import pathlib

import cv2
import numpy as np

import net as nets
from prepare import area, common, iou
from sets import ROOT, WORK
from teach import seen

OWN = ROOT / "inference/catalogue/own"
LOWEST = 0.02  # scores below say nothing; average precision needs the tail
DARK = 60  # mean luma of a picture, of 255, below which it counts as dark
MARGIN = 0.12  # of its side, by which redaction grows a box at least, on each side: package blur
COVERED = 0.8  # share of an object that has to lie under what redaction removes

ALLOWED = 0.8  # false boxes per picture of a class that is removed: one is tolerable, other streets may be worse
RARE = 0.2

# What is asked of a class: the least height in pixels of the picture, how a
# box counts as found, and the sets in which every object of the class is known.
AMSTERDAM = ("amsterdam", "amsterdam_unlabelled")
ROMANIA = ("romania_day001", "romania_day003", "romania_night001")
STREETS = AMSTERDAM + ROMANIA + ("lege", "amsterdam_bags", "street")
ASKED = {
    "plate": dict(least=12, sets=ROMANIA + AMSTERDAM, found="covered"),
    "person": dict(least=48, sets=STREETS + ("faces", "clips"), found="iou"),
    "face": dict(least=16, sets=STREETS + ("faces", "clips", "portraits"), found="iou"),
    "container": dict(least=16, sets=AMSTERDAM, found="iou"),
    "bag": dict(least=16, sets=AMSTERDAM, found="iou"),
    "car": dict(least=24, sets=STREETS, found="iou"),
    "truck": dict(least=24, sets=STREETS, found="iou"),
    "cyclist": dict(least=48, sets=STREETS, found="iou"),
}
def grown(box):
    """What redaction removes for a box, at least."""
    x, y = MARGIN * (box[2] - box[0]), MARGIN * (box[3] - box[1])
    return box[0] - x, box[1] - y, box[2] + x, box[3] + y


def covered(box, under):
    """Share of box that lies under the boxes."""
    x0, y0, x1, y1 = (int(round(v)) for v in box)
    sheet = np.zeros((max(1, y1 - y0), max(1, x1 - x0)), bool)
    for u in under:
        a = [int(round(v)) for v in u]
        sheet[max(0, a[1] - y0) : max(0, a[3] - y0), max(0, a[0] - x0) : max(0, a[2] - x0)] = True
    return sheet.mean()


class Split:
    """One side of the split, and what is true in it for one of our models."""

    def __init__(self, which, name):
        self.pictures = [p for p in json.loads((WORK / "labels.json").read_text()) if p["split"] == which and p["set"] != "scenes"]
        for p in self.pictures:
            if "cyclist" in nets.MODELS[name]["classes"]:  # who rides is asked for as a cyclist
                p["ignore"] += [b[:5] for b, r in zip(p["boxes"], p["riding"]) if r]
                p["boxes"] = [b for b, r in zip(p["boxes"], p["riding"]) if not r]
            p["luma"] = float(cv2.imread(p["file"], cv2.IMREAD_GRAYSCALE).mean())

    def files(self):
        return [p["file"] for p in self.pictures]

    def of(self, label):
        return [p for p in self.pictures if p["set"] in ASKED[label]["sets"] and label not in p["missing"]]


def truth(p, label):
    least = ASKED[label]["least"]
    want = [b for b in p["boxes"] if b[0] == label and b[4] - b[2] >= least]
    other = [b for b in p["boxes"] + p["ignore"] if b[0] == label and b not in want]
    return [b[1:5] for b in want], [b[1:5] for b in other]


def judge(p, label, dets, how):
    """found: per true box whether it was; alarms: scores and whether right, best first."""
    want, other = truth(p, label)
    dets = sorted(dets, key=lambda d: -d["score"])
    taken, marks = set(), []
    for d in dets:
        best = max(((iou(w, d["box"]), k) for k, w in enumerate(want) if k not in taken), default=(0, -1))
        if best[0] >= 0.5:
            taken.add(best[1])
            marks.append((d["score"], True))
        elif any(common(d["box"], o) > 0.4 * area(d["box"]) for o in other + want):
            continue  # a second box of the same thing, or something nobody is sure of: neither
        else:
            marks.append((d["score"], False))
    if how == "covered":
        hit = [covered(w, [grown(d["box"]) for d in dets]) >= COVERED for w in want]
    else:
        hit = [k in taken for k in range(len(want))]
    return want, hit, marks


def average_precision(marks, n):
    """Area under precision over recall, precision made monotonic, as PASCAL VOC does since 2010."""
    if n == 0:
        return float("nan")
    marks = sorted(marks, key=lambda m: -m[0])
    right = np.array([m[1] for m in marks], float)
    if not len(right):
        return 0.0
    tp = np.cumsum(right)
    precision = np.maximum.accumulate((tp / np.arange(1, len(right) + 1))[::-1])[::-1]
    recall = np.concatenate(([0], tp / n))
    return float((np.diff(recall) * precision).sum())


def interval(rows, figure, rng):
    """95 % of figure over pictures drawn again."""
    if not rows:
        return (float("nan"),) * 2
    out = []
    for _ in range(1000):
        v = figure([rows[i] for i in rng.integers(len(rows), size=len(rows))])
        if v == v:
            out.append(v)
    return tuple(np.percentile(out, (2.5, 97.5))) if out else (float("nan"),) * 2


def recall(rows):
    n = sum(len(r["hit"]) for r in rows)
    return sum(sum(r["hit"]) for r in rows) / n if n else float("nan")


def removed(rows):
    n = sum(len(r["removed"]) for r in rows)
    return sum(sum(r["removed"]) for r in rows) / n if n else float("nan")


def false_per_picture(rows):
    return sum(r["false"] for r in rows) / len(rows) if rows else float("nan")


def ap(rows):
    return average_precision([m for r in rows for m in r["marks"]], sum(len(r["hit"]) for r in rows))


def tone(p, box):
    """Individual typology angle of a face's middle (Chardon et al. 1991), degrees: above 28 light, below 10 dark."""
    x0, y0, x1, y1 = box
    w, h = x1 - x0, y1 - y0
    part = cv2.imread(p["file"])[int(y0 + 0.35 * h) : int(y0 + 0.7 * h), int(x0 + 0.25 * w) : int(x0 + 0.75 * w)]
    if part.size == 0:
        return float("nan")
    lab = cv2.cvtColor(part.astype(np.float32) / 255, cv2.COLOR_BGR2LAB).reshape(-1, 3)
    l, _, b = np.median(lab, 0)
    return float(np.degrees(np.arctan2(l - 50, b)))


def by_file(dets):
    by = {}
    for d in dets:
        by.setdefault(d["file"], []).append(d)
    return by


def measure(split, label, dets, score, everything=()):
    """Rows, one per picture, of one class of one model at one score; everything: what the model removes."""
    by, gone, rows = by_file(dets), by_file(everything), []
    for p in split.of(label):
        seen_here = by.get(p["file"], [])
        at = [d for d in seen_here if d["score"] >= score]
        under = [grown(d["box"]) for d in gone.get(p["file"], [])]
        want, hit, marks = judge(p, label, at, ASKED[label]["found"])
        rows.append(dict(
            picture=p, want=want, hit=hit, false=sum(not m[1] for m in marks),
            marks=judge(p, label, seen_here, "iou")[2], removed=[covered(w, under) >= COVERED for w in want],
        ))
    return rows


def figures(rows, seed=1):
    rng = np.random.default_rng(seed)
    return dict(
        n=sum(len(r["hit"]) for r in rows), pictures=len(rows),
        recall=recall(rows), recall_in=interval(rows, recall, rng),
        false=false_per_picture(rows), ap=ap(rows), ap_in=interval(rows, ap, rng),
    )


def parts(rows, label):
    """Recall and removal by size of the object, by light, by set, and for faces by skin tone."""
    least, out = ASKED[label]["least"], []
    objects = [(w, h, g, r["picture"]) for r in rows for w, h, g in zip(r["want"], r["hit"], r["removed"])]
    cuts = [least, 2 * least, 4 * least, 10**6]
    for lo, hi in zip(cuts, cuts[1:]):
        out.append((f"{lo} to {hi} px" if hi < 10**6 else f"{lo} px and more", [o for o in objects if lo <= o[0][3] - o[0][1] < hi]))
    for name, dark in (("by day", False), ("dark", True)):
        out.append((name, [o for o in objects if (o[3]["luma"] < DARK) == dark]))
    for name in dict.fromkeys(o[3]["set"] for o in objects):
        out.append((f"set {name}", [o for o in objects if o[3]["set"] == name]))
    if label == "face":
        tones = [(o, tone(o[3], o[0])) for o in objects if o[0][3] - o[0][1] >= 24]
        for name, lo, hi in (("light skin", 28, 91), ("medium skin", 10, 28), ("dark skin", -91, 10)):
            out.append((name, [o for o, t in tones if lo <= t < hi]))
    share = lambda some, k: sum(o[k] for o in some) / len(some)
    return [(name, len(some), share(some, 1), share(some, 2)) for name, some in out if some]


def best_f1(rows):
    """The score at which precision and recall balance best."""
    marks = sorted((m for r in rows for m in r["marks"]), key=lambda m: -m[0])
    n = sum(len(r["hit"]) for r in rows)
    if n < 10 or not marks:
        return None
    right = np.cumsum([m[1] for m in marks])
    return marks[int(np.argmax(2 * right / (np.arange(1, len(marks) + 1) + n)))][0]


def choose(split, name, dets):
    """The score at which each class is believed, decided on pictures that are neither taught nor measured.

    What is removed is believed as early as ALLOWED false boxes per picture permit: one too many costs a
    blurred patch, one missed costs everything. What is looked for is believed where F1 is best; a class of
    which the deciding pictures hold fewer than ten, from RARE.
    """
    out = {}
    for label in nets.shipped(name):
        of = [d for d in dets if d["label"] == label]
        if name == "privacy":
            steps = [s / 100 for s in range(4, 60)]
            out[label] = next((s for s in steps if false_per_picture(measure(split, label, of, s)) <= ALLOWED), 0.6)
        else:
            s = best_f1(measure(split, label, of, LOWEST))
            out[label] = round(min(max(s, 0.12), 0.6), 2) if s else RARE
    return out


def show(label, f, gone):
    r, a = f["recall_in"], f["ap_in"]
    return (f"| {label} | {f['n']} | {f['recall']:.2f} ({r[0]:.2f} to {r[1]:.2f}) |{gone} {f['false']:.2f} | "
            f"{f['ap']:.2f} ({a[0]:.2f} to {a[1]:.2f}) |")


def table(split, name, dets, scores):
    """Figures of every class of one of our models, as rows of Markdown."""
    privacy = name == "privacy"
    out = [f"| class | objects | recall (95 %) |{' removed |' if privacy else ''} false per picture | AP50 (95 %) |",
           f"|---|--:|--:|{'--:|' if privacy else ''}--:|--:|"]
    everything = [d for d in dets if d["score"] >= scores[d["label"]]]
    for label in nets.shipped(name):
        rows = measure(split, label, [d for d in dets if d["label"] == label], scores[label], everything)
        gone = lambda share: f" {share:.2f} |" if privacy else ""
        out.append(show(f"**{label}**, {ASKED[label]['least']} px high or more", figures(rows), gone(removed(rows))))
        out += [f"| {part} | {n} | {r:.2f} |{gone(g)} | |" for part, n, r, g in parts(rows, label)]
    return out


def main():
    ap_ = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap_.add_argument("names", nargs="*", default=["street", "privacy"], help="street, privacy")
    ap_.add_argument("--models", type=pathlib.Path, default=OWN, help="folder of our models")
    ap_.add_argument("--suffix", default="", help="of their names, _int8 for the eight-bit ones")
    ap_.add_argument("--split", default="test", choices=("train", "choose", "test"))
    a = ap_.parse_args()
    for name in a.names:
        split, deciding = Split(a.split, name), Split("choose", name)
        model = f"gadeblik_{name}{a.suffix}"
        scores = choose(deciding, name, seen(model, LOWEST, deciding.files(), a.models.resolve()))
        print(f"\n{model}, {a.split}, believed from {scores}\n")
        dets = seen(model, LOWEST, split.files(), a.models.resolve())
        print("\n".join(table(split, name, dets, scores)), flush=True)


if __name__ == "__main__":
    main()
