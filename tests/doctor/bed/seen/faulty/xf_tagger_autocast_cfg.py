# expect: sigmoid_before_bce_with_logits @ 25
# allowed: sigmoid_before_bce_with_logits @ 38
# allowed: sigmoid_before_bce_with_logits @ 54
"""Multi-label tagging under CPU autocast. Everything tunable sits in CFG."""
from contextlib import nullcontext

import torch
import torch.nn.functional as F
from sklearn.datasets import make_multilabel_classification
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

CFG = {
    "seed": 21,
    "hidden": 96,
    "epochs": 6,
    "batch": 64,
    "lr": 2e-3,
    "amp": True,
    "labels": 6,
    "features": 30,
    "block_act": "gelu",
    "out_act": "sigmoid",
}

ACTS = {"gelu": nn.GELU, "relu": nn.ReLU, "sigmoid": nn.Sigmoid, "identity": nn.Identity}


def build(cfg):
    return nn.Sequential(
        nn.Linear(cfg["features"], cfg["hidden"]),
        ACTS[cfg["block_act"]](),
        nn.Linear(cfg["hidden"], cfg["hidden"]),
        ACTS[cfg["block_act"]](),
        nn.Linear(cfg["hidden"], cfg["labels"]),
        ACTS[cfg["out_act"]](),
    )


class Tagger:
    def __init__(self, cfg):
        self.cfg = cfg
        self.net = build(cfg)
        self.opt = torch.optim.AdamW(self.net.parameters(), lr=cfg["lr"])
        self.scaler = torch.amp.GradScaler("cpu", enabled=False)  # bf16 needs no loss scaling

    def amp(self):
        return torch.autocast("cpu", dtype=torch.bfloat16) if self.cfg["amp"] else nullcontext()

    def criterion(self, out, target):
        # plain BCE is refused under autocast
        return F.binary_cross_entropy_with_logits(out.float(), target)

    def fit(self, x, y):
        for epoch in range(self.cfg["epochs"]):
            self.net.train()
            running = 0.0
            for idx in torch.randperm(len(x)).split(self.cfg["batch"]):
                self.opt.zero_grad(set_to_none=True)
                with self.amp():
                    out = self.net(x[idx])
                loss = self.criterion(out, y[idx])
                self.scaler.scale(loss).backward()
                self.scaler.step(self.opt)
                self.scaler.update()
                running += loss.item() * len(idx)
            if epoch % 2 == 1:
                print(f"epoch {epoch + 1:2d}  bce {running / len(x):.4f}")
        return self

    @torch.inference_mode()
    def tags(self, x):
        self.net.eval()
        with self.amp():
            out = self.net(x)
        return (out.float() > 0.5).int().numpy()


def load(cfg):
    x, y = make_multilabel_classification(
        n_samples=2000, n_features=cfg["features"], n_classes=cfg["labels"],
        n_labels=3, length=60, random_state=cfg["seed"],
    )
    xa, xb, ya, yb = train_test_split(x, y, test_size=0.25, random_state=cfg["seed"])
    sc = StandardScaler().fit(xa)
    to = lambda a: torch.tensor(a, dtype=torch.float32)
    return to(sc.transform(xa)), to(sc.transform(xb)), to(ya), yb


if __name__ == "__main__":
    torch.manual_seed(CFG["seed"])
    xa, xb, ya, yb = load(CFG)
    tagger = Tagger(CFG).fit(xa, ya)
    pred = tagger.tags(xb)
    print("label rates", ya.mean(0).numpy().round(2))
    print(f"exact match {(pred == yb).all(1).mean():.3f}  micro-F1 {f1_score(yb, pred, average='micro'):.3f}")
