# expect: params_not_in_optimizer @ 28
# allowed: params_not_in_optimizer @ 57
# mend: 28 →         self.blocks = nn.ModuleList([ResBlock(dim) for _ in range(n_blocks)])
# Friedman regression with a stack of residual blocks
import torch
import torch.nn as nn
from sklearn.datasets import make_friedman1
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset


class ResBlock(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc1 = nn.Linear(dim, dim)
        self.fc2 = nn.Linear(dim, dim)
        self.act = nn.ReLU()

    def forward(self, x):
        return x + self.fc2(self.act(self.fc1(x)))


class ResMLP(nn.Module):
    def __init__(self, d_in, dim=12, n_blocks=3):
        super().__init__()
        self.stem = nn.Linear(d_in, dim)
        self.blocks = [ResBlock(dim) for _ in range(n_blocks)]
        self.head = nn.Linear(dim, 1)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x).squeeze(1)


def prepare(seed=3):
    X, y = make_friedman1(n_samples=2000, n_features=8, noise=0.3, random_state=seed)
    Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.25, random_state=seed)
    sx = StandardScaler().fit(Xtr)
    sy = StandardScaler().fit(ytr[:, None])
    to = lambda a: torch.tensor(a, dtype=torch.float32)
    train = TensorDataset(to(sx.transform(Xtr)), to(sy.transform(ytr[:, None])[:, 0]))
    test = TensorDataset(to(sx.transform(Xte)), to(sy.transform(yte[:, None])[:, 0]))
    return train, test


def main():
    torch.manual_seed(3)
    train_ds, test_ds = prepare()
    train_dl = DataLoader(train_ds, batch_size=64, shuffle=True)
    test_dl = DataLoader(test_ds, batch_size=256)

    model = ResMLP(d_in=8)
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

    for epoch in range(1, 41):
        model.train()
        running = 0.0
        for xb, yb in train_dl:
            optimizer.zero_grad()
            loss = criterion(model(xb), yb)
            loss.backward()
            optimizer.step()
            running += loss.item() * xb.size(0)
        if epoch % 10 == 0:
            print(f"epoch {epoch}: train mse {running / len(train_ds):.4f}")

    model.eval()
    sq = 0.0
    with torch.no_grad():
        for xb, yb in test_dl:
            sq += ((model(xb) - yb) ** 2).sum().item()
    print(f"test mse (standardised target): {sq / len(test_ds):.4f}")


if __name__ == "__main__":
    main()
