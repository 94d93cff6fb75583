"""Trains one model from nothing and writes its last weights: never the best on some split.

    python3 train.py privacy --samples 200000 --seed 1

The same seed, thread count and machine give the same weights, bit by bit, also when it was interrupted: a
run that finds its own checkpoint goes on from there. Weights are averaged exponentially over the steps; the
averaged ones are what is shipped.
"""

import argparse
import copy
import hashlib
import math
import time

import numpy as np
import torch

import net as nets
from data import Sampler
from loss import loss_of
from sets import WORK

BATCH = 16
SIZE, BIG = 256, 416  # pixels of a sample's side; the big ones show what fills a picture
LARGE = 4  # every which batch is of big ones


def rate(step, steps, peak):
    """Learning rate: a short ramp, then half a cosine (Loshchilov and Hutter 2017)."""
    ramp = min(1000, steps // 20)
    if step < ramp:
        return peak * (step + 1) / ramp
    return peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - ramp) / max(1, steps - ramp))))


def batch(sampler, n, size):
    pixels, samples = np.empty((n, size, size, 3), np.uint8), []
    for k in range(n):
        pixels[k], boxes, ignore = sampler.sample(size)
        samples.append((boxes, ignore))
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last)
    return x, samples


def follow(mean, net, step):
    keep = min(0.9995, (1 + step) / (10 + step))
    with torch.no_grad():
        for a, b in zip(mean.state_dict().values(), net.state_dict().values()):
            if a.dtype.is_floating_point:
                a.mul_(keep).add_(b, alpha=1 - keep)
            else:
                a.copy_(b)


def train(name, samples, seed, threads):
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    net = nets.build(name).train().to(memory_format=torch.channels_last)
    mean = copy.deepcopy(net)
    sampler, classes = Sampler(name, seed), nets.MODELS[name]["classes"]
    decay = [p for p in net.parameters() if p.ndim > 1]
    rest = [p for p in net.parameters() if p.ndim <= 1]
    peak = 3e-3
    opt = torch.optim.AdamW([dict(params=decay, weight_decay=0.02), dict(params=rest, weight_decay=0)], lr=peak)
    steps = samples // BATCH
    run = Run(WORK / f"{name}.part", dict(name=name, seed=seed, samples=samples, labels=digest(WORK / "labels.json")), net, mean, opt, sampler.rng)
    first = run.resume()
    begin, sums = time.time(), np.zeros(2)
    for step in range(first, steps):
        large = step % LARGE == LARGE - 1
        x, marks = batch(sampler, BATCH // 2 if large else BATCH, BIG if large else SIZE)
        for g in opt.param_groups:
            g["lr"] = rate(step, steps, peak)
        cls, box = loss_of(net(x), marks, classes)
        opt.zero_grad(set_to_none=True)
        (cls + 4 * box).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        opt.step()
        follow(mean, net, step)
        sums += (cls.item(), box.item())
        if (step + 1) % 100 == 0:
            took = time.time() - begin
            print(f"{name} {step + 1}/{steps}: cls {sums[0] / 100:.3f} box {sums[1] / 100:.3f}, "
                  f"{took:.0f} s, {took / (step + 1 - first) * (steps - step - 1) / 60:.0f} min left", flush=True)
            sums[:] = 0
            if (step + 1) % 500 == 0:
                run.save(step + 1)
    write(dict(weights=mean.state_dict(), seed=seed, samples=samples, step=steps), WORK / f"{name}.pt")
    run.path.unlink(missing_ok=True)


class Run:
    """All that a training needs to go on as if it had not been interrupted."""

    def __init__(self, path, what, net, mean, opt, rng):
        self.path, self.what, self.parts, self.rng = path, what, dict(net=net, mean=mean, opt=opt), rng

    def save(self, step):
        state = {k: v.state_dict() for k, v in self.parts.items()}
        write(dict(state, what=self.what, step=step, rng=self.rng.bit_generator.state), self.path)

    def resume(self):
        """Returns the step to begin with; a checkpoint of another run is left alone and not used."""
        if not self.path.exists():
            return 0
        state = torch.load(self.path, map_location="cpu")
        if state["what"] != self.what:
            return 0
        for k, v in self.parts.items():
            v.load_state_dict(state[k])
        self.rng.bit_generator.state = state["rng"]
        print(f"{self.what['name']}: goes on from step {state['step']}", flush=True)
        return state["step"]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write(state, path):
    tmp = path.with_suffix(".tmp")
    torch.save(state, tmp)
    tmp.rename(path)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("name", choices=nets.MODELS)
    ap.add_argument("--samples", type=int, default=200_000)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--threads", type=int, default=1)
    a = ap.parse_args()
    train(a.name, a.samples, a.seed, a.threads)


if __name__ == "__main__":
    main()
