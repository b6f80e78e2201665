# expect: nothing
# Tutorial: clasificador con una parte congelada y una cabeza nueva
import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X_ent, X_pru, y_ent, y_pru = train_test_split(X / 16.0, y, test_size=0.25, stratify=y, random_state=0)
X_ent, X_pru = torch.tensor(X_ent).float(), torch.tensor(X_pru).float()
y_ent, y_pru = torch.tensor(y_ent), torch.tensor(y_pru)

cuerpo = nn.Sequential(nn.Linear(64, 64), nn.ReLU())


def entrenar(red, parametros, objetivo, epocas):
    opt = torch.optim.Adam(parametros, lr=5e-3)
    perdida = nn.CrossEntropyLoss()
    for _ in range(epocas):
        red.train()
        for idx in torch.randperm(len(X_ent)).split(64):
            opt.zero_grad()
            perdida(red(X_ent[idx]), objetivo[idx]).backward()
            opt.step()


def evaluar(red, objetivo):
    red.eval()
    with torch.no_grad():
        return (red(X_pru).argmax(1) == objetivo).float().mean().item()


red = nn.Sequential(cuerpo, nn.Linear(64, 10))
entrenar(red, red.parameters(), y_ent, 8)
print(f"diez cifras: {evaluar(red, y_pru):.3f}")

cuerpo.requires_grad_(False)
paridad = nn.Sequential(cuerpo, nn.Linear(64, 2))
entrenar(paridad, paridad[1].parameters(), y_ent % 2, 10)
print(f"par o impar: {evaluar(paridad, y_pru % 2):.3f}")
