# expect: no_step @ 37
# allowed: no_step @ 26
# allowed: no_step @ 32
# mend: 37 →     loss = optimizer.step(closure)
"""Fits a damped oscillation with LBFGS and a closure."""
import torch

torch.manual_seed(1)
t = torch.linspace(0, 6, 200)
signal = 2.0 * torch.exp(-0.3 * t) * torch.cos(2.1 * t + 0.4) + 0.02 * torch.randn(200)


class Oscillator(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.amp = torch.nn.Parameter(torch.tensor(1.0))
        self.decay = torch.nn.Parameter(torch.tensor(0.1))
        self.omega = torch.nn.Parameter(torch.tensor(1.9))
        self.phase = torch.nn.Parameter(torch.tensor(0.0))

    def forward(self, time):
        return self.amp * torch.exp(-self.decay * time) * torch.cos(self.omega * time + self.phase)


model = Oscillator()
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=10, line_search_fn="strong_wolfe")


def closure():
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(model(t), signal)
    loss.backward()
    return loss


for it in range(15):
    loss = closure()
    print(f"iteration {it}: {loss.item():.6f}")
for name, p in model.named_parameters():
    print(name, round(p.item(), 3))
