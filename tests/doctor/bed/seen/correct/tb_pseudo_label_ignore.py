# expect: nothing
"""FixMatch-like training on wine: rows without label carry -100, confident guesses of the EMA model stand in for them."""
import copy

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

IGNORE = -100


class EMA:
    def __init__(self, model, decay):
        self.shadow = copy.deepcopy(model).eval()
        for p in self.shadow.parameters():
            p.requires_grad = False
        self.decay = decay

    def update(self, model):
        with torch.no_grad():
            for s, p in zip(self.shadow.parameters(), model.parameters()):
                s.copy_(self.decay * s + (1 - self.decay) * p)


def weak(x):
    return x + 0.05 * torch.randn_like(x)


def strong(x):
    return (x + 0.2 * torch.randn_like(x)) * (torch.rand_like(x) > 0.15).float()


def pseudo_labels(shadow, x, threshold=0.9):
    with torch.no_grad():
        confidence, guess = shadow(weak(x)).softmax(dim=1).max(dim=1)
    return torch.where(confidence >= threshold, guess, torch.full_like(guess, IGNORE))


def main():
    torch.manual_seed(64)
    rng = np.random.default_rng(64)
    x, y = load_wine(return_X_y=True)
    x_tr, x_te, y_tr, y_te = train_test_split(x, y, test_size=0.3, stratify=y, random_state=64)
    mean, std = x_tr.mean(axis=0), x_tr.std(axis=0)
    x_tr, x_te = (torch.tensor((a - mean) / std, dtype=torch.float32) for a in (x_tr, x_te))

    given = np.full(len(y_tr), IGNORE)
    for c in range(3):
        known = rng.choice(np.flatnonzero(y_tr == c), 10, replace=False)
        given[known] = c
    loader = DataLoader(TensorDataset(x_tr, torch.tensor(given)), batch_size=31, shuffle=True)

    model = nn.Sequential(nn.Linear(13, 48), nn.ReLU(), nn.Linear(48, 3))
    ema = EMA(model, decay=0.95)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    criterion = nn.CrossEntropyLoss(ignore_index=IGNORE, reduction="sum")
    for epoch in range(40):
        model.train()
        used = 0
        for xb, yb in loader:
            known = yb != IGNORE
            loss = criterion(model(weak(xb)), yb) / max(1, int(known.sum()))
            if epoch >= 10:
                guessed = pseudo_labels(ema.shadow, xb).masked_fill(known, IGNORE)
                n = int((guessed != IGNORE).sum())
                used += n
                loss = loss + 0.5 * criterion(model(strong(xb)), guessed) / max(1, n)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            ema.update(model)
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1}: last loss {loss.item():.4f}, guesses used {used}")

    with torch.no_grad():
        accuracy = (ema.shadow(x_te).argmax(dim=1) == torch.tensor(y_te)).float().mean().item()
    print(f"averaged model, test accuracy {accuracy:.3f} with {int((given != IGNORE).sum())} labels")


if __name__ == "__main__":
    main()
