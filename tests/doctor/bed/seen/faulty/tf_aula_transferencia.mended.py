# expect: nothing
"""Aula 9: transfer learning. A net that knows the digits 0-4 is taught the digits 5-9 with a fresh head."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(21)


class RedeDigitos(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.corpo = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.Flatten(),
        )
        self.cabeca = nn.Linear(24 * 4 * 4, n_classes)

    def forward(self, x):
        return self.cabeca(self.corpo(x))


def carregar(digitos, base):
    dados = load_digits()
    quais = [i for i, alvo in enumerate(dados.target) if alvo in digitos]
    x = torch.tensor(dados.images[quais], dtype=torch.float32).unsqueeze(1) / 16.0
    y = torch.tensor(dados.target[quais]) - base
    xa, xb, ya, yb = train_test_split(x, y, test_size=0.3, random_state=0, stratify=y)
    return DataLoader(TensorDataset(xa, ya), batch_size=32, shuffle=True), (xb, yb)


def treinar(rede, loader, otimizador, epocas, nome):
    perda_fn = nn.CrossEntropyLoss()
    for epoca in range(epocas):
        rede.train()
        soma = 0.0
        for x, y in loader:
            otimizador.zero_grad()
            perda = perda_fn(rede(x), y)
            perda.backward()
            otimizador.step()
            soma += perda.item()
        print(f"[{nome}] epoca {epoca + 1}: perda {soma / len(loader):.4f}")


def acuracia(rede, par):
    rede.eval()
    with torch.no_grad():
        return (rede(par[0]).argmax(1) == par[1]).float().mean().item()


# --- parte 1: a rede de origem
loader_a, teste_a = carregar(range(0, 5), base=0)
rede = RedeDigitos(5)
treinar(rede, loader_a, torch.optim.Adam(rede.parameters(), lr=3e-3), 3, "origem")
print(f"origem: acuracia {acuracia(rede, teste_a):.3f}")

# --- parte 2: so a cabeca aprende, o corpo fica congelado
loader_b, teste_b = carregar(range(5, 10), base=5)
for p in rede.corpo.parameters():
    p.requires_grad_(False)
rede.cabeca = nn.Linear(rede.cabeca.in_features, 5)
otimizador = torch.optim.Adam(rede.cabeca.parameters(), lr=5e-3)
treinar(rede, loader_b, otimizador, 4, "destino")
print(f"destino: acuracia {acuracia(rede, teste_b):.3f}")
