# expect: weight_decay_too_high @ 33
# allowed: weight_decay_too_high @ 24
"""Image-like autoencoder regression with parameter groups for the decay."""
import torch
from torch import nn
from sklearn.datasets import load_digits

torch.manual_seed(120)


class Autoencoder(nn.Module):
    def __init__(self, k=12):
        super().__init__()
        self.down = nn.Sequential(nn.Linear(64, 48), nn.LeakyReLU(0.1), nn.Linear(48, k))
        self.up = nn.Sequential(nn.Linear(k, 48), nn.LeakyReLU(0.1), nn.Linear(48, 64))

    def forward(self, x):
        return self.up(self.down(x))


def param_groups(model, decay):
    weights = [p for n, p in model.named_parameters() if n.endswith("weight")]
    biases = [p for n, p in model.named_parameters() if n.endswith("bias")]
    return [{"params": weights, "weight_decay": decay}, {"params": biases, "weight_decay": 0.0}]


def main():
    images = torch.tensor(load_digits().data, dtype=torch.float32) / 16
    images = images[torch.randperm(len(images))]
    train, test = images[:1400], images[1400:]
    mean = train.mean(0)
    model = Autoencoder()
    opt = torch.optim.Adam(param_groups(model, decay=0.5), lr=3e-3)
    warm = torch.optim.lr_scheduler.LinearLR(opt, start_factor=0.2, total_iters=3)
    for epoch in range(25):
        model.train()
        total = 0.0
        for idx in torch.randperm(len(train)).split(50):
            x = train[idx] - mean
            loss = nn.functional.mse_loss(model(x), x)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(idx)
        warm.step()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1} mse {total / len(train):.5f}")
    model.eval()
    with torch.no_grad():
        x = test - mean
        rec = nn.functional.mse_loss(model(x), x).item()
    print(f"test mse {rec:.5f}, of the plain mean {x.pow(2).mean().item():.5f}")


main()
