"""People rendered by testdata/generate (`people`), set into photographs of streets.

Real photographs of people that may be learnt from are few. Rendered ones stand in for the rest: all ages,
builds, skin tones and directions, on real streets. What is set in is made to fit: light, sharpness, half
hidden behind something now and then.
"""

import json

import cv2
import numpy as np

MANY = (0.62, 0.26, 0.12)  # one, two or three people at once


class People:
    """The rendered people of a folder: cut-outs with alpha, their box and that of their face."""

    def __init__(self, folder):
        lines = (folder / "labels.jsonl").read_text().splitlines()
        self.all = [json.loads(line) for line in lines]
        self.folder, self.pixels = folder, {}

    def cutout(self, k):
        if k not in self.pixels:
            self.pixels[k] = cv2.imread(str(self.folder / self.all[k]["file"]), cv2.IMREAD_UNCHANGED)
        return self.pixels[k], self.all[k]

    def place(self, rng, pixels, boxes, ignore, least):
        """Sets one to three people into a sample, farther ones first; least: class -> height below which one is left out."""
        n = 1 + rng.choice(len(MANY), p=MANY)
        base = log_uniform(rng, 26, 0.95 * pixels.shape[0])
        for high in sorted(base * np.exp(rng.normal(0, 0.25, n))):
            self.place_one(rng, pixels, boxes, ignore, least, high)

    def place_one(self, rng, pixels, boxes, ignore, least, high):
        size = pixels.shape[0]
        cut, label = self.cutout(int(rng.integers(len(self.all))))
        scale = high / 420  # children and who sits stay smaller than who stands
        if rng.random() < 0.5:
            cut, label = mirrored(cut, label)
        cut = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        h, w = cut.shape[:2]
        if h < 12 or w < 5:
            return
        alpha = cut[..., 3:].astype(np.float32) / 255
        if rng.random() < 0.3:
            behind(rng, alpha)
        # Mostly whole, now and then cut off by the border.
        x = int(rng.uniform(-0.3 * w, size - 0.7 * w))
        y = int(rng.uniform(-0.1 * h, max(1, size - 0.8 * h)))
        x0, y0, x1, y1 = max(0, x), max(0, y), min(size, x + w), min(size, y + h)
        if x1 - x0 < 4 or y1 - y0 < 8:
            return
        seen = (slice(y0 - y, y1 - y), slice(x0 - x, x1 - x))
        under = pixels[y0:y1, x0:x1].astype(np.float32)
        colour = lit(rng, cut[..., :3].astype(np.float32)[seen], under, alpha[seen])
        a = alpha[seen]
        soft = rng.uniform(0, 0.9)
        if soft > 0.3:
            colour, a = cv2.GaussianBlur(colour, (0, 0), soft), cv2.GaussianBlur(a, (0, 0), soft)[..., None]
        shown = np.argwhere(a[..., 0] > 0.5)
        if len(shown) < 12:
            return
        pixels[y0:y1, x0:x1] = np.clip(colour * a + under * (1 - a), 0, 255).astype(np.uint8)
        (top, left), (low, right) = shown.min(0), shown.max(0) + 1
        area = (x0 + left, y0 + top, x0 + right, y0 + low)
        boxes[:] = [b for b in boxes if hidden(b, area) < 0.75]
        whole = label["person"]
        share = (low - top) * (right - left) / ((whole[2] - whole[0]) * (whole[3] - whole[1]) * scale**2)
        add("person", area, share > 0.3, boxes, ignore, least)
        if "face" in label:
            f = [v * scale + o for v, o in zip(label["face"], (x, y, x, y))]
            c = (max(f[0], 0.0), max(f[1], 0.0), min(f[2], float(size)), min(f[3], float(size)))
            if c[2] - c[0] > 2 and c[3] - c[1] > 2:
                inside = a[int(c[1]) - y0 : int(c[3]) - y0 + 1, int(c[0]) - x0 : int(c[2]) - x0 + 1]
                share = (c[2] - c[0]) * (c[3] - c[1]) / ((f[2] - f[0]) * (f[3] - f[1]))
                clear = inside.size and inside.mean() > 0.55 and share > 0.6 and label["turned"] < 80
                add("face", c, clear, boxes, ignore, least)


def add(label, box, clear, boxes, ignore, least):
    good = clear and box[3] - box[1] >= least[label]
    (boxes if good else ignore).append((label, *map(float, box)))


def mirrored(cut, label):
    w = cut.shape[1]
    out = dict(label)
    for part in ("person", "face"):
        if part in label:
            x0, y0, x1, y1 = label[part]
            out[part] = [w - x1, y0, w - x0, y1]
    return cut[:, ::-1], out


def behind(rng, alpha):
    """Hides a part: the legs behind a car, a side behind a pole or a wall."""
    h, w = alpha.shape[:2]
    kind = rng.random()
    if kind < 0.6:
        alpha[int(h * rng.uniform(0.4, 0.85)) :] = 0
    elif kind < 0.8:
        alpha[:, : int(w * rng.uniform(0.1, 0.45))] = 0
    else:
        x = int(w * rng.uniform(0.2, 0.7))
        alpha[:, x : x + max(1, int(w * rng.uniform(0.08, 0.2)))] = 0


def lit(rng, colour, under, alpha):
    """Brings the light of a cut-out towards that of where it stands."""
    mean = lambda p, w: (p * w).sum((0, 1)) / max(1e-3, w.sum())
    own, around = mean(colour, alpha), under.reshape(-1, 3).mean(0)
    luma = np.log((around.mean() + 12) / (own.mean() + 12))
    gain = np.exp(luma * rng.uniform(0.2, 0.9) + rng.normal(0, 0.2))
    tint = np.exp(np.log((around + 20) / (around.mean() + 20)) * rng.uniform(0, 0.6))
    return np.clip(colour * gain * tint, 0, 255)


def log_uniform(rng, lo, hi):
    return float(np.exp(rng.uniform(np.log(lo), np.log(hi))))


def hidden(box, under):
    """Share of box (label, x0, y0, x1, y1) that lies under an area."""
    w = min(box[3], under[2]) - max(box[1], under[0])
    h = min(box[4], under[3]) - max(box[2], under[1])
    return max(0, w) * max(0, h) / max(1e-6, (box[3] - box[1]) * (box[4] - box[2]))
