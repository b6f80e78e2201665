# expect: nothing
"""Knowledge distillation: wide teacher -> tiny student, SGD with momentum, tabular blobs of 6 classes."""
import torch
import torch.nn as nn
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

DEVICE = torch.device("cpu")
CFG = dict(T=3.0, alpha=0.7, lr=0.05, momentum=0.9, batch=64, teacher_epochs=8, student_epochs=10)


class KDLoss(nn.Module):
    """alpha * T^2 * KL(teacher || student) + (1 - alpha) * CE, see Hinton et al. 2015."""

    def __init__(self, T, alpha):
        super().__init__()
        self.T, self.alpha = T, alpha
        self.kl = nn.KLDivLoss(reduction="batchmean")
        self.ce = nn.CrossEntropyLoss()

    def forward(self, s_logits, t_logits, y):
        log_p = (s_logits / self.T).log_softmax(dim=1)
        q = (t_logits / self.T).softmax(dim=1)
        soft = self.kl(log_p, q) * self.T ** 2
        return self.alpha * soft + (1 - self.alpha) * self.ce(s_logits, y)


def make_mlp(width, depth, d_in, d_out):
    dims = [d_in] + [width] * depth
    body = []
    for a, b in zip(dims, dims[1:]):
        body.extend((nn.Linear(a, b), nn.ReLU()))
    return nn.Sequential(*body, nn.Linear(width, d_out)).to(DEVICE)


def batches(x, y, size):
    perm = torch.randperm(len(x))
    for chunk in perm.split(size):
        yield x[chunk], y[chunk]


def accuracy(net, x, y):
    net.eval()
    with torch.no_grad():
        hit = (net(x).argmax(dim=1) == y).float().mean()
    net.train()
    return hit.item()


def train(net, x, y, step_loss, epochs, tag):
    opt = torch.optim.SGD(net.parameters(), lr=CFG["lr"], momentum=CFG["momentum"])
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=epochs)
    for epoch in range(epochs):
        seen, total = 0, 0.0
        for xb, yb in batches(x, y, CFG["batch"]):
            opt.zero_grad()
            loss = step_loss(net, xb, yb)
            loss.backward()
            opt.step()
            total += loss.item() * len(xb)
            seen += len(xb)
        sched.step()
        print(f"{tag} epoch {epoch + 1:2d}: loss {total / seen:.4f}  train acc {accuracy(net, x, y):.3f}")


def main():
    torch.manual_seed(17)
    X, y = make_classification(n_samples=1500, n_features=20, n_informative=12, n_redundant=0, n_classes=6,
                               n_clusters_per_class=1, class_sep=1.6, flip_y=0.0, random_state=17)
    Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.3, stratify=y, random_state=17)
    scaler = StandardScaler().fit(Xtr)
    xtr, xte = (torch.tensor(scaler.transform(a), dtype=torch.float32, device=DEVICE) for a in (Xtr, Xte))
    ytr, yte = (torch.tensor(a, device=DEVICE) for a in (ytr, yte))

    teacher = make_mlp(96, 2, 20, 6)
    ce = nn.CrossEntropyLoss()
    train(teacher, xtr, ytr, lambda net, xb, yb: ce(net(xb), yb), CFG["teacher_epochs"], "teacher")
    teacher.eval().requires_grad_(False)

    student = make_mlp(12, 2, 20, 6)
    criterion = KDLoss(CFG["T"], CFG["alpha"])

    def distil(net, xb, yb):
        with torch.no_grad():
            guide = teacher(xb)
        return criterion(net(xb), guide, yb)

    train(student, xtr, ytr, distil, CFG["student_epochs"], "student")
    print(f"test accuracy: teacher {accuracy(teacher, xte, yte):.3f}  student {accuracy(student, xte, yte):.3f}")


if __name__ == "__main__":
    main()
