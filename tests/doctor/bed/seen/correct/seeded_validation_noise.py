# expect: nothing
# looks suspicious: manual_seed is called in every epoch: only inside fork_rng for the validation, whose
# noise must be the same each time; the training's random numbers go on undisturbed.
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
x = torch.tensor(load_digits().data / 16, dtype=torch.float32)
perm = torch.randperm(len(x))
train, val = x[perm[:1500]], x[perm[1500:]]
denoiser = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 64))
opt = torch.optim.Adam(denoiser.parameters(), lr=3e-3)


def corrupt(v):
    return v + 0.3 * torch.randn_like(v)


def validate():
    denoiser.eval()
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1234)
        loss = nn.functional.mse_loss(denoiser(corrupt(val)), val).item()
    denoiser.train()
    return loss


print("before", validate())
for epoch in range(6):
    for rows in torch.randperm(1500).split(75):
        opt.zero_grad()
        loss = nn.functional.mse_loss(denoiser(corrupt(train[rows])), train[rows])
        loss.backward()
        opt.step()
    print(f"epoch {epoch} train {loss.item():.4f} val {validate():.4f}")
