# expect: lr_too_low @ 29
# allowed: lr_too_low @ 28
"""Breast cancer in a few functions; the rate has too many zeros."""

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def get_data(batch_size):
    x, y = load_breast_cancer(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=0, stratify=y)
    scaler = StandardScaler().fit(x_train)
    pair = [(x_train, y_train), (x_test, y_test)]
    sets = [
        TensorDataset(torch.tensor(scaler.transform(a)).float(), torch.tensor(b).float()) for a, b in pair
    ]
    return DataLoader(sets[0], batch_size=batch_size, shuffle=True), DataLoader(
        sets[1], batch_size=batch_size * 2
    )


def get_model():
    model = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Linear(32, 1))
    learning_rate = 1e-6
    return model, torch.optim.SGD(model.parameters(), lr=learning_rate)


def loss_batch(model, loss_func, xb, yb, opt=None):
    loss = loss_func(model(xb).squeeze(1), yb)
    if opt is not None:
        loss.backward()
        opt.step()
        opt.zero_grad()
    return loss.item(), len(xb)


def fit(epochs, model, loss_func, opt, train_dl, valid_dl):
    for epoch in range(epochs):
        model.train()
        for xb, yb in train_dl:
            loss_batch(model, loss_func, xb, yb, opt)
        model.eval()
        with torch.no_grad():
            losses, nums = zip(*[loss_batch(model, loss_func, xb, yb) for xb, yb in valid_dl], strict=True)
        print(epoch, sum(v * n for v, n in zip(losses, nums, strict=True)) / sum(nums))


torch.manual_seed(0)
train_dl, valid_dl = get_data(32)
model, opt = get_model()
fit(10, model, nn.functional.binary_cross_entropy_with_logits, opt, train_dl, valid_dl)
