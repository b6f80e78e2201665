# expect: nothing
"""Wine cultivar from its chemistry: data module, model and fit loop kept apart."""
import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


class WineDataModule:
    def __init__(self, batch_size=16, test_fraction=0.3, standardize=True, seed=12):
        self.batch_size = batch_size
        self.test_fraction = test_fraction
        self.standardize = standardize
        self.seed = seed

    def setup(self):
        bunch = load_wine()
        parts = train_test_split(
            bunch.data, bunch.target, test_size=self.test_fraction, stratify=bunch.target, random_state=self.seed
        )
        x_train, x_test = (torch.tensor(p, dtype=torch.float32) for p in parts[:2])
        y_train, y_test = (torch.tensor(p) for p in parts[2:])
        if self.standardize:
            mean, std = x_train.mean(dim=0), x_train.std(dim=0)
            x_train, x_test = (x_train - mean) / std, (x_test - mean) / std
        self.train_set = TensorDataset(x_train, y_train)
        self.test_set = TensorDataset(x_test, y_test)
        return self

    @property
    def n_features(self):
        return self.train_set.tensors[0].shape[1]

    def train_dataloader(self):
        return DataLoader(self.train_set, batch_size=self.batch_size, shuffle=True)

    def test_dataloader(self):
        return DataLoader(self.test_set, batch_size=len(self.test_set))


class Classifier(nn.Module):
    def __init__(self, n_features, hidden=24, n_classes=3):
        super().__init__()
        self.layer_1 = nn.Linear(n_features, hidden)
        self.layer_2 = nn.Linear(hidden, hidden)
        self.layer_3 = nn.Linear(hidden, n_classes)

    def forward(self, x):
        x = torch.relu(self.layer_1(x))
        x = torch.relu(self.layer_2(x))
        return self.layer_3(x)


class Learner:
    def __init__(self, model, data, lr=0.02):
        self.model, self.data = model, data
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
        self.history = []

    def fit(self, epochs):
        for _ in range(epochs):
            self.model.train()
            total = 0.0
            for x, y in self.data.train_dataloader():
                self.optimizer.zero_grad()
                loss = self.criterion(self.model(x), y)
                loss.backward()
                self.optimizer.step()
                total += loss.item() * len(x)
            self.history.append(total / len(self.data.train_set))
        return self

    @torch.inference_mode()
    def test(self):
        self.model.eval()
        hits = sum((self.model(x).argmax(dim=-1) == y).sum().item() for x, y in self.data.test_dataloader())
        return hits / len(self.data.test_set)


if __name__ == "__main__":
    torch.manual_seed(12)
    data = WineDataModule().setup()
    learner = Learner(Classifier(data.n_features), data).fit(epochs=30)
    print("loss every tenth epoch:", " ".join(f"{v:.3f}" for v in learner.history[9::10]))
    print(f"test accuracy: {learner.test():.3f}")
