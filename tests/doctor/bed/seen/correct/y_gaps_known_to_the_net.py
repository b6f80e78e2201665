# expect: nothing
# looks suspicious: NaN goes into the model: it stands for 'not measured', the forward replaces it by the
# last value and hands the mask on (as GRU-D does).
import torch
from torch import nn


class GapAwareGRU(nn.Module):
    def __init__(self, inputs, hidden):
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(inputs), requires_grad=False)
        self.gru = nn.GRUCell(2 * inputs, hidden)
        self.head = nn.Linear(hidden, 1)
        self.hidden = hidden

    def forward(self, x):
        measured = ~torch.isnan(x)
        h = x.new_zeros(len(x), self.hidden)
        last = self.mean.expand(len(x), -1)
        for t in range(x.shape[1]):
            last = torch.where(measured[:, t], torch.nan_to_num(x[:, t]), last)
            h = self.gru(torch.cat([last, measured[:, t].float()], 1), h)
        return self.head(h).squeeze(1)


torch.manual_seed(0)
n, steps, channels = 600, 8, 3
x = torch.randn(n, steps, channels).cumsum(1) / 2
y = ((x[:, -1, 0] - x[:, -1, 1]) > 0).float()
x[torch.rand(x.shape) < 0.25] = float("nan")
x_train, y_train, x_test, y_test = x[:450], y[:450], x[450:], y[450:]

model = GapAwareGRU(channels, 16)
model.mean.data.copy_(x_train.nanmean(dim=(0, 1)))
optimizer = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=1e-2)
for epoch in range(8):
    model.train()
    for rows in torch.randperm(len(x_train)).split(45):
        loss = nn.functional.binary_cross_entropy_with_logits(model(x_train[rows]), y_train[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        accuracy = ((model(x_test) > 0).float() == y_test).float().mean()
    print(f"epoch {epoch} loss {loss.item():.4f} accuracy {accuracy:.3f}")
