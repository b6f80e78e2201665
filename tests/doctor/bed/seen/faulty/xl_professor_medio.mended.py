# expect: nothing
# Mean teacher semissupervisionado nos dígitos 8x8 do sklearn
import copy
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(0)

X, y = load_digits(return_X_y=True)
X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
X_rot, X_sem, y_rot, _ = train_test_split(X_tr, y_tr, train_size=200, stratify=y_tr,
                                          random_state=0)
para_img = lambda a: torch.tensor(a / 16.0, dtype=torch.float32).view(-1, 1, 8, 8)
X_rot, X_sem, X_te = para_img(X_rot), para_img(X_sem), para_img(X_te)
y_rot, y_te = torch.tensor(y_rot), torch.tensor(y_te)


def ruido(x):
    return x + 0.15 * torch.randn_like(x)


class Rede(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 16, 3, padding=1)
        self.c2 = nn.Conv2d(16, 32, 3, padding=1)
        self.d1 = nn.Linear(32 * 16, 64)
        self.d2 = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.c1(x))
        x = F.max_pool2d(F.relu(self.c2(x)), 2)
        return self.d2(F.relu(self.d1(x.flatten(1))))


@torch.no_grad()
def atualiza_professor(professor, aluno, alfa):
    for p, a in zip(professor.parameters(), aluno.parameters()):
        p.mul_(alfa).add_(a, alpha=1 - alfa)


@torch.no_grad()
def acuracia(rede, x, alvo):
    rede.eval()
    return (rede(x).argmax(1) == alvo).float().mean().item()


aluno = Rede()
professor = copy.deepcopy(aluno)
for p in professor.parameters():
    p.requires_grad_(False)
otimizador = torch.optim.AdamW(aluno.parameters(), lr=2e-3, weight_decay=1e-4)

EPOCAS, ACUMULA, LOTE = 25, 2, 20
passo = 0
for epoca in range(EPOCAS):
    aluno.train()
    professor.train()
    peso = 5.0 * min(1.0, epoca / 10)
    soma = 0.0
    lotes = torch.randperm(len(X_rot)).split(LOTE)
    for i, idx in enumerate(lotes):
        xs = X_sem[torch.randint(len(X_sem), (2 * LOTE,))]
        sup = F.cross_entropy(aluno(ruido(X_rot[idx])), y_rot[idx])
        with torch.no_grad():
            alvo = F.softmax(professor(ruido(xs)), dim=1)
        cons = F.mse_loss(F.softmax(aluno(ruido(xs)), dim=1), alvo)
        perda = (sup + peso * cons) / ACUMULA
        perda.backward()
        if (i + 1) % ACUMULA == 0:
            otimizador.step()
            otimizador.zero_grad()
            passo += 1
            atualiza_professor(professor, aluno, min(0.98, passo / (passo + 10)))
        soma += sup.item()
    if (epoca + 1) % 5 == 0:
        print(f"época {epoca + 1:2d}  perda sup. {soma / len(lotes):.3f}")

print(f"aluno: {acuracia(aluno, X_te, y_te):.3f}  professor: {acuracia(professor, X_te, y_te):.3f}")
