# expect: test_in_train @ 87
# Student network mimics a random forest teacher
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from torch.utils.data import DataLoader, Subset, TensorDataset, random_split


def build_dataset(seed):
    X, y = make_classification(n_samples=400, n_features=20, n_informative=6, flip_y=0.3,
                               random_state=seed)
    return TensorDataset(torch.tensor(X, dtype=torch.float32), torch.tensor(y))


def rows_of(subset: Subset):
    index = torch.tensor(subset.indices)
    return tuple(t[index] for t in subset.dataset.tensors)


def standardizer(x):
    mean, std = x.mean(0), x.std(0)
    return lambda v: (v - mean) / std


class Student(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(d, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(),
                                    nn.Linear(128, 2))

    def forward(self, x):
        return self.layers(x)


def teacher_probs(forest, x):
    return torch.tensor(forest.predict_proba(x.numpy()), dtype=torch.float32)


def distill(student, forest, data, norm, args):
    loader = DataLoader(data, batch_size=args.batch, shuffle=True)
    opt = torch.optim.Adam(student.parameters(), lr=args.lr)
    student.train()
    for epoch in range(args.epochs):
        running = 0.0
        for x, y in loader:
            logits = student(norm(x))
            soft = F.kl_div(F.log_softmax(logits, dim=1), teacher_probs(forest, x), reduction="batchmean")
            loss = args.mix * soft + (1 - args.mix) * F.cross_entropy(logits, y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            running += loss.item() * len(x)
        if (epoch + 1) % 10 == 0:
            print(f"epoch {epoch + 1:02d} loss {running / len(data):.4f}")


@torch.no_grad()
def report(student, forest, test, norm):
    x, y = rows_of(test)
    student.eval()
    acc_s = (student(norm(x)).argmax(1) == y).float().mean().item()
    acc_t = (teacher_probs(forest, x).argmax(1) == y).float().mean().item()
    print(f"test accuracy: teacher {acc_t:.3f}, student {acc_s:.3f}")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--epochs", type=int, default=30)
    ap.add_argument("--batch", type=int, default=40)
    ap.add_argument("--lr", type=float, default=2e-3)
    ap.add_argument("--mix", type=float, default=0.3)
    ap.add_argument("--seed", type=int, default=6)
    args = ap.parse_args()

    torch.manual_seed(args.seed)
    data = build_dataset(args.seed)
    train, test = random_split(data, [280, 120], generator=torch.Generator().manual_seed(args.seed))
    x_train, y_train = rows_of(train)
    forest = RandomForestClassifier(40, max_depth=5, random_state=args.seed)
    forest.fit(x_train.numpy(), y_train.numpy())
    norm = standardizer(x_train)

    student = Student(x_train.shape[1])
    distill(student, forest, data, norm, args)
    report(student, forest, test, norm)


if __name__ == "__main__":
    main()
