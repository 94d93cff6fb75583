"""The networks: one plan, two sizes.

A picture [n, 3, height, width], BGR, 0 to 255, height and width multiples of 32, becomes
[n, cells, 5 + classes]: laid out as a YOLOX head (Ge et al. 2021, "YOLOX: Exceeding YOLO Series in
2021"), which the decoder `yolox` of package inference reads. Rows are cells of strides 8, 16 and 32,
finest first, row by row; columns are x, y, log width, log height in strides, objectness, classes.
Objectness is always 1: classes are learnt one by one, because no set of pictures knows them all.

The plan: dense convolutions down to stride 8 (few and wide, as a CPU likes them, in training too),
depthwise 5x5 blocks from stride 16 on (wide sight for few parameters), a top-down path that adds, one
small head per stride. Only convolutions, ReLU, additions and nearest-neighbour doubling: every runtime has them,
and all of it can be computed in eight bits.
"""

import torch
from torch import nn

STRIDES = (8, 16, 32)


def conv(i, o, k=1, s=1):
    return nn.Sequential(nn.Conv2d(i, o, k, s, k // 2, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True))


class Block(nn.Module):
    """Depthwise k x k, then 1x1, added to its input."""

    def __init__(self, c, k=5):
        super().__init__()
        self.deep = nn.Sequential(
            nn.Conv2d(c, c, k, 1, k // 2, groups=c, bias=False), nn.BatchNorm2d(c), nn.ReLU(inplace=True),
            nn.Conv2d(c, c, 1, bias=False), nn.BatchNorm2d(c),
        )

    def forward(self, x):
        return torch.relu(x + self.deep(x))


class Head(nn.Module):
    """What is where in the cells of one stride: box, then the logit of each class."""

    def __init__(self, width, classes):
        super().__init__()
        self.look = Block(width, 3)
        self.box = nn.Conv2d(width, 4, 1)
        self.cls = nn.Conv2d(width, classes, 1)
        nn.init.constant_(self.box.bias, 0.0)
        nn.init.constant_(self.cls.bias, -4.6)  # one cell in a hundred holds something

    def forward(self, x):
        x = self.look(x)
        return torch.cat((self.box(x), self.cls(x)), 1)


class Net(nn.Module):
    """widths: channels of both stem layers and of strides 8, 16, 32; deep: blocks of strides 16 and 32."""

    def __init__(self, classes, widths, deep, neck):
        super().__init__()
        c1, c2, c3, c4, c5 = widths
        self.s8 = nn.Sequential(conv(3, c1, 3, 2), conv(c1, c2, 3, 2), conv(c2, c3, 3, 2), conv(c3, c3, 3))
        self.s16 = nn.Sequential(conv(c3, c4, 3, 2), *(Block(c4) for _ in range(deep[0])))
        self.s32 = nn.Sequential(conv(c4, c5, 3, 2), *(Block(c5) for _ in range(deep[1])))
        self.n32, self.n16, self.n8 = conv(c5, neck), conv(c4, neck), conv(c3, neck)
        self.m16, self.m8 = Block(neck, 3), Block(neck, 3)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.heads = nn.ModuleList(Head(neck, classes) for _ in STRIDES)

    def forward(self, x):
        """Raw maps [n, 4 + classes, h, w], one per stride."""
        x = (x - 114.0) * (1 / 64.0)
        a = self.s8(x)
        b = self.s16(a)
        c = self.n32(self.s32(b))
        b = self.m16(self.n16(b) + self.up(c))
        a = self.m8(self.n8(a) + self.up(b))
        return [head(m) for head, m in zip(self.heads, (a, b, c))]


class Shipped(nn.Module):
    """A Net whose output is what the decoder reads, with its first classes."""

    def __init__(self, net, classes):
        super().__init__()
        self.net = net
        for head in net.heads:
            head.cls.weight = nn.Parameter(head.cls.weight[:classes].detach())
            head.cls.bias = nn.Parameter(head.cls.bias[:classes].detach())

    def forward(self, images):
        rows = []
        for m in self.net(images):
            rows.append(torch.cat((m[:, :4], torch.ones_like(m[:, :1]), torch.sigmoid(m[:, 4:])), 1).flatten(2))
        return torch.cat(rows, 2).transpose(1, 2)


STREET = ["person", "cyclist", "car", "truck", "container", "bag", "traffic light"]
PRIVACY = ["person", "face", "plate"]
# Learnt along, last in its list, and not shipped: not one real traffic light of the test split is found.
UNSHIPPED = ("traffic light",)

# Shipped size of the input (width, height) and the plan that keeps it below 1 GFLOP.
MODELS = {
    "street": dict(
        classes=STREET, size=(640, 384),
        plan=dict(widths=(16, 24, 56, 112, 192), deep=(3, 3), neck=64),
    ),
    "privacy": dict(
        classes=PRIVACY, size=(960, 544),
        plan=dict(widths=(8, 16, 40, 80, 144), deep=(3, 3), neck=40),
    ),
}


def shipped(name):
    """Classes of the shipped model, in the order of its output."""
    return [c for c in MODELS[name]["classes"] if c not in UNSHIPPED]


def build(name):
    m = MODELS[name]
    return Net(len(m["classes"]), **m["plan"])


def flops(net, width, height):
    """Floating point operations of one picture: two per multiplication of a convolution."""
    total, hooks = [0], []

    def count(layer, _, out):
        total[0] += 2 * out.numel() * layer.weight[0].numel()

    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):
            hooks.append(layer.register_forward_hook(count))
    with torch.no_grad():
        net(torch.zeros(1, 3, height, width))
    for h in hooks:
        h.remove()
    return total[0]


if __name__ == "__main__":
    for name, m in MODELS.items():
        net = build(name).eval()
        weights = sum(p.numel() for p in net.parameters())
        print(f"{name}: {m['size'][0]}x{m['size'][1]}, {weights} weights, {flops(net, *m['size']) / 1e9:.3f} GFLOP")
