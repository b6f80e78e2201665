# expect: nothing
"""Mean teacher on digits: few labels, many unlabeled images, EMA weights."""
from copy import deepcopy

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class ModelEma(nn.Module):
    def __init__(self, model, decay=0.99):
        super().__init__()
        self.module = deepcopy(model)
        self.module.eval()
        self.decay = decay
        for p in self.module.parameters():
            p.requires_grad_(False)

    @torch.no_grad()
    def update(self, model):
        for ema_v, model_v in zip(self.module.state_dict().values(), model.state_dict().values()):
            if ema_v.dtype.is_floating_point:
                ema_v.lerp_(model_v, 1.0 - self.decay)
            else:
                ema_v.copy_(model_v)


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Flatten(), nn.Dropout(0.2), nn.Linear(32 * 16, 10),
        )

    def forward(self, x):
        return self.net(x)


def perturb(x, sigma=0.15):
    gain = torch.empty(len(x), 1, 1, 1).uniform_(0.8, 1.2)
    return x * gain + sigma * torch.randn_like(x)


def ramp_up(step, length):
    t = min(step / length, 1.0)
    return float(torch.exp(torch.tensor(-5.0 * (1.0 - t) ** 2)))


@torch.inference_mode()
def validate(model, x, y):
    was_training = model.training
    model.eval()
    logits = model(x)
    model.train(was_training)
    return F.cross_entropy(logits, y).item(), (logits.argmax(1) == y).float().mean().item()


def main():
    torch.manual_seed(8)
    d = load_digits()
    x = torch.tensor(d.images, dtype=torch.float32)[:, None] / 16
    y = torch.tensor(d.target)
    x_fit, x_test, y_fit, y_test = train_test_split(x, y, test_size=0.3, stratify=y, random_state=8)
    x_lab, x_unl, y_lab, _ = train_test_split(x_fit, y_fit, train_size=200, stratify=y_fit, random_state=8)

    model = ConvNet()
    ema = ModelEma(model, decay=0.97)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    steps, max_weight = 500, 10.0

    model.train()
    for step in range(1, steps + 1):
        i = torch.randint(len(x_lab), (32,))
        j = torch.randint(len(x_unl), (64,))
        xl, yl, xu = x_lab[i], y_lab[i], x_unl[j]
        logits = model(torch.cat([perturb(xl), perturb(xu)]))
        with torch.no_grad():
            target = F.softmax(ema.module(perturb(xu)), dim=1)
        sup = F.cross_entropy(logits[:len(xl)], yl)
        cons = F.mse_loss(F.softmax(logits[len(xl):], dim=1), target)
        loss = sup + max_weight * ramp_up(step, 200) * cons

        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        ema.update(model)
        if step % 100 == 0:
            print(f"step {step}: supervised {sup.item():.4f} consistency {cons.item():.5f}")

    print("student: loss %.4f acc %.4f" % validate(model, x_test, y_test))
    print("teacher: loss %.4f acc %.4f" % validate(ema.module, x_test, y_test))


if __name__ == "__main__":
    main()
