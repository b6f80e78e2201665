# expect: params_not_in_optimizer @ 66
# allowed: params_not_in_optimizer @ 67
# allowed: params_not_in_optimizer @ 68
# mend: 65 + red.cabeza = nn.Linear(24 * 16, 5)
# mend: 67 →
# Transferencia: preentrenar con los digitos 0-4 y reutilizar la red para 5-9
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(11)


class RedConv(nn.Module):
    def __init__(self, n_clases):
        super().__init__()
        self.base = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.Flatten())
        self.cabeza = nn.Linear(24 * 16, n_clases)

    def forward(self, x):
        return self.cabeza(self.base(x))


def entrenar(red, opt, x, y, epocas):
    criterio = nn.CrossEntropyLoss()
    for ep in range(epocas):
        red.train()
        suma = 0.0
        for idx in torch.randperm(len(x)).split(32):
            opt.zero_grad()
            perdida = criterio(red(x[idx]), y[idx])
            perdida.backward()
            opt.step()
            suma += perdida.item() * len(idx)
        if ep % 3 == 2:
            print(f"   epoca {ep + 1}: perdida {suma / len(x):.4f}")


def exactitud(red, x, y):
    red.eval()
    with torch.no_grad():
        return (red(x).argmax(1) == y).float().mean().item()


datos = load_digits()
x = torch.tensor(datos.images, dtype=torch.float32).unsqueeze(1) / 16
y = torch.tensor(datos.target)

# tarea de origen: 0-4
origen = y < 5
xo, xo_t, yo, yo_t = train_test_split(
    x[origen], y[origen], test_size=0.25, stratify=y[origen], random_state=0)
# tarea de destino: 5-9, con pocas imagenes
xd, xd_t, yd, yd_t = train_test_split(
    x[~origen], y[~origen] - 5, train_size=150, stratify=y[~origen], random_state=0)

red = RedConv(5)
print("preentrenamiento 0-4")
entrenar(red, torch.optim.Adam(red.parameters(), lr=2e-3), xo, yo, 6)
print(f"   exactitud origen: {exactitud(red, xo_t, yo_t):.3f}")

print("ajuste fino 5-9")
opt = torch.optim.Adam(red.parameters(), lr=1e-3)
red.cabeza = nn.Linear(24 * 16, 5)
entrenar(red, opt, xd, yd, 18)
print(f"   exactitud destino: {exactitud(red, xd_t, yd_t):.3f}")
