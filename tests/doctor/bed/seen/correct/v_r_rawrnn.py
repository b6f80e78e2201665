# expect: nothing
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from sklearn.datasets import load_digits, load_wine
from sklearn.model_selection import train_test_split, KFold
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
series = torch.sin(torch.arange(0, 60, 0.1)) + 0.1 * torch.randn(600)
win = series.unfold(0, 21, 1)
train, test = win[:400], win[400:]
wx = (torch.randn(1, 16) * 0.5).requires_grad_()
wh = (torch.randn(16, 16) * 0.2).requires_grad_()
wo = (torch.randn(16, 1) * 0.3).requires_grad_()
opt = torch.optim.Adam([wx, wh, wo], lr=1e-2)


def run(b):
    h = torch.zeros(len(b), 16)
    for t in range(20):
        h = torch.tanh(b[:, t:t + 1] @ wx + h @ wh)
    return (h @ wo).squeeze(1)


for epoch in range(4):
    for rows in torch.randperm(len(train)).split(40):
        opt.zero_grad()
        F.mse_loss(run(train[rows]), train[rows, 20]).backward()
        opt.step()
with torch.no_grad():
    print("test mse", F.mse_loss(run(test), test[:, 20]).item())
