# expect: nothing
# looks suspicious: the loss (noise against its guess) hardly falls after the start, samples are drawn from an
# averaged copy that no optimizer owns, timesteps and noise are new in every step.
import copy

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import make_swiss_roll

torch.manual_seed(0)
roll = make_swiss_roll(1500, noise=0.3, random_state=0)[0][:, [0, 2]]
data = torch.tensor(roll / 10.0, dtype=torch.float32)
T = 60


class NoiseScheduler:
    def __init__(self, num_timesteps=T, beta_start=1e-4, beta_end=0.1):
        self.betas = torch.linspace(beta_start, beta_end, num_timesteps)
        self.alphas = 1.0 - self.betas
        self.alphas_cumprod = torch.cumprod(self.alphas, dim=0)

    def add_noise(self, x_start, noise, t):
        s1 = self.alphas_cumprod[t].sqrt().view(-1, 1)
        s2 = (1 - self.alphas_cumprod[t]).sqrt().view(-1, 1)
        return s1 * x_start + s2 * noise

    def step(self, noise_pred, t, sample):
        mean = (sample - self.betas[t] / (1 - self.alphas_cumprod[t]).sqrt() * noise_pred) / self.alphas[
            t
        ].sqrt()
        return mean if t == 0 else mean + self.betas[t].sqrt() * torch.randn_like(sample)


class Denoiser(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.time = nn.Embedding(T, 16)
        self.net = nn.Sequential(
            nn.Linear(18, width), nn.GELU(), nn.Linear(width, width), nn.GELU(), nn.Linear(width, 2)
        )

    def forward(self, x, t):
        return self.net(torch.cat([x, self.time(t)], dim=-1))


model, scheduler = Denoiser(), NoiseScheduler()
ema_model = copy.deepcopy(model).eval().requires_grad_(False)
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
for epoch in range(10):
    model.train()
    losses = []
    for rows in torch.randperm(len(data)).split(100):
        noise = torch.randn(len(rows), 2)
        timesteps = torch.randint(0, T, (len(rows),))
        noise_pred = model(scheduler.add_noise(data[rows], noise, timesteps), timesteps)
        loss = F.mse_loss(noise_pred, noise)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.detach().item())
        for e, p in zip(ema_model.parameters(), model.parameters(), strict=True):
            e.lerp_(p.detach(), 0.05)
    if epoch % 3 == 0:
        print(f"epoch {epoch} loss {sum(losses) / len(losses):.4f}")

sample = torch.randn(300, 2)
with torch.no_grad():
    for t in reversed(range(T)):
        sample = scheduler.step(ema_model(sample, torch.full((300,), t)), t, sample)
print("sample mean", sample.mean(0).tolist(), "std", sample.std(0).tolist(), "data std", data.std(0).tolist())
