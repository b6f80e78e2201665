# expect: selection_on_test @ 49
# allowed: selection_on_test @ 50
# allowed: selection_on_test @ 51
# Poucos dígitos; aumento de dados por deslocamento
import copy
import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X, _, y, _ = train_test_split(X, y, train_size=500, stratify=y, random_state=0)
X_tr, X_te, y_tr, y_te = train_test_split(X / 16.0, y, test_size=120, stratify=y, random_state=2)


def imagem(a):
    return torch.tensor(a).float().view(-1, 1, 8, 8)


X_tr, X_te, y_tr, y_te = imagem(X_tr), imagem(X_te), torch.tensor(y_tr), torch.tensor(y_te)


def deslocar(x):
    dx, dy = torch.randint(-1, 2, (2,)).tolist()
    x = nn.functional.pad(x, (1, 1, 1, 1))
    return x[:, :, 1 + dy:9 + dy, 1 + dx:9 + dx]


rede = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                     nn.Flatten(), nn.Dropout(0.3), nn.Linear(192, 10))
otim = torch.optim.Adam(rede.parameters(), lr=1e-2)


@torch.no_grad()
def acuracia(x, alvo):
    rede.eval()
    return (rede(x).argmax(1) == alvo).float().mean().item()


melhor, melhor_estado = 0.0, None
for epoca in range(30):
    rede.train()
    for idx in torch.randperm(len(X_tr)).split(32):
        otim.zero_grad()
        perda = nn.functional.cross_entropy(rede(deslocar(X_tr[idx])), y_tr[idx])
        perda.backward()
        otim.step()
    acc = acuracia(X_te, y_te)
    if acc > melhor:
        melhor, melhor_estado = acc, copy.deepcopy(rede.state_dict())

rede.load_state_dict(melhor_estado)
print(f"melhor época: {melhor:.3f}")
print(f"acurácia no teste: {acuracia(X_te, y_te):.3f}")
