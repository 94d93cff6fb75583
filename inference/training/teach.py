"""Teacher labels: what the public weights of the catalogue see in every picture.

They are looked at through the product itself (`gadeblik models try`), so that a box means the same
here as on a vehicle. One file of JSON lines per model in build/training/teacher; a file that is there
is kept.
"""

import json
import subprocess

from sets import MEASURED, ROOT, SETS, WORK, files

# model: (lowest score kept, what it is asked for)
TEACHERS = {
    "yolox_nano_1280x736": 0.1,  # people and things, also small
    "yolox_nano_640x384": 0.1,  # the same, large
    "yolox_nano_container_640x640": 0.1,  # containers
    "yunet_n_1280x736": 0.2,  # faces
    "en_PP-OCRv3_det": 0.4,  # lettering of a plate's shape
}
CHUNK = 200  # pictures per call, far below the limit of a command line


def seen(model, score, pictures, models):
    """Every detection of model in pictures, as dicts with file, label, score, box."""
    out = []
    for i in range(0, len(pictures), CHUNK):
        part = [str(p) for p in pictures[i : i + CHUNK]]
        done = subprocess.run(
            [str(ROOT / "bin/gadeblik"), "models", "try", "--json", "--model", model, "--models", str(models),
             "--score", str(score), *part],
            cwd=ROOT, capture_output=True, text=True,
        )
        if done.returncode:
            raise SystemExit(f"{model}: {done.stderr.strip()}")
        out += [json.loads(line) for line in done.stdout.splitlines()]
    return out


def teach(pictures, models):
    everything = [f for name in SETS | MEASURED for f in files(name, pictures)]
    (WORK / "teacher").mkdir(parents=True, exist_ok=True)
    for model, score in TEACHERS.items():
        path = WORK / "teacher" / f"{model}.jsonl"
        if path.exists():
            continue
        print(f"{model}: looking at {len(everything)} pictures", flush=True)
        found = seen(model, score, everything, models)
        tmp = path.with_suffix(".tmp")
        tmp.write_text("".join(json.dumps(d) + "\n" for d in found))
        tmp.rename(path)


def taught(model):
    """file -> detections."""
    by = {}
    for line in (WORK / "teacher" / f"{model}.jsonl").read_text().splitlines():
        d = json.loads(line)
        by.setdefault(d["file"], []).append(d)
    return by
