# expect: nothing
import math
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
data = load_digits()
x_train, x_test, y_train, y_test = train_test_split(data.data / 16.0, data.target, test_size=0.3, random_state=0)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.2, random_state=0)
to = lambda x, y: TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y))
train_set, val_set, test_set = to(x_train, y_train), to(x_val, y_val), to(x_test, y_test)

enc, dec = nn.Sequential(nn.Linear(64, 16), nn.Tanh()), nn.Sequential(nn.Linear(16, 64), nn.Sigmoid())
critic = nn.Sequential(nn.Linear(64, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
optimizer_E = torch.optim.Adam([*enc.parameters(), *dec.parameters()], lr=1e-3)
optimizer_D = torch.optim.Adam(critic.parameters(), lr=1e-3)
for epoch in range(6):
    for x, _ in DataLoader(train_set, 64, shuffle=True):
        x_rec = dec(enc(x))
        loss_rec = F.mse_loss(x_rec, x)
        loss_E = loss_rec + 0.01 * F.softplus(-critic(x_rec)).mean()
        optimizer_E.zero_grad()
        loss_E.backward()
        optimizer_E.step()

        x_real, x_fake = critic(x), critic(x_rec.detach())
        loss_D = F.softplus(x_fake).mean() + F.softplus(-x_real).mean()
        optimizer_D.zero_grad()
        loss_D.backward()
        optimizer_D.step()
    print(epoch, loss_rec.item(), loss_D.item())
