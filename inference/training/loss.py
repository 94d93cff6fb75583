"""What a network should have said, and how wrong it was.

Which cell answers for which object is decided by how well it does already, as in TOOD (Feng et al.
2021, "Task-aligned One-stage Object Detection"): alignment = score^0.5 * IoU^6, the ten best cells per
object, a cell that two want goes to the better overlap. The class target is the alignment, scaled to
the object's best IoU; the loss is cross-entropy on it and 1 - GIoU (Rezatofighi et al. 2019) on the box.
"""

import torch
import torch.nn.functional as F

from net import STRIDES

BEST = 10
LEAST = 6.0  # pixels around an object's middle whose cells may answer for it however small it is


def grid(size):
    """Corners of all cells in cells of their stride, and the strides: [n, 2], [n]."""
    at, strides = [], []
    for s in STRIDES:
        n = size // s
        y, x = torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")
        at.append(torch.stack((x, y), -1).reshape(-1, 2))
        strides.append(torch.full((n * n,), s))
    return torch.cat(at).float(), torch.cat(strides).float()


def boxes_of(raw, at, stride):
    """raw [..., n, 4] of the network as corners in pixels."""
    mid = (raw[..., :2] + at) * stride[:, None]
    half = torch.exp(raw[..., 2:4].clamp(max=6)) * stride[:, None] / 2
    return torch.cat((mid - half, mid + half), -1)


def overlaps(a, b):
    """IoU of every box of a [g, 4] with every one of b [n, 4]."""
    lo, hi = torch.max(a[:, None, :2], b[None, :, :2]), torch.min(a[:, None, 2:], b[None, :, 2:])
    both = (hi - lo).clamp(min=0).prod(-1)
    area = lambda x: (x[:, 2:] - x[:, :2]).prod(-1)
    return both / (area(a)[:, None] + area(b)[None] - both + 1e-6)


def giou(a, b):
    lo, hi = torch.max(a[:, :2], b[:, :2]), torch.min(a[:, 2:], b[:, 2:])
    both = (hi - lo).clamp(min=0).prod(-1)
    union = (a[:, 2:] - a[:, :2]).prod(-1) + (b[:, 2:] - b[:, :2]).prod(-1) - both + 1e-6
    hull = (torch.max(a[:, 2:], b[:, 2:]) - torch.min(a[:, :2], b[:, :2])).prod(-1) + 1e-6
    return both / union - (hull - union) / hull


@torch.no_grad()
def assign(scores, boxes, middle, stride, label, box):
    """For n cells and g objects: targets [n, classes], and per answering cell its object."""
    n, classes = scores.shape
    target = torch.zeros(n, classes)
    iou = overlaps(box, boxes)
    mid, half = (box[:, :2] + box[:, 2:]) / 2, (box[:, 2:] - box[:, :2]) / 2
    reach = torch.maximum(half[:, None], torch.full_like(half[:, None], LEAST))
    inside = ((middle[None] - mid[:, None]).abs() < reach).all(-1)
    # A stride answers for what it can see whole; the finest ones for the smallest things.
    longest = 2 * half.max(-1).values[:, None]
    inside &= (longest < 18 * stride[None]) | (stride[None] == STRIDES[-1])
    fit = scores[:, label].T.clamp(min=1e-6).sqrt() * iou.clamp(min=1e-4) ** 6
    fit = torch.where(inside, fit, torch.zeros_like(fit))
    best = fit.topk(min(BEST, n), -1)
    chosen = torch.zeros_like(inside).scatter_(1, best.indices, best.values > 0)
    several = chosen.sum(0) > 1
    if several.any():
        winner = torch.where(chosen, iou, torch.full_like(iou, -1)).argmax(0)
        alone = torch.zeros_like(chosen)
        alone[winner, torch.arange(n)] = True
        chosen &= alone | ~several
    scale = torch.where(chosen, iou, torch.zeros_like(iou)).max(-1).values / torch.where(chosen, fit, torch.zeros_like(fit)).max(-1).values.clamp(min=1e-9)
    cell = chosen.any(0).nonzero()[:, 0]
    owner = chosen[:, cell].float().argmax(0)
    target[cell, label[owner]] = (fit[owner, cell] * scale[owner]).clamp(0, 1)
    return target, cell, owner


def loss_of(maps, samples, classes):
    """maps of Net.forward on square samples; samples: (boxes, left out) each. Returns cls and box loss."""
    size = maps[0].shape[-1] * STRIDES[0]
    at, stride = grid(size)
    raw = torch.cat([m.flatten(2) for m in maps], 2).transpose(1, 2)
    logits, boxes = raw[..., 4:], boxes_of(raw[..., :4], at, stride)
    middle = (at + 0.5) * stride[:, None]
    scores = logits.detach().sigmoid()
    targets, weights, near, amount = torch.zeros_like(logits), torch.ones_like(logits), [], []
    for k, (objects, left) in enumerate(samples):
        for c, x0, y0, x1, y1 in left:
            grow = 0.5 * stride
            hit = (middle[:, 0] > x0 - grow) & (middle[:, 0] < x1 + grow) & (middle[:, 1] > y0 - grow) & (middle[:, 1] < y1 + grow)
            weights[k, hit, classes.index(c)] = 0
        if not objects:
            continue
        label = torch.tensor([classes.index(o[0]) for o in objects])
        box = torch.tensor([o[1:5] for o in objects])
        target, cell, owner = assign(scores[k], boxes[k].detach(), middle, stride, label, box)
        targets[k] = target
        weights[k, cell, label[owner]] = 1
        near.append(giou(boxes[k, cell], box[owner]))
        amount.append(target[cell].sum(-1))
    total = targets.sum().clamp(min=1.0)
    cls = (F.binary_cross_entropy_with_logits(logits, targets, reduction="none") * weights).sum() / total
    if not near:
        return cls, cls * 0
    return cls, ((1 - torch.cat(near)) * torch.cat(amount)).sum() / total
