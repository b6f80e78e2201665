# expect: nothing
import math
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(5)

# serie diaria inventada: estacion del anio + semana + ruido
DIAS = 1400
t = torch.arange(DIAS, dtype=torch.float32)
serie = 18 + 8 * torch.sin(2 * math.pi * t / 365) + 2 * torch.sin(2 * math.pi * t / 7)
serie = serie + 0.4 * torch.randn(DIAS)
corte1, corte2 = 1000, 1200
media, desv = serie[:corte1].mean(), serie[:corte1].std()
serie_n = (serie - media) / desv


class Ventanas(Dataset):
    def __init__(self, s, largo=21):
        self.s, self.largo = s, largo

    def __len__(self):
        return len(self.s) - self.largo

    def __getitem__(self, i):
        return self.s[i:i + self.largo].unsqueeze(-1), self.s[i + self.largo]


entreno = DataLoader(Ventanas(serie_n[:corte1]), batch_size=32, shuffle=True)
valid = DataLoader(Ventanas(serie_n[corte1:corte2]), batch_size=64)
prueba = DataLoader(Ventanas(serie_n[corte2:]), batch_size=64)


class Pronostico(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(1, 24, batch_first=True)
        self.fc = nn.Linear(24, 1)

    def forward(self, x):
        salida, _ = self.rnn(x)
        return self.fc(salida[:, -1]).squeeze(-1)


def evaluar(modelo, dl):
    modelo.eval()
    suma, n = 0.0, 0
    with torch.no_grad():
        for x, y in dl:
            suma += ((modelo(x) - y) ** 2).sum().item()
            n += len(y)
    return suma / n


modelo = Pronostico()
opt = optim.Adam(modelo.parameters(), lr=0.005)
sched = optim.lr_scheduler.ReduceLROnPlateau(opt, mode="min", factor=0.3, patience=2)

for epoca in range(14):
    modelo.train()
    for x, y in entreno:
        opt.zero_grad()
        perdida = nn.functional.mse_loss(modelo(x), y)
        perdida.backward()
        opt.step()
    mse_val = evaluar(modelo, valid)
    sched.step(mse_val)
    print(f"epoca {epoca:2d}  mse val {mse_val:.4f}  lr {opt.param_groups[0]['lr']:.6f}")

print("rmse prueba (grados):", round(math.sqrt(evaluar(modelo, prueba)) * desv.item(), 3))
