# expect: label_misaligned @ 74
# allowed: label_misaligned @ 64
# allowed: label_misaligned @ 67
# allowed: label_misaligned @ 68
# allowed: label_misaligned @ 76
# allowed: label_misaligned @ 77
# allowed: label_misaligned @ 108
# allowed: label_misaligned @ 111
"""Knowledge distillation with cached teacher outputs: the teacher ensemble is run once,
its soft targets are stored, and the student is trained from the store alone."""
import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax
from torch.utils.data import DataLoader, Dataset, TensorDataset

N_CLASSES = 6
TEMPERATURE = 2.0


def mlp(d_in, width):
    return nn.Sequential(nn.Linear(d_in, width), nn.GELU(), nn.Dropout(0.1), nn.Linear(width, N_CLASSES))


def get_data(seed=8):
    X, y = make_classification(n_samples=2400, n_features=20, n_informative=10, n_redundant=4,
                               n_classes=N_CLASSES, n_clusters_per_class=1, class_sep=1.5,
                               random_state=seed)
    cut = 1800  # make_classification already shuffles its rows
    sc = StandardScaler().fit(X[:cut])
    X = torch.from_numpy(sc.transform(X).astype(np.float32))
    y = torch.from_numpy(y)
    return TensorDataset(X[:cut], y[:cut]), TensorDataset(X[cut:], y[cut:])


def fit_teacher(ds, seed):
    torch.manual_seed(seed)
    net = mlp(20, 128)
    opt = torch.optim.AdamW(net.parameters(), lr=3e-3)
    loader = DataLoader(ds, batch_size=100, shuffle=True)
    for _ in range(6):
        net.train()
        for x, y in loader:
            opt.zero_grad()
            cross_entropy(net(x), y).backward()
            opt.step()
    return net.eval()


class SoftLabelled(Dataset):
    """Row i of the base set, along with the stored soft target i."""

    def __init__(self, base, soft):
        assert len(base) == len(soft)
        self.base, self.soft = base, soft

    def __len__(self):
        return len(self.base)

    def __getitem__(self, i):
        x, y = self.base[i]
        return x, y, self.soft[i]


def make_loader(ds, batch_size=100, shuffle=True):
    return DataLoader(ds, batch_size=batch_size, shuffle=shuffle)


@torch.no_grad()
def cache_soft_targets(teachers, ds):
    rows = []
    for x, _ in make_loader(ds, batch_size=300):
        probs = torch.stack([(t(x) / TEMPERATURE).softmax(dim=-1) for t in teachers]).mean(dim=0)
        rows.append(probs)
    return torch.cat(rows)


def accuracy(net, ds):
    net.eval()
    x, y = ds.tensors
    with torch.no_grad():
        return (net(x).argmax(-1) == y).float().mean().item()


def distill(student, loader, epochs=10, weight=0.9):
    opt = torch.optim.AdamW(student.parameters(), lr=3e-3)
    for epoch in range(epochs):
        student.train()
        tot, agree, n = 0.0, 0, 0
        for x, y, soft in loader:
            logits = student(x)
            soft_loss = kl_div(log_softmax(logits / TEMPERATURE, dim=-1), soft, reduction="batchmean")
            loss = weight * TEMPERATURE ** 2 * soft_loss + (1 - weight) * cross_entropy(logits, y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            tot += loss.item() * len(x)
            agree += (logits.argmax(-1) == soft.argmax(-1)).sum().item()
            n += len(x)
        print(f"epoch {epoch}: loss {tot / n:.4f}  agreement with teachers {agree / n:.3f}")


def main():
    train_ds, test_ds = get_data()
    teachers = [fit_teacher(train_ds, seed) for seed in (1, 2, 3)]
    soft = cache_soft_targets(teachers, train_ds)
    torch.manual_seed(0)
    student = mlp(20, 24)
    distill(student, make_loader(SoftLabelled(train_ds, soft)))
    print("teachers", [round(accuracy(t, test_ds), 3) for t in teachers],
          "student", round(accuracy(student, test_ds), 3))


if __name__ == "__main__":
    main()
