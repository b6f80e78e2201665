# expect: nothing
"""Vorhersage einer Zeitreihe mit einem GRU; die Aufteilung ist zeitlich und der Lader mischt nicht."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1)
t = torch.arange(900.)
reihe = torch.sin(t / 8) + 0.5 * torch.sin(t / 3) + 0.1 * torch.randn(900)
mittel, streuung = reihe[:700].mean(), reihe[:700].std()
reihe = (reihe - mittel) / streuung
fenster = reihe.unfold(0, 21, 1)
x, y = fenster[:, :-1, None], fenster[:, -1]
training = DataLoader(TensorDataset(x[:680], y[:680]), batch_size=34, shuffle=False)


class Prognose(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, 24, batch_first=True)
        self.aus = nn.Linear(24, 1)

    def forward(self, s):
        return self.aus(self.gru(s)[0][:, -1]).squeeze(-1)


netz = Prognose()
opt = torch.optim.Adam(netz.parameters(), lr=5e-3)
for epoche in range(12):
    netz.train()
    for a, b in training:
        opt.zero_grad()
        verlust = nn.functional.mse_loss(netz(a), b)
        verlust.backward()
        opt.step()
netz.eval()
with torch.inference_mode():
    print("test mse", nn.functional.mse_loss(netz(x[701:]), y[701:]).item(), "naiv", (x[701:, -1, 0] - y[701:]).pow(2).mean().item())
