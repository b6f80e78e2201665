# expect: nothing
# looks suspicious: weights are frozen and unfrozen around the sampler, backward runs on the picture of the
# energy with no step, eval and train modes alternate in every iteration, old samples live on in a buffer.
import random

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_moons

random.seed(0)
np.random.seed(0)
torch.manual_seed(0)
data = torch.tensor(make_moons(1000, noise=0.05, random_state=0)[0], dtype=torch.float32)
data = (data - data.mean(0)) / data.std(0)


class Energy(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1))

    def forward(self, x):
        return self.net(x).squeeze(dim=-1)


class Sampler:
    def __init__(self, model, sample_size, max_len=1024):
        self.model, self.sample_size, self.max_len = model, sample_size, max_len
        self.examples = [torch.rand(1, 2) * 4 - 2 for _ in range(sample_size)]

    def sample_new_exmps(self, steps=12, step_size=0.05):
        n_new = np.random.binomial(self.sample_size, 0.05)
        fresh = torch.rand(n_new, 2) * 4 - 2
        old = torch.cat(random.choices(self.examples, k=self.sample_size - n_new), dim=0)
        inp = self.generate_samples(self.model, torch.cat([fresh, old]).detach(), steps, step_size)
        self.examples = (list(inp.split(1)) + self.examples)[: self.max_len]
        return inp

    @staticmethod
    def generate_samples(model, inp, steps, step_size):
        is_training = model.training
        model.eval()
        for p in model.parameters():
            p.requires_grad = False
        had_gradients_enabled = torch.is_grad_enabled()
        torch.set_grad_enabled(True)
        inp.requires_grad = True
        for _ in range(steps):
            inp.data.add_(torch.randn_like(inp), alpha=0.05)
            out = -model(inp)
            out.sum().backward()
            inp.grad.data.clamp_(-1, 1)
            inp.data.add_(-step_size * inp.grad.data)
            inp.grad.detach_()
            inp.grad.zero_()
            inp.data.clamp_(min=-3.0, max=3.0)
        for p in model.parameters():
            p.requires_grad = True
        model.train(is_training)
        torch.set_grad_enabled(had_gradients_enabled)
        return inp.detach()


model = Energy()
sampler = Sampler(model, 64)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.0, 0.999))
for it in range(100):
    real = data[torch.randint(len(data), (64,))] + 0.01 * torch.randn(64, 2)
    fake = sampler.sample_new_exmps()
    real_out, fake_out = model(torch.cat([real, fake], dim=0)).chunk(2, dim=0)
    reg_loss = 0.1 * (real_out**2 + fake_out**2).mean()
    cdiv_loss = fake_out.mean() - real_out.mean()
    loss = reg_loss + cdiv_loss
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.1)
    optimizer.step()
    if it % 25 == 0:
        print(f"it {it} contrastive divergence {cdiv_loss.item():.4f} regularisation {reg_loss.item():.4f}")
