# missed: unscaled_inputs @ 73
# allowed: unscaled_inputs @ 70
# allowed: unscaled_inputs @ 74
# mend: 73 →     clf = TorchClassifier().fit(X_train_std, y_train)
# mend: 74 →     pred = clf.predict(X_test_std)
# mend: 76 →     print(f"train accuracy {clf.score(X_train_std, y_train):.3f}")
"""Benign or malignant? A fit/predict wrapper around a small PyTorch network."""
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class TorchClassifier:
    def __init__(self, hidden=(32, 16), lr=0.02, epochs=15, batch_size=32, verbose=5):
        self.hidden, self.lr, self.epochs = hidden, lr, epochs
        self.batch_size, self.verbose = batch_size, verbose

    def _build(self, n_in, n_out):
        layers, width = [], n_in
        for h in self.hidden:
            layers += [nn.Linear(width, h), nn.ReLU()]
            width = h
        return nn.Sequential(*layers, nn.Linear(width, n_out))

    def fit(self, X, y):
        data = TensorDataset(torch.as_tensor(X, dtype=torch.float32), torch.as_tensor(y))
        loader = DataLoader(data, batch_size=self.batch_size, shuffle=True)
        self.net_ = self._build(X.shape[1], int(y.max()) + 1)
        optimizer = torch.optim.SGD(self.net_.parameters(), lr=self.lr, momentum=0.9)
        criterion = nn.CrossEntropyLoss()
        self.net_.train()
        for epoch in range(1, self.epochs + 1):
            total = 0.0
            for xb, yb in loader:
                optimizer.zero_grad()
                loss = criterion(self.net_(xb), yb)
                loss.backward()
                optimizer.step()
                total += loss.item() * len(yb)
            if self.verbose and epoch % self.verbose == 0:
                print(f"  epoch {epoch:3d}  loss {total / len(data):.4f}")
        return self

    @torch.inference_mode()
    def predict_proba(self, X):
        self.net_.eval()
        return self.net_(torch.as_tensor(X, dtype=torch.float32)).softmax(dim=1).numpy()

    def predict(self, X):
        return self.predict_proba(X).argmax(axis=1)

    def score(self, X, y):
        return float((self.predict(X) == y).mean())


def sensitivity_specificity(pred, truth):
    malignant = truth == 0
    return (pred[malignant] == 0).mean(), (pred[~malignant] == 1).mean()


if __name__ == "__main__":
    torch.manual_seed(17)
    X, y = load_breast_cancer(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=17)

    scaler = StandardScaler().fit(X_train)
    X_train_std = scaler.transform(X_train)
    X_test_std = scaler.transform(X_test)

    clf = TorchClassifier().fit(X_train, y_train)
    pred = clf.predict(X_test)
    sens, spec = sensitivity_specificity(pred, y_test)
    print(f"train accuracy {clf.score(X_train, y_train):.3f}")
    print(f"test accuracy  {(pred == y_test).mean():.3f}")
    print(f"sensitivity {sens:.3f}  specificity {spec:.3f}")
