# expect: sigmoid_before_bce_with_logits @ 29
# allowed: sigmoid_before_bce_with_logits @ 50
# allowed: sigmoid_before_bce_with_logits @ 56
"""Siamese verification: do two digit images show the same class?"""
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split


class Tower(nn.Module):
    def __init__(self, out=24):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(),
        )
        self.fc = nn.Linear(24 * 16, out)

    def forward(self, x):
        return self.fc(self.conv(x).flatten(1))


class PairNet(nn.Module):
    def __init__(self, dim=24, hidden=32):
        super().__init__()
        self.tower = Tower(dim)
        layers = [nn.Linear(2 * dim, hidden), nn.ReLU(), nn.Linear(hidden, 1), nn.Sigmoid()]
        self.compare = nn.Sequential(*layers)

    def forward(self, a, b):
        ea, eb = self.tower(a), self.tower(b)
        return self.compare(torch.cat([(ea - eb).abs(), ea * eb], dim=1)).squeeze(1)


def sample_pairs(labels, n, gen):
    """half of the pairs share a class, half do not"""
    a = torch.randint(len(labels), (n,), generator=gen)
    same = (labels[a][:, None] == labels[None, :]).float()
    want = torch.arange(n) % 2 == 0
    weights = torch.where(want[:, None], same, 1 - same)
    b = torch.multinomial(weights, 1, generator=gen).squeeze(1)
    return a, b, want.float()


def train(model, images, labels, steps=250, batch=64):
    gen = torch.Generator().manual_seed(9)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    criterion = nn.BCEWithLogitsLoss()
    model.train()
    total = 0.0
    for step in range(1, steps + 1):
        a, b, same = sample_pairs(labels, batch, gen)
        score = model(images[a], images[b])
        loss = criterion(score, same)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
        if step % 50 == 0:
            print(f"step {step:4d}  loss {total / 50:.4f}")
            total = 0.0


def verify(model, images, labels, n=1500):
    gen = torch.Generator().manual_seed(77)
    a, b, same = sample_pairs(labels, n, gen)
    model.eval()
    with torch.no_grad():
        score = model(images[a], images[b])
    return roc_auc_score(same.numpy(), score.numpy())


def main():
    torch.manual_seed(2)
    d = load_digits()
    tr_x, te_x, tr_y, te_y = train_test_split(
        d.images / 16.0, d.target, test_size=0.3, stratify=d.target, random_state=0
    )
    tr_x = torch.tensor(tr_x, dtype=torch.float32).unsqueeze(1)
    te_x = torch.tensor(te_x, dtype=torch.float32).unsqueeze(1)
    tr_y, te_y = torch.tensor(tr_y), torch.tensor(te_y)
    model = PairNet()
    train(model, tr_x, tr_y)
    print(f"AUC on unseen images: {verify(model, te_x, te_y):.4f}")


main()
