# expect: nothing
"""Clasificador de vinos con una red pequeña y descenso de gradiente."""
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

datos = load_wine()
x_ent, x_pru, y_ent, y_pru = train_test_split(datos.data, datos.target, test_size=0.3, random_state=4, stratify=datos.target)
media, desv = x_ent.mean(0), x_ent.std(0)
x_ent, x_pru = (x_ent - media) / desv, (x_pru - media) / desv
x_ent, x_pru = torch.tensor(x_ent).float(), torch.tensor(x_pru).float()
y_ent, y_pru = torch.tensor(y_ent), torch.tensor(y_pru)
lotes = DataLoader(TensorDataset(x_ent, y_ent), batch_size=16, shuffle=True)
torch.manual_seed(4)
red = nn.Sequential(nn.Linear(13, 32), nn.Tanh(), nn.Linear(32, 3))
optimizador = torch.optim.SGD(red.parameters(), lr=0.05, momentum=0.9)
for epoca in range(30):
    red.train()
    for x, y in lotes:
        optimizador.zero_grad()
        perdida = nn.functional.cross_entropy(red(x), y)
        perdida.backward()
        optimizador.step()
red.eval()
with torch.no_grad():
    print("pérdida", perdida.item(), "exactitud", (red(x_pru).argmax(1) == y_pru).float().mean().item())
