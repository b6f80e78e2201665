# expect: symmetric_init @ 19
# allowed: symmetric_init @ 32
"""Hand-written Elman cell with its own reset_parameters, adding up a signed sequence."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class ElmanCell(nn.Module):
    def __init__(self, n_in, n_hidden):
        super().__init__()
        self.w_in = nn.Parameter(torch.empty(n_in, n_hidden))
        self.w_rec = nn.Parameter(torch.empty(n_hidden, n_hidden))
        self.bias = nn.Parameter(torch.empty(n_hidden))
        self.reset_parameters()

    def reset_parameters(self):
        for p in (self.w_in, self.w_rec):
            nn.init.constant_(p, 0.05)
        nn.init.zeros_(self.bias)

    def forward(self, x, h):
        return torch.tanh(x @ self.w_in + h @ self.w_rec + self.bias)


class Summer(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.hidden = hidden
        self.cell = ElmanCell(2, hidden)
        self.readout = nn.Linear(hidden, 1)
        nn.init.constant_(self.readout.weight, 0.05)
        nn.init.zeros_(self.readout.bias)

    def forward(self, x):
        h = x.new_zeros(len(x), self.hidden)
        for t in range(x.size(1)):
            h = self.cell(x[:, t], h)
        return self.readout(h).squeeze(-1)


def adding_problem(n, steps=6):
    values = torch.rand(n, steps) * 2 - 1
    signs = torch.randint(0, 2, (n, steps)) * 2.0 - 1
    return TensorDataset(torch.stack([values, signs], 2), (values * signs).sum(1))


torch.manual_seed(16)
train_loader = DataLoader(adding_problem(1200), batch_size=40, shuffle=True)
x_val, y_val = adding_problem(300).tensors
model = Summer()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.95)
for epoch in range(15):
    for x, y in train_loader:
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    scheduler.step()
    if epoch % 5 == 4:
        with torch.no_grad():
            mse = nn.functional.mse_loss(model(x_val), y_val).item()
        print(f"epoch {epoch} val mse {mse:.4f} (target variance {y_val.var().item():.3f})")
