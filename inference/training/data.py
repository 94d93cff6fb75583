"""Training samples: squares cut out of pictures, with their boxes.

A sample looks like what the shipped input shows: the same scale, give or take, the same letterbox
grey. What teaches little is moved out of the loss instead of being guessed at: objects too small to
see, cut off too far, or of a class that nobody looked for in that set.
"""

import json

import cv2
import numpy as np

import net as nets
from people import People, hidden, log_uniform
from sets import WORK

cv2.setNumThreads(1)
PAD = 114
KEEP = 9 << 30  # bytes of decoded pictures kept by each training; the rest is decoded again every time

# How often a set is drawn, relative to the others, whatever its size.
WEIGHT = {
    "scenes": 3.0, "amsterdam": 2.0, "amsterdam_unlabelled": 1.2, "lege": 1.0, "romania_day001": 2.0,
    "romania_night001": 0.6, "static": 0.4, "clips": 1.0, "portraits": 0.8,
}
# How often a sample is made around a class, relative to the others: most for what counts and is rare.
ASKED = {"container": 1.5, "bag": 1.5, "truck": 1.2, "cyclist": 0.7, "traffic light": 0.4}
PASTED = {"person"}
# Heights in pixels of the shipped input between which objects are brought when a sample is made
# around one, and the height below which one is left out.
HEIGHTS = {
    "person": (24, 420, 14), "face": (9, 160, 7), "plate": (7, 60, 5), "cyclist": (24, 360, 14), "car": (14, 300, 10),
    "truck": (20, 350, 12), "container": (16, 350, 10), "bag": (12, 260, 10), "traffic light": (10, 120, 8),
}


class Pictures:
    """The training pictures of labels.json."""

    def __init__(self, classes):
        self.all = []
        for p in json.loads((WORK / "labels.json").read_text()):
            if p["split"] != "train":
                continue
            part = [r and "cyclist" in classes for r in p["riding"]]
            p["ignore"] = [b for b in p["ignore"] + [b for b, r in zip(p["boxes"], part) if r] if b[0] in classes]
            p["boxes"] = [b for b, r in zip(p["boxes"], part) if b[0] in classes and not r]
            self.all.append(p)
        self.pixels, self.kept = {}, 0
        self.by_set, self.by_class = {}, {c: {} for c in classes}
        for i, p in enumerate(self.all):
            self.by_set.setdefault(p["set"], []).append(i)
            for j, b in enumerate(p["boxes"]):
                if b[4] - b[2] >= HEIGHTS[b[0]][2]:
                    self.by_class[b[0]].setdefault(p["set"], []).append((i, j))
        self.classes = [c for c in classes if self.by_class[c]]
        self.asked = np.array([ASKED.get(c, 1.0) for c in self.classes])
        self.asked /= self.asked.sum()

    def image(self, i):
        if i in self.pixels:
            return self.pixels[i]
        picture = cv2.imread(self.all[i]["file"])
        if self.kept + picture.nbytes < KEEP:
            self.kept += picture.nbytes
            self.pixels[i] = picture
        return picture


def pick(rng, by_set):
    """Draws a set, a poor one less often so that its few pictures are not learnt by heart, then one of it."""
    names = list(by_set)
    w = np.array([WEIGHT[n] * len(by_set[n]) / (len(by_set[n]) + 40) for n in names])
    items = by_set[names[rng.choice(len(names), p=w / w.sum())]]
    return items[rng.integers(len(items))]


def within(p, half, x, y):
    """Moves the middle of a sample so that it shows as much of the picture as it can."""
    x = min(max(x, min(half, p["width"] / 2)), max(p["width"] - half, p["width"] / 2))
    y = min(max(y, min(half, p["height"] / 2)), max(p["height"] - half, p["height"] / 2))
    return x, y


class Sampler:
    """Draws samples for one model. The same seed gives the same samples."""

    def __init__(self, name, seed):
        m = nets.MODELS[name]
        self.classes, (self.width, self.height) = m["classes"], m["size"]
        self.pictures = Pictures(self.classes)
        self.rng = np.random.default_rng(seed)
        self.people = People(WORK / "people") if "face" in self.classes else None

    def shipped(self, p):
        """Scale of a picture in the shipped input."""
        return min(self.width / p["width"], self.height / p["height"])

    def view(self, size):
        """Chooses a picture, a scale and the place that comes to the middle of the sample."""
        rng = self.rng
        if rng.random() < 0.7:
            c = self.pictures.classes[rng.choice(len(self.pictures.classes), p=self.pictures.asked)]
            i, j = pick(rng, self.pictures.by_class[c])
            p, b = self.pictures.all[i], self.pictures.all[i]["boxes"][j]
            lo, hi, _ = HEIGHTS[c]
            high = b[4] - b[2]
            hi = min(hi, size * 0.9, high * max(1.6, 1.25 * self.shipped(p)))
            scale = log_uniform(rng, min(lo, hi), hi) / high
            off = rng.uniform(-0.42, 0.42, 2) * size / scale
            return i, scale, within(p, size / scale / 2, (b[1] + b[3]) / 2 + off[0], (b[2] + b[4]) / 2 + off[1])
        i = pick(rng, self.pictures.by_set)
        p = self.pictures.all[i]
        if rng.random() < 0.2:
            scale = size / max(p["width"], p["height"]) * rng.uniform(0.8, 1.2)
        else:
            scale = self.shipped(p) * log_uniform(rng, 0.55, 1.7)
        return i, scale, within(p, size / scale / 2, rng.uniform(0, p["width"]), rng.uniform(0, p["height"]))

    def cut(self, size, shape=None):
        """One view of one picture: pixels [h, w, 3], boxes and what is left out."""
        rng = self.rng
        i, scale, (x, y) = self.view(size)
        w, h = shape or (size, size)
        p = self.pictures.all[i]
        flip = rng.random() < 0.5
        stretch = float(np.exp(rng.normal(0, 0.06)))
        sx, sy = scale * stretch * (-1 if flip else 1), scale / stretch
        move = np.array([[sx, 0, w / 2 - sx * x], [0, sy, h / 2 - sy * y]], np.float32)
        tilt = rng.normal(0, 2.0) if rng.random() < 0.3 else 0.0
        if tilt:
            turn = cv2.getRotationMatrix2D((w / 2, h / 2), tilt, 1.0)
            move = (np.vstack([turn, [0, 0, 1]]) @ np.vstack([move, [0, 0, 1]]))[:2]
        pixels = self.pictures.image(i)
        if scale < 0.5:  # so that small things do not flicker away between samples
            small = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            m = move.copy()
            m[:, :2] *= 2
            out = cv2.warpAffine(small, m, (w, h), flags=cv2.INTER_LINEAR, borderValue=(PAD,) * 3)
        else:
            out = cv2.warpAffine(pixels, move, (w, h), flags=cv2.INTER_LINEAR, borderValue=(PAD,) * 3)
        boxes, ignore = [], []
        for b in p["boxes"]:
            self.place(b[0], b[1:5], move, w, h, boxes, ignore)
        for b in p["ignore"]:
            self.place(b[0], b[1:5], move, w, h, ignore, ignore)
        for c in p["missing"]:
            if c in self.classes:
                ignore.append((c, 0, 0, w, h))
        return out, boxes, ignore

    def place(self, label, b, move, w, h, boxes, ignore):
        """Moves a box into the sample: an object, or left out when hardly anything of it shows."""
        x = np.array([[b[0], b[1], 1], [b[2], b[1], 1], [b[0], b[3], 1], [b[2], b[3], 1]], np.float32) @ move.T
        (x0, y0), (x1, y1) = x.min(0), x.max(0)
        c = (max(0.0, x0), max(0.0, y0), min(float(w), x1), min(float(h), y1))
        if c[2] - c[0] < 2 or c[3] - c[1] < 2:
            return
        share = (c[2] - c[0]) * (c[3] - c[1]) / ((x1 - x0) * (y1 - y0))
        good = share > 0.4 and y1 - y0 >= HEIGHTS[label][2] * 0.9
        (boxes if good else ignore).append((label, *map(float, c)))

    def sample(self, size):
        """pixels [size, size, 3] uint8 BGR; boxes and left out as (label, x0, y0, x1, y1)."""
        if self.rng.random() < 0.3:
            pixels, boxes, ignore = self.mosaic(size)
        else:
            pixels, boxes, ignore = self.cut(size)
            if self.people and self.rng.random() < 0.45:
                self.people.place(self.rng, pixels, boxes, ignore, {c: HEIGHTS[c][2] for c in self.classes})
            elif PASTED & set(self.classes) and self.rng.random() < (0.15 if self.people else 0.35):
                self.paste(pixels, boxes, ignore)
        return spoil(self.rng, pixels), boxes, ignore

    def paste(self, pixels, boxes, ignore):
        """Sets a person from another photograph into the sample, with soft edges (Ghiasi et al. 2021)."""
        rng, size = self.rng, pixels.shape[0]
        people = {k: v for k, v in self.pictures.by_class["person"].items() if k != "scenes"}
        i, j = pick(rng, people)
        p = self.pictures.all[i]
        b = np.array(p["boxes"][j][1:5], np.float32)
        high = b[3] - b[1]
        scale = log_uniform(rng, 26, max(27, min(0.9 * size, high * 1.5))) / high
        grow = 0.06 * high
        x0, y0 = max(0, int(b[0] - grow)), max(0, int(b[1] - grow))
        x1, y1 = min(p["width"], int(b[2] + grow)), min(p["height"], int(b[3] + grow))
        patch = cv2.resize(self.pictures.image(i)[y0:y1, x0:x1], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        h, w = patch.shape[:2]
        if w < 8 or h < 8 or w >= size or h >= size:
            return
        flip = rng.random() < 0.5
        if flip:
            patch = patch[:, ::-1]
        x, y = int(rng.integers(0, size - w)), int(rng.integers(0, size - h))
        soft = np.zeros((h, w), np.float32)
        e = max(1, int(grow * scale))
        cv2.rectangle(soft, (e, e), (w - 1 - e, h - 1 - e), 1.0, -1)
        soft = cv2.GaussianBlur(soft, (0, 0), max(0.8, e / 2))[..., None]
        under = pixels[y : y + h, x : x + w]
        pixels[y : y + h, x : x + w] = (patch * soft + under * (1 - soft)).astype(np.uint8)
        area = (x, y, x + w, y + h)
        boxes[:] = [c for c in boxes if hidden(c, area) < 0.6]
        for kind, out in (("boxes", boxes), ("ignore", ignore)):
            for c in p[kind]:
                q = np.array(c[1:5], np.float32)
                if q[0] < x0 - 1 or q[1] < y0 - 1 or q[2] > x1 + 1 or q[3] > y1 + 1:
                    continue
                lo, hi = (q[0] - x0) * scale, (q[2] - x0) * scale
                if flip:
                    lo, hi = w - hi, w - lo
                top, low = (q[1] - y0) * scale, (q[3] - y0) * scale
                small = low - top < HEIGHTS[c[0]][2]
                (ignore if small else out).append((c[0], x + float(lo), y + float(top), x + float(hi), y + float(low)))

    def mosaic(self, size):
        """Four views side by side, as YOLO v4 (Bochkovskiy et al. 2020) does: more scales in one sample."""
        x, y = (int(v) for v in self.rng.uniform(0.3, 0.7, 2) * size)
        pixels, boxes, ignore = np.empty((size, size, 3), np.uint8), [], []
        for x0, y0, x1, y1 in ((0, 0, x, y), (x, 0, size, y), (0, y, x, size), (x, y, size, size)):
            part, b, g = self.cut(size, (x1 - x0, y1 - y0))
            pixels[y0:y1, x0:x1] = part
            boxes += [(c[0], c[1] + x0, c[2] + y0, c[3] + x0, c[4] + y0) for c in b]
            ignore += [(c[0], c[1] + x0, c[2] + y0, c[3] + x0, c[4] + y0) for c in g]
        return pixels, boxes, ignore


def spoil(rng, p):
    """What weather, night, movement and a cheap camera do to a picture."""
    if rng.random() < 0.08:
        k = int(rng.integers(3, 10))
        kernel = np.zeros((k, k), np.float32)
        a = rng.uniform(0, np.pi) if rng.random() < 0.3 else 0.0
        d = np.array([np.cos(a), np.sin(a)]) * k / 2
        cv2.line(kernel, tuple(int(v) for v in k / 2 - d), tuple(int(v) for v in k / 2 + d), 1.0)
        p = cv2.filter2D(p, -1, kernel / max(1e-6, kernel.sum()))
    if rng.random() < 0.08:
        p = cv2.GaussianBlur(p, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.06:
        f = rng.uniform(0.4, 0.8)
        p = cv2.resize(cv2.resize(p, None, fx=f, fy=f, interpolation=cv2.INTER_AREA), p.shape[1::-1])
    if rng.random() < 0.6:
        ramp = np.arange(256, dtype=np.float32) / 255
        gain = np.exp(rng.normal(0, 0.22)) * np.exp(rng.normal(0, 0.08, 3))
        if rng.random() < 0.25:  # the dark
            gain *= rng.uniform(0.2, 0.6)
        gamma = np.exp(rng.normal(0, 0.2))
        base = rng.normal(0, 0.03)
        table = np.clip(ramp[:, None] ** gamma * gain + base, 0, 1) * 255
        p = cv2.LUT(p, table.astype(np.uint8).reshape(1, 256, 3))
    if rng.random() < 0.06:
        p = cv2.cvtColor(cv2.cvtColor(p, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.04:
        p = rain(rng, p)
    if rng.random() < 0.1:
        noise = rng.integers(0, 256, p.shape, np.uint8).astype(np.int16) - 128
        p = np.clip(p + (noise * rng.uniform(0.02, 0.16)).astype(np.int16), 0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        p = cv2.imdecode(cv2.imencode(".jpg", p, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 85))])[1], cv2.IMREAD_COLOR)
    return p


def rain(rng, p):
    streaks = np.zeros(p.shape[:2], np.uint8)
    lean = rng.uniform(-0.3, 0.3)
    for _ in range(int(rng.integers(60, 240))):
        x, y, n = rng.uniform(0, p.shape[1]), rng.uniform(0, p.shape[0]), rng.uniform(6, 22)
        cv2.line(streaks, (int(x), int(y)), (int(x + lean * n), int(y + n)), 255, 1)
    veil = cv2.GaussianBlur(streaks, (0, 0), 0.7).astype(np.float32)[..., None] / 255 * rng.uniform(0.15, 0.4)
    return (p * (1 - veil) + 200 * veil).astype(np.uint8)
