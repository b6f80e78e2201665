# expect: nothing
"""Siamese verification net on digits, judged by ten-way one-shot trials as in Koch et al."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits


class Siamese(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.embed = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU(),
                                   nn.Flatten(), nn.Linear(16 * 16, dim))
        self.weight = nn.Linear(dim, 1)

    def compare(self, ea, eb):
        return self.weight((ea - eb).abs()).squeeze(-1)

    def forward(self, a, b):
        return self.compare(self.embed(a), self.embed(b))


def sample_pairs(by_class, n, rng):
    left, right, same = [], [], []
    for i in range(n):
        c = rng.integers(10)
        d = c if i % 2 == 0 else (c + rng.integers(1, 10)) % 10
        left.append(by_class[c][rng.integers(len(by_class[c]))])
        right.append(by_class[d][rng.integers(len(by_class[d]))])
        same.append(float(c == d))
    return np.array(left), np.array(right), torch.tensor(same)


@torch.no_grad()
def one_shot(model, images, by_class, trials, rng):
    """One support and one query image of each class; queries come in random order."""
    model.eval()
    correct = 0
    for _ in range(trials):
        picks = [rng.choice(by_class[c], 2, replace=False) for c in range(10)]
        order = rng.permutation(10)
        support = model.embed(images[[p[0] for p in picks]])
        query = model.embed(images[[picks[c][1] for c in order]])
        scores = model.compare(query[:, None, :], support[None, :, :])
        guess = scores.argmax(dim=1)
        correct += (guess == torch.from_numpy(order)).sum().item()
    return correct / (10 * trials)


def main():
    torch.manual_seed(1)
    rng = np.random.default_rng(1)
    digits = load_digits()
    images = torch.tensor(digits.images / 16.0, dtype=torch.float32).unsqueeze(1)
    order = rng.permutation(len(images))
    train_rows, test_rows = order[:1200], order[1200:]
    train_by = [train_rows[digits.target[train_rows] == c] for c in range(10)]
    test_by = [test_rows[digits.target[test_rows] == c] for c in range(10)]

    model = Siamese()
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    running = []
    for step in range(1, 321):
        model.train()
        a, b, same = sample_pairs(train_by, 64, rng)
        loss = F.binary_cross_entropy_with_logits(model(images[a], images[b]), same)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running.append(loss.item())
        if step % 80 == 0:
            print(f"iteration {step}  verification loss {np.mean(running[-80:]):.4f}")
    print(f"10-way one-shot accuracy {one_shot(model, images, test_by, 50, rng):.3f}")


if __name__ == "__main__":
    main()
