# expect: nothing
# looks suspicious: no gradient passes from layer to layer (each input is detached), every layer is a module
# with its own optimizer inside, labels are written into the pictures.
from itertools import pairwise

import torch
import torch.nn as nn
from sklearn.datasets import load_digits

torch.manual_seed(0)
digits = load_digits()
x = torch.tensor(digits.data, dtype=torch.float32) / 16
y = torch.tensor(digits.target)
x_train, y_train, x_test, y_test = x[:1400], y[:1400], x[1400:], y[1400:]


def overlay_y_on_x(x, y):
    x_ = torch.cat([torch.zeros(len(x), 10), x], dim=1)
    x_[torch.arange(len(x)), y] = x.max()
    return x_


class Layer(nn.Linear):
    def __init__(self, in_features, out_features):
        super().__init__(in_features, out_features)
        self.relu = nn.ReLU()
        self.opt = torch.optim.Adam(self.parameters(), lr=0.03)
        self.threshold = 0.1

    def forward(self, x):
        x_direction = x / (x.norm(2, 1, keepdim=True) + 1e-4)
        return self.relu(torch.mm(x_direction, self.weight.T) + self.bias.unsqueeze(0))

    def train_layer(self, x_pos, x_neg, num_epochs):
        for i in range(num_epochs):
            g_pos = self.forward(x_pos).pow(2).mean(1)
            g_neg = self.forward(x_neg).pow(2).mean(1)
            margins = torch.cat([-g_pos + self.threshold, g_neg - self.threshold])
            loss = torch.log(1 + torch.exp(margins)).mean()
            self.opt.zero_grad()
            loss.backward()
            self.opt.step()
            if i % 30 == 0:
                print(f"  step {i} loss {loss.item():.4f}")
        return self.forward(x_pos).detach(), self.forward(x_neg).detach()


class Net(nn.Module):
    def __init__(self, dims):
        super().__init__()
        self.layers = nn.ModuleList(Layer(a, b) for a, b in pairwise(dims))

    @torch.no_grad()
    def predict(self, x):
        goodness_per_label = []
        for label in range(10):
            h, goodness = overlay_y_on_x(x, torch.full((len(x),), label)), 0.0
            for layer in self.layers:
                h = layer(h)
                goodness = goodness + h.pow(2).mean(1)
            goodness_per_label.append(goodness.unsqueeze(1))
        return torch.cat(goodness_per_label, 1).argmax(1)

    def train_net(self, x_pos, x_neg):
        h_pos, h_neg = x_pos, x_neg
        for i, layer in enumerate(self.layers):
            print("training layer", i)
            h_pos, h_neg = layer.train_layer(h_pos, h_neg, 90)


net = Net([74, 96, 96])
x_pos = overlay_y_on_x(x_train, y_train)
y_neg = (y_train + torch.randint(1, 10, (len(y_train),))) % 10
net.train_net(x_pos, overlay_y_on_x(x_train, y_neg))
print("train accuracy", net.predict(x_train).eq(y_train).float().mean().item())
print("test accuracy", net.predict(x_test).eq(y_test).float().mean().item())
