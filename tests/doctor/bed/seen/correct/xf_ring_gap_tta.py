# expect: nothing
# Aros cerrados o abiertos: etiquetas -1/+1 con pérdida logística suave y promedio sobre giros.
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(9)


def figura(g, lado=16):
    """Manchas de ruido suavizado; la mitad lleva un aro cerrado, la otra un aro abierto."""
    v, u = np.mgrid[:lado, :lado]
    cx, cy = g.uniform(6, 10, 2)
    r = np.hypot(u - cx, v - cy)
    aro = np.abs(r - 4.5) < 1.0
    signo = 1 if g.random() < 0.5 else -1
    if signo < 0:
        corte = g.uniform(-np.pi, np.pi)
        giro = np.angle(np.exp(1j * (np.arctan2(v - cy, u - cx) - corte)))
        aro &= np.abs(giro) > 0.6
    return (aro + g.normal(0, 0.25, aro.shape)).astype(np.float32), signo


class Aros(Dataset):
    def __init__(self, n, semilla, aumentar):
        g = np.random.default_rng(semilla)
        pares = [figura(g) for _ in range(n)]
        self.x = torch.from_numpy(np.stack([p[0] for p in pares]))[:, None]
        self.s = torch.tensor([p[1] for p in pares], dtype=torch.float32)
        self.aumentar = aumentar

    def __len__(self):
        return len(self.s)

    def __getitem__(self, i):
        x = self.x[i]
        if self.aumentar:
            x = torch.rot90(x, int(torch.randint(4, ())), (1, 2))
        return x, self.s[i]


class Juez(nn.Module):
    def __init__(self):
        super().__init__()
        self.red = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(),
            nn.Conv2d(24, 24, 3), nn.ReLU(), nn.Flatten(), nn.Linear(24 * 36, 1))

    def forward(self, x):
        return self.red(x)[:, 0]


@torch.no_grad()
def medir(juez, cargador, giros=(0,)):
    juez.eval()
    bien = []
    for x, s in cargador:
        votos = torch.stack([juez(torch.rot90(x, k, (2, 3))) for k in giros])
        bien.append(votos.mean(dim=0) * s > 0)
    return torch.cat(bien).float().mean().item()


entreno = DataLoader(Aros(700, 100, aumentar=True), batch_size=50, shuffle=True)
prueba = DataLoader(Aros(300, 200, aumentar=False), batch_size=150)

juez = Juez()
opt = torch.optim.SGD(juez.parameters(), lr=0.02, momentum=0.9, nesterov=True, weight_decay=5e-4)
plan = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=0.02, epochs=9, steps_per_epoch=len(entreno))
for vuelta in range(9):
    juez.train()
    suma = 0.0
    for x, s in entreno:
        perdida = F.softplus(-s * juez(x)).mean()
        opt.zero_grad()
        perdida.backward()
        opt.step()
        plan.step()
        suma += float(perdida.detach())
    print(f"vuelta {vuelta}: pérdida {suma / len(entreno):.4f}")

print(f"prueba, una vista:     {medir(juez, prueba):.4f}")
print(f"prueba, cuatro giros:  {medir(juez, prueba, giros=range(4)):.4f}")
