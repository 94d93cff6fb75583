"""Brings the sets that are not in the folder of pictures: clips and portraits, at pinned commits."""

import pathlib
import subprocess
import tempfile

import cv2

from sets import FETCHED

CLIPS = ("https://github.com/intel-iot-devkit/sample-videos", "57978890822836f2b4743852f04f62fc511757e4")
PORTRAITS = ("https://github.com/cjdowner/interfaces", "2166b2273fd050699e112e95a251f0519cce58c3")

# clip: every how many frames
EVERY = {
    "one-by-one-person-detection.mp4": 40,
    "car-detection.mp4": 25,
    "preview/classroom.gif": 6,
    "preview/face-demographics-walking-and-pause.gif": 4,
    "preview/face-demographics-walking.gif": 4,
    "preview/head-pose-face-detection-female-and-male.gif": 4,
    "preview/head-pose-face-detection-female.gif": 4,
    "preview/head-pose-face-detection-male.gif": 4,
    "preview/people-detection.gif": 4,
    "preview/person-bicycle-car-detection.gif": 4,
    "preview/store-aisle-detection.gif": 4,
    "preview/worker-zone-detection.gif": 4,
}


def git(*args):
    done = subprocess.run(("git", "-c", "gc.auto=0", "-c", "maintenance.auto=false") + args, capture_output=True)
    if done.returncode:
        raise SystemExit(f"git {' '.join(args)}: {done.stderr.decode().strip()}")
    return done.stdout


def clone(source, into):
    """Returns show(path), which brings one file of the source's commit and nothing else."""
    url, commit = source
    git("init", "--quiet", str(into))
    git("-C", str(into), "remote", "add", "origin", url)
    git("-C", str(into), "fetch", "--quiet", "--depth", "1", "--filter=blob:none", "origin", commit)
    return lambda path: git("-C", str(into), "show", f"{commit}:{path}")


def write(path, picture):
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, 92]):
        raise SystemExit(f"{path}: could not be written")


def clips(tmp):
    show = clone(CLIPS, tmp / "clips")
    for clip, every in EVERY.items():
        path = tmp / pathlib.Path(clip).name
        path.write_bytes(show(clip))
        film, n = cv2.VideoCapture(str(path)), 0
        while True:
            ok, frame = film.read()
            if not ok:
                break
            if n % every == 0:
                write(FETCHED / "clips" / f"{path.stem}_{n:05d}.jpg", frame)
            n += 1
        if n == 0:
            raise SystemExit(f"{clip}: no frame could be read")


def portraits(tmp):
    show = clone(PORTRAITS, tmp / "portraits")
    for i in range(1, 101):
        path = tmp / "portrait.jpg"
        path.write_bytes(show(f"1000 x 1000/{i:03d}.jpg"))
        picture = cv2.imread(str(path))
        write(FETCHED / "portraits" / f"{i:03d}.jpg", cv2.resize(picture, (500, 500), interpolation=cv2.INTER_AREA))


def main():
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as tmp:
        for name, bring in (("clips", clips), ("portraits", portraits)):
            if not (FETCHED / name).exists():
                bring(pathlib.Path(tmp))


if __name__ == "__main__":
    main()
