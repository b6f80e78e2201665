# expect: nothing
"""Malignant or benign: a binary classifier on the Wisconsin breast cancer measurements."""
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset


class TumourNet(nn.Module):
    def __init__(self, n_features):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_features, 32),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(32, 1),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return self.layers(x).squeeze(1)


class Trainer:
    def __init__(self, model, train_loader, test_loader, lr=3e-3):
        self.model = model
        self.train_loader = train_loader
        self.test_loader = test_loader
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        self.criterion = nn.BCELoss()

    def fit(self, epochs):
        for epoch in range(1, epochs + 1):
            loss = self._train_epoch()
            if epoch % 5 == 0:
                print(f"epoch {epoch}: loss {loss:.4f}")

    def _train_epoch(self):
        self.model.train()
        total, count = 0.0, 0
        for x, y in self.train_loader:
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(x), y)
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(y)
            count += len(y)
        return total / count

    @torch.no_grad()
    def evaluate(self):
        self.model.eval()
        hits, sure, n = 0, 0, 0
        for x, y in self.test_loader:
            p = self.model(x)
            hits += ((p > 0.5).float() == y).sum().item()
            sure += ((p - 0.5).abs() > 0.45).sum().item()
            n += len(y)
        return hits / n, sure / n


def main():
    torch.manual_seed(0)
    data = load_breast_cancer()
    X_train, X_test, y_train, y_test = train_test_split(
        data.data, data.target, test_size=0.25, stratify=data.target, random_state=0)
    scaler = StandardScaler()
    X_train = scaler.fit_transform(X_train)
    X_test = scaler.transform(X_test)

    def dataset(X, y):
        return TensorDataset(torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32))

    trainer = Trainer(
        TumourNet(X_train.shape[1]),
        DataLoader(dataset(X_train, y_train), batch_size=32, shuffle=True),
        DataLoader(dataset(X_test, y_test), batch_size=128),
    )
    trainer.fit(20)
    acc, sure = trainer.evaluate()
    print(f"test accuracy {acc:.3f}, decided with p beyond 0.05/0.95: {sure:.3f}")


if __name__ == "__main__":
    main()
