# expect: nothing
# looks suspicious: weights are drawn anew in every forward pass, also in the test, where the sampling goes
# on; the complexity term is a sum over all weights, scaled by the number of batches.
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
x = torch.cat([torch.rand(60, 1) * 2 - 3, torch.rand(60, 1) * 2 + 1])
y = torch.sin(1.5 * x) + 0.1 * torch.randn_like(x)
NUM_BATCHES = 4


class BayesianLinear(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight_mu = nn.Parameter(torch.empty(out_features, in_features).uniform_(-0.5, 0.5))
        self.weight_rho = nn.Parameter(torch.full((out_features, in_features), -4.0))
        self.bias_mu = nn.Parameter(torch.empty(out_features).uniform_(-0.5, 0.5))
        self.bias_rho = nn.Parameter(torch.full((out_features,), -4.0))

    def forward(self, input):
        w_sigma, b_sigma = F.softplus(self.weight_rho), F.softplus(self.bias_rho)
        weight = self.weight_mu + w_sigma * torch.randn_like(w_sigma)
        bias = self.bias_mu + b_sigma * torch.randn_like(b_sigma)
        return F.linear(input, weight, bias)

    def kl(self):
        total = 0.0
        for mu, rho in ((self.weight_mu, self.weight_rho), (self.bias_mu, self.bias_rho)):
            q, p = torch.distributions.Normal(mu, F.softplus(rho)), torch.distributions.Normal(0.0, 1.0)
            total = total + torch.distributions.kl_divergence(q, p).sum()
        return total


class BayesianNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.l2 = BayesianLinear(1, 32), BayesianLinear(32, 1)

    def forward(self, x):
        return self.l2(torch.tanh(self.l1(x)))

    def sample_elbo(self, input, target, samples=2):
        nll = (
            sum(F.mse_loss(self(input), target, reduction="sum") / (2 * 0.1**2) for _ in range(samples))
            / samples
        )
        return (self.l1.kl() + self.l2.kl()) / NUM_BATCHES + nll


net = BayesianNetwork()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(80):
    net.train()
    for rows in torch.randperm(len(x)).chunk(NUM_BATCHES):
        net.zero_grad()
        loss = net.sample_elbo(x[rows], y[rows])
        loss.backward()
        optimizer.step()
    if epoch % 20 == 0:
        print(f"epoch {epoch} loss {loss.item():.3f}")

net.eval()
with torch.no_grad():
    grid = torch.linspace(-3, 3, 7).view(-1, 1)
    draws = torch.stack([net(grid) for _ in range(100)])
print("spread of the predictions:", draws.std(0).squeeze(1).round(decimals=3).tolist())
