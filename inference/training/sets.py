"""The sets of pictures, their licences, and the split that was made before any training.

A picture belongs to a side by a rule over its set, place and time, never by what is in it, so that
pictures of one place and time are on one side: `train` teaches, `choose` decides at which score a
model is believed, `test` is only ever measured on. Nothing of the last two is trained on, in any form.
"""

import hashlib
import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "training"
FETCHED = WORK / "pictures"

# name: (folder under --pictures or of fetch.py, licence, source)
SETS = {
    "amsterdam": ("images/amsterdam", "MIT", "dfayzur/garbage-object-detection @5d72cd2c8957, photos made for the City of Amsterdam"),
    "amsterdam_unlabelled": ("images/amsterdam_unlabelled", "MIT", "the same"),
    "amsterdam_bags": ("drives/amsterdam_bags/frames", "MIT", "maartensukel/urban-object-detection @3f47472746f2"),
    "lege": ("images/lege_cap_ferret", "etalab-2.0", "juliennigou/panoramax-sign-detection-display @e14c3a3aefe7, Panoramax"),
    "romania_day001": ("drives/romania_day001/frames", "MIT", "RobertLucian/license-plate-dataset @f00f309e4564"),
    "romania_day003": ("drives/romania_day003/frames", "MIT", "the same"),
    "romania_night001": ("drives/romania_night001/frames", "MIT", "the same"),
    "static": ("drives/static_camera/frames", "MIT", "opendatacam/opendatacam @7080baa3e212"),
    "clips": ("clips", "CC-BY-4.0", "intel-iot-devkit/sample-videos @57978890822f"),
    "portraits": ("portraits", "CC0-1.0", "cjdowner/interfaces @2166b2273fd0"),
}

# Pictures that are only ever measured on: their licences do not clearly allow training.
MEASURED = {
    "faces": ("images/faces", "PASCAL VOC 2011 (Flickr terms)", "davisking/dlib @3d40bf5790ca"),
    "street": ("images/street", "Pexels", "ORB-HD/deface @09b670db307b"),
}

HALF_HOUR = 30 * 60 * 1000


def folder(name, pictures):
    where = (SETS | MEASURED)[name][0]
    base = FETCHED if name in ("clips", "portraits") else pathlib.Path(pictures)
    return base / where


def files(name, pictures):
    found = sorted(folder(name, pictures).glob("*.jpg"))
    if not found:
        raise SystemExit(f"{folder(name, pictures)}: no pictures; see README.md for where set {name!r} comes from")
    return found


def share(text):
    """A number in [0, 1) that depends on the text alone."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32


def amsterdam_groups(pictures):
    """Photos less than half an hour apart are of one walk: the same group, over both folders."""
    stamps = []
    for name in ("amsterdam", "amsterdam_unlabelled"):
        for f in files(name, pictures):
            stamps.append((int(re.search(r"\d{13}", f.name)[0]), f.name))
    groups, start, last = {}, 0, 0
    for stamp, name in sorted(stamps):
        if stamp - last > HALF_HOUR:
            start = stamp
        groups[name], last = str(start), stamp
    return groups


def splitter(pictures):
    """Returns split(set, file) -> "train", "choose" or "test"."""
    walks = amsterdam_groups(pictures)
    points = json.loads((pathlib.Path(pictures) / "annotations/lege_cap_ferret.json").read_text())["points"]
    trip = {p["id"]: p["collection"] for p in points}

    def place(name, f):
        """Where in [0, 1) a picture falls: below 0.3 it is measured on, below 0.4 it decides."""
        if name in MEASURED or name in ("romania_day003", "amsterdam_bags"):
            return 0.0
        if name in ("amsterdam", "amsterdam_unlabelled"):
            return share(walks[f.name])
        if name == "lege":
            return share(trip[f.stem.rsplit("_", 1)[0]])
        if name == "romania_day001":  # milliseconds of the drive: its last quarter, and some before that
            return 0.0 if int(f.stem) >= 670_000 else 0.35 if int(f.stem) >= 600_000 else 1.0
        if name == "romania_night001":
            return 0.0 if int(f.stem) >= 110_000 else 1.0
        if name == "portraits":
            return share(f.name)
        if name == "clips":
            return 0.0 if f.name.startswith("classroom") else 1.0
        return 1.0  # static: one place, one camera; it can only teach

    def split(name, f):
        at = place(name, f)
        return "test" if at < 0.3 else "choose" if at < 0.4 else "train"

    return split
