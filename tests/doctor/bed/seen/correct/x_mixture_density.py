# expect: nothing
# looks suspicious: softmax in the net and its log in the loss, targets are broadcast against every component
# on purpose, the likelihood may be above one (a negative loss), the inputs overlap for several targets.
import math

import torch
import torch.nn as nn

torch.manual_seed(0)
n_samples = 800
epsilon = torch.randn(n_samples)
x_data = torch.rand(n_samples) * 20 - 10
y_data = 7 * torch.sin(0.75 * x_data) + 0.5 * x_data + epsilon
x, y = y_data.view(-1, 1) / 10, x_data.view(-1, 1) / 10


class MDN(nn.Module):
    def __init__(self, n_hidden, n_gaussians):
        super().__init__()
        self.z_h = nn.Sequential(nn.Linear(1, n_hidden), nn.Tanh())
        self.z_pi = nn.Linear(n_hidden, n_gaussians)
        self.z_mu = nn.Linear(n_hidden, n_gaussians)
        self.z_sigma = nn.Linear(n_hidden, n_gaussians)

    def forward(self, x):
        z_h = self.z_h(x)
        pi = nn.functional.softmax(self.z_pi(z_h), -1)
        return pi, self.z_mu(z_h), torch.exp(self.z_sigma(z_h))


def gaussian_distribution(y, mu, sigma):
    return torch.exp(-0.5 * ((y.expand_as(mu) - mu) / sigma) ** 2) / sigma / math.sqrt(2 * math.pi)


def mdn_loss_fn(pi, mu, sigma, y):
    result = gaussian_distribution(y, mu, sigma) * pi
    return torch.mean(-torch.log(torch.sum(result, dim=1) + 1e-10))


network = MDN(n_hidden=24, n_gaussians=5)
optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
for epoch in range(201):
    pi, mu, sigma = network(x)
    loss = mdn_loss_fn(pi, mu, sigma, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 50 == 0:
        print(epoch, f"{loss.item():.4f}")

with torch.no_grad():
    pi, mu, sigma = network(torch.linspace(-1, 1, 5).view(-1, 1))
    k = torch.multinomial(pi, 1)
    print("samples:", torch.normal(mu.gather(1, k), sigma.gather(1, k)).squeeze(1).round(decimals=3).tolist())
