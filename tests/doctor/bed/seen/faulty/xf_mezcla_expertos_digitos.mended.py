# expect: nothing
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(5)

# mezcla de expertos: una puerta reparte cada imagen entre varios expertos pequeños


class Experto(nn.Module):
    def __init__(self, entradas, ocultas, clases):
        super().__init__()
        self.fc1 = nn.Linear(entradas, ocultas)
        self.fc2 = nn.Linear(ocultas, clases)

    def forward(self, x):
        return F.softmax(self.fc2(torch.tanh(self.fc1(x))), dim=-1)


class Mezcla(nn.Module):
    def __init__(self, entradas=64, clases=10, k=4):
        super().__init__()
        self.puerta = nn.Linear(entradas, k)
        self.expertos = nn.ModuleList(Experto(entradas, 12, clases) for _ in range(k))

    def forward(self, x):
        pesos = self.puerta(x).softmax(dim=-1)
        votos = torch.stack([e(x) for e in self.expertos], dim=1)
        return torch.einsum("bk,bkc->bc", pesos, votos)


imagenes, etiquetas = load_digits(return_X_y=True)
imagenes = imagenes / 16.0
xa, xb, ya, yb = train_test_split(imagenes, etiquetas, test_size=0.3,
                                  stratify=etiquetas, random_state=5)
xa, xb = (torch.tensor(m, dtype=torch.float32) for m in (xa, xb))
ya, yb = torch.tensor(ya), torch.tensor(yb)

lotes = DataLoader(TensorDataset(xa, ya), batch_size=48, shuffle=True)
modelo = Mezcla()
opt = torch.optim.Adam(modelo.parameters(), lr=8e-3)

for epoca in range(1, 9):
    modelo.train()
    total = 0.0
    for x, y in lotes:
        mezcla = modelo(x)
        perdida = F.nll_loss(torch.log(mezcla + 1e-8), y)
        opt.zero_grad()
        perdida.backward()
        opt.step()
        total += perdida.item() * len(x)
    if epoca % 2 == 0:
        print(f"época {epoca:2d}  pérdida {total / len(xa):.4f}")

modelo.eval()
with torch.no_grad():
    salida = modelo(xb)
    acierto = (salida.argmax(dim=1) == yb).float().mean().item()
    confianza = salida.max(dim=1).values.mean().item()
    reparto = modelo.puerta(xb).softmax(-1).mean(0)
print(f"acierto en prueba: {acierto:.3f}, confianza media: {confianza:.3f}")
print("uso de los expertos:", [round(v, 2) for v in reparto.tolist()])
