# expect: params_not_in_optimizer @ 45
# allowed: params_not_in_optimizer @ 53
"""SimSiam for tabular rows (corruption as augmentation) + kNN check on held-out rows."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

CFG = dict(epochs=12, batch=64, lr=0.05, dim=32, hidden=16, corrupt=0.25, seed=2)


def corrupt(x, pool, rate):
    """Swap a share of the cells with values of the same column in other rows."""
    mask = torch.rand_like(x) < rate
    donors = pool[torch.randint(len(pool), x.shape), torch.arange(x.shape[1])]
    return torch.where(mask, donors, x)


class SimSiam(nn.Module):
    def __init__(self, d_in, dim, hidden):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Linear(d_in, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, dim))
        self.projector = nn.Sequential(
            nn.Linear(dim, dim), nn.BatchNorm1d(dim), nn.ReLU(),
            nn.Linear(dim, dim), nn.BatchNorm1d(dim, affine=False))
        self.predictor = nn.Sequential(
            nn.Linear(dim, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, dim))

    def forward(self, a, b):
        za, zb = (self.projector(self.backbone(v)) for v in (a, b))
        return self.predictor(za), self.predictor(zb), za.detach(), zb.detach()


def neg_cos(p, z):
    return -F.cosine_similarity(p, z, dim=1).mean()


def param_groups(model, weight_decay=1e-4):
    """No decay for biases and norm weights."""
    decay, plain = [], []
    for part in (model.backbone, model.projector):
        for p in part.parameters():
            (decay if p.ndim > 1 else plain).append(p)
    return [{"params": decay, "weight_decay": weight_decay},
            {"params": plain, "weight_decay": 0.0}]


def pretrain(model, x, cfg):
    opt = torch.optim.SGD(param_groups(model), lr=cfg["lr"], momentum=0.9)
    per_epoch = len(x) // cfg["batch"]
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=cfg["epochs"] * per_epoch)
    model.train()
    for epoch in range(cfg["epochs"]):
        order = torch.randperm(len(x))
        total = 0.0
        for i in range(per_epoch):
            rows = x[order[i * cfg["batch"]:(i + 1) * cfg["batch"]]]
            pa, pb, za, zb = model(corrupt(rows, x, cfg["corrupt"]), corrupt(rows, x, cfg["corrupt"]))
            loss = 0.5 * (neg_cos(pa, zb) + neg_cos(pb, za))
            opt.zero_grad()
            loss.backward()
            opt.step()
            sched.step()
            total += loss.item()
        if (epoch + 1) % 4 == 0:
            print(f"epoch {epoch + 1}: {total / per_epoch:+.4f}")


def embed(model, x):
    model.eval()
    with torch.no_grad():
        return F.normalize(model.backbone(x), dim=1).numpy()


def main():
    torch.manual_seed(CFG["seed"])
    X, y = load_breast_cancer(return_X_y=True)
    Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.25, stratify=y, random_state=CFG["seed"])
    sc = StandardScaler().fit(Xtr)
    xtr = torch.tensor(sc.transform(Xtr), dtype=torch.float32)
    xte = torch.tensor(sc.transform(Xte), dtype=torch.float32)
    model = SimSiam(X.shape[1], CFG["dim"], CFG["hidden"])
    pretrain(model, xtr, CFG)
    knn = KNeighborsClassifier(5).fit(embed(model, xtr), ytr)
    print("kNN accuracy on held-out rows:", round(knn.score(embed(model, xte), yte), 3))


if __name__ == "__main__":
    main()
