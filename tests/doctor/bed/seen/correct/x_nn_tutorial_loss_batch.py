# expect: nothing
# looks suspicious: gradients are cleared after the step instead of before the backward, and the same
# loss_batch serves training and validation (with and without an optimizer).
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
bs, lr, epochs = 64, 0.3, 5
x, y = map(torch.tensor, load_digits(return_X_y=True))
x = x.float() / 16
order = torch.randperm(len(x))
train_ds = TensorDataset(x[order[:1400]], y[order[:1400]])
valid_ds = TensorDataset(x[order[1400:]], y[order[1400:]])


def get_data(train_ds, valid_ds, bs):
    return DataLoader(train_ds, batch_size=bs, shuffle=True), DataLoader(valid_ds, batch_size=bs * 2)


class Lambda(nn.Module):
    def __init__(self, func):
        super().__init__()
        self.func = func

    def forward(self, x):
        return self.func(x)


class WrappedDataLoader:
    def __init__(self, dl, func):
        self.dl, self.func = dl, func

    def __len__(self):
        return len(self.dl)

    def __iter__(self):
        for b in self.dl:
            yield self.func(*b)


def loss_batch(model, loss_func, xb, yb, opt=None):
    loss = loss_func(model(xb), yb)
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
        val_loss = np.sum(np.multiply(losses, nums)) / np.sum(nums)
        print(epoch, val_loss)


model = nn.Sequential(
    nn.Conv2d(1, 16, kernel_size=3, stride=2, padding=1),
    nn.ReLU(),
    nn.Conv2d(16, 16, kernel_size=3, padding=1),
    nn.ReLU(),
    nn.Conv2d(16, 10, kernel_size=3, padding=1),
    nn.AdaptiveAvgPool2d(1),
    Lambda(lambda v: v.view(v.size(0), -1)),
)
opt = optim.SGD(model.parameters(), lr=lr, momentum=0.9)
train_dl, valid_dl = get_data(train_ds, valid_ds, bs)
preprocess = lambda x, y: (x.view(-1, 1, 8, 8), y)  # noqa: E731
fit(
    epochs,
    model,
    F.cross_entropy,
    opt,
    WrappedDataLoader(train_dl, preprocess),
    WrappedDataLoader(valid_dl, preprocess),
)
