# expect: dead_relu @ 31
# allowed: dead_relu @ 20
# allowed: dead_relu @ 28
# mend: 31 →         self.head.apply(prior_init)
# Ten one-vs-rest detectors over shared features; output bias starts at the class prior.
import math

import torch
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional as F


def prior_init(module, prior=0.01):
    """Rare-positive start for sigmoid outputs: sigmoid(bias) == prior."""
    if isinstance(module, nn.Linear):
        nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5))
        nn.init.constant_(module.bias, -math.log((1 - prior) / prior))


class Detector(nn.Module):
    def __init__(self, d_in=64, width=96, n_out=10):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Linear(d_in, width), nn.ReLU(),
            nn.Linear(width, width), nn.ReLU(),
        )
        self.head = nn.Linear(width, n_out)
        self.apply(prior_init)

    def forward(self, x):
        return self.head(self.stem(x))


class Fitter:
    def __init__(self, model, lr=2e-3, epochs=15, batch=64):
        self.model, self.epochs, self.batch = model, epochs, batch
        self.opt = torch.optim.Adam(model.parameters(), lr=lr)
        self.history = []

    def step(self, x, y):
        loss = F.binary_cross_entropy_with_logits(self.model(x), y)
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        return loss.item()

    def run(self, x, y):
        for epoch in range(self.epochs):
            self.model.train()
            losses = [self.step(x[i], y[i]) for i in torch.randperm(len(x)).split(self.batch)]
            self.history.append(sum(losses) / len(losses))
        return self.history


@torch.inference_mode()
def scores(model, x):
    model.eval()
    return torch.sigmoid(model(x))


def main():
    torch.manual_seed(30)
    digits = load_digits()
    xa, xb, ya, yb = train_test_split(
        digits.data / 16.0, digits.target, test_size=0.3, stratify=digits.target, random_state=30
    )
    mean = xa.mean(0)
    xa, xb = (torch.tensor((v - mean) / 0.35, dtype=torch.float32) for v in (xa, xb))
    ya, yb = torch.tensor(ya), torch.tensor(yb)
    model = Detector()
    curve = Fitter(model).run(xa, F.one_hot(ya, 10).float())
    print("loss", " ".join(f"{v:.3f}" for v in curve[::3]))
    s = scores(model, xb)
    ap = average_precision_score(F.one_hot(yb, 10).numpy(), s.numpy(), average="macro")
    print(f"macro AP {ap:.3f}  top-1 {(s.argmax(1) == yb).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
