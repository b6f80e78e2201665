# expect: nothing
# mends: z_final_report_with_dropout.py
"""Train, then one report at the very end, under inference_mode."""

import torch
from sklearn.datasets import load_digits
from sklearn.metrics import classification_report
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16, y, test_size=0.25, stratify=y, random_state=5)
X_train, X_test = torch.tensor(X_train).float(), torch.tensor(X_test).float()
y_train = torch.tensor(y_train)


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.block1 = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Dropout(0.5))
        self.block2 = nn.Sequential(nn.Linear(96, 48), nn.ReLU(), nn.Dropout(0.3))
        self.out = nn.Linear(48, 10)

    def forward(self, x):
        return self.out(self.block2(self.block1(x)))


def fit(model, epochs=8, batch_size=64):
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(epochs):
        permutation = torch.randperm(len(X_train))
        for i in range(0, len(X_train), batch_size):
            rows = permutation[i : i + batch_size]
            optimizer.zero_grad()
            loss = criterion(model(X_train[rows]), y_train[rows])
            loss.backward()
            optimizer.step()
    return model


def report(model):
    model.eval()
    with torch.inference_mode():
        y_hat = model(X_test).argmax(dim=1)
    print(classification_report(y_test, y_hat.numpy(), digits=3))


report(fit(MLP()))
