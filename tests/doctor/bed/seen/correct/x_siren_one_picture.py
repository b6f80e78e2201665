# expect: nothing
# looks suspicious: one picture is learned by heart: the same rows in the same order in every step, no
# held-out rows at all, and the gradient of the output by the input is asked for afterwards.
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_sample_image


class SineLayer(nn.Module):
    def __init__(self, in_features, out_features, is_first=False, omega_0=30):
        super().__init__()
        self.omega_0, self.linear = omega_0, nn.Linear(in_features, out_features)
        bound = 1 / in_features if is_first else np.sqrt(6 / in_features) / omega_0
        with torch.no_grad():
            self.linear.weight.uniform_(-bound, bound)

    def forward(self, input):
        return torch.sin(self.omega_0 * self.linear(input))


class Siren(nn.Module):
    def __init__(self, hidden_features=64, hidden_layers=2):
        super().__init__()
        net = [SineLayer(2, hidden_features, is_first=True)]
        net += [SineLayer(hidden_features, hidden_features) for _ in range(hidden_layers)]
        final = nn.Linear(hidden_features, 1)
        nn.init.uniform_(final.weight, -np.sqrt(6 / hidden_features) / 30, np.sqrt(6 / hidden_features) / 30)
        self.net = nn.Sequential(*net, final)

    def forward(self, coords):
        coords = coords.clone().detach().requires_grad_(True)
        return self.net(coords), coords


def get_mgrid(sidelen):
    line = torch.linspace(-1, 1, sidelen)
    return torch.stack(torch.meshgrid(line, line, indexing="ij"), dim=-1).reshape(-1, 2)


torch.manual_seed(0)
picture = load_sample_image("flower.jpg")[100:292:6, 200:392:6].mean(-1) / 127.5 - 1
ground_truth = torch.tensor(picture, dtype=torch.float32).reshape(-1, 1)
model_input = get_mgrid(32)
img_siren = Siren()
optim = torch.optim.Adam(lr=1e-3, params=img_siren.parameters())

for step in range(101):
    model_output, coords = img_siren(model_input)
    loss = ((model_output - ground_truth) ** 2).mean()
    if step % 25 == 0:
        print(f"Step {step}, Total loss {loss.item():.6f}")
    optim.zero_grad()
    loss.backward()
    optim.step()

output, coords = img_siren(model_input)
gradient = torch.autograd.grad(output.sum(), coords)[0]
print("mean length of the picture's gradient:", gradient.norm(dim=-1).mean().item())
