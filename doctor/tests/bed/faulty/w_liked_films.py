# missed: bad_label_values @ 28
# mend: 28 →         self.target = torch.tensor(frame["liked"].to_numpy(), dtype=torch.float32)
"""Turns star ratings into likes and learns them with a factorisation machine over user, film and genre."""
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


def simulate(users=150, films=80, n=5000):
    rng = np.random.default_rng(8)
    genre = rng.integers(0, 5, films)
    taste = rng.normal(0, 1.1, (users, 5))
    quality = rng.normal(0, 0.5, films)
    picks = rng.permutation(users * films)[:n]
    u, f = picks // films, picks % films
    raw = 3.1 + taste[u, genre[f]] + quality[f] + rng.normal(0, 0.4, n)
    return pd.DataFrame({"user": u, "film": f, "genre": genre[f], "rating": raw.round().clip(1, 5)})


class Ratings(Dataset):
    FIELDS = ["user", "film", "genre"]

    def __init__(self, frame, like_from=4):
        frame = frame.assign(liked=(frame["rating"] >= like_from).astype("float32"))
        self.fields = torch.tensor(frame[self.FIELDS].to_numpy())
        self.target = torch.tensor(frame["rating"].to_numpy(), dtype=torch.float32)
        self.liked = torch.tensor(frame["liked"].to_numpy())

    def __len__(self):
        return len(self.fields)

    def __getitem__(self, i):
        return self.fields[i], self.target[i]


class FactorizationMachine(nn.Module):
    def __init__(self, sizes, k=8):
        super().__init__()
        self.register_buffer("offset", torch.tensor([0, *np.cumsum(sizes)[:-1]]))
        self.linear = nn.Embedding(sum(sizes), 1)
        self.factors = nn.Embedding(sum(sizes), k)
        self.bias = nn.Parameter(torch.zeros(()))
        nn.init.normal_(self.linear.weight, std=0.05)
        nn.init.normal_(self.factors.weight, std=0.2)

    def forward(self, fields):
        index = fields + self.offset
        v = self.factors(index)
        pairs = 0.5 * (v.sum(1).square() - v.square().sum(1)).sum(1)
        return self.bias + self.linear(index).sum((1, 2)) + pairs


def main():
    torch.manual_seed(8)
    frame = simulate()
    test = frame.sample(frac=0.25, random_state=8)
    train_set, test_set = Ratings(frame.drop(test.index)), Ratings(test)
    model = FactorizationMachine((150, 80, 5))
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=1e-4)
    loader = DataLoader(train_set, batch_size=250, shuffle=True)
    for epoch in range(8):
        model.train()
        seen = 0.0
        for fields, target in loader:
            optimizer.zero_grad()
            loss = criterion(model(fields), target)
            loss.backward()
            optimizer.step()
            seen += loss.item() * len(target)
        print(f"epoch {epoch + 1}: loss {seen / len(train_set):.4f}")

    model.eval()
    with torch.no_grad():
        guess = (model(test_set.fields) > 0).float()
    share = test_set.liked.mean().item()
    print(f"accuracy {(guess == test_set.liked).float().mean():.3f}, majority {max(share, 1 - share):.3f}")


if __name__ == "__main__":
    main()
