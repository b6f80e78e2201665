# expect: nothing
# Mantenimiento predictivo: aviso de fallo de una bomba en las próximas horas
import numpy as np
import torch
import torch.nn as nn
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.metrics import balanced_accuracy_score
from torch.utils.data import DataLoader, TensorDataset

SEMILLA = 33
torch.manual_seed(SEMILLA)
gen = np.random.default_rng(SEMILLA)


def lecturas(n=5000, prop=0.03):
    fallo = (gen.random(n) < prop).astype(int)
    presion = gen.normal(6.0, 0.6, n) - 0.7 * fallo
    caudal = gen.normal(45, 4, n) - 4.5 * fallo
    temp = gen.normal(60, 5, n) + 6.0 * fallo
    vibra = gen.gamma(4.0, 0.5, n) + 1.0 * fallo
    corriente = gen.normal(12, 1.0, n) + 0.15 * (temp - 60)
    return np.stack([presion, caudal, temp, vibra, corriente], 1), fallo


X, y = lecturas()
X_ent, X_pru, y_ent, y_pru = train_test_split(X, y, test_size=0.3, stratify=y, random_state=SEMILLA)
esc = StandardScaler().fit(X_ent)
X_ent = torch.tensor(esc.transform(X_ent), dtype=torch.float32)
X_pru = torch.tensor(esc.transform(X_pru), dtype=torch.float32)
y_ent, y_pru = torch.tensor(y_ent), torch.tensor(y_pru)

cargador = DataLoader(TensorDataset(X_ent, y_ent), batch_size=128, shuffle=True)

red = nn.Sequential(
    nn.Linear(5, 32), nn.ReLU(), nn.Dropout(0.3),
    nn.Linear(32, 16), nn.ReLU(),
    nn.Linear(16, 2),
)
criterio = nn.CrossEntropyLoss(weight=len(y_ent) / (2.0 * torch.bincount(y_ent)))
optimizador = torch.optim.SGD(red.parameters(), lr=0.03, momentum=0.9, weight_decay=1e-4)
ajuste = torch.optim.lr_scheduler.PolynomialLR(optimizador, total_iters=15, power=1.0)

historia = []
for epoca in range(15):
    red.train()
    suma = 0.0
    for xb, yb in cargador:
        optimizador.zero_grad()
        perdida = criterio(red(xb), yb)
        perdida.backward()
        optimizador.step()
        suma += perdida.item() * len(yb)
    ajuste.step()
    historia.append(suma / len(X_ent))
    if epoca % 3 == 2:
        print(f"época {epoca + 1:2d} - pérdida {historia[-1]:.4f} - lr {ajuste.get_last_lr()[0]:.4f}")

red.eval()
with torch.no_grad():
    pred = red(X_pru).argmax(dim=1)

print(f"exactitud equilibrada en prueba: {balanced_accuracy_score(y_pru, pred):.2%}")
print(f"avisos emitidos: {int(pred.sum())} de {len(pred)} lecturas")
