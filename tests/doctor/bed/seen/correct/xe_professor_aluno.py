# expect: nothing
# Destilação multi-rótulo: um professor grande dá probabilidades (sigmoide) e um aluno pequeno as imita.
# Rótulos por imagem: par, maior que quatro, tem laço fechado (0, 6, 8, 9).
import torch
from torch import nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split

torch.manual_seed(27)
NOMES = ["par", "grande", "laço"]


def rotular(y):
    laco = (y == 0) | (y == 6) | (y == 8) | (y == 9)
    return torch.stack([y % 2 == 0, y > 4, laco], dim=1).float()


class Professor(nn.Module):
    """já devolve probabilidades; por isso a perda dele é BCELoss"""

    def __init__(self):
        super().__init__()
        self.corpo = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten(),
            nn.Linear(32 * 16, 3),
        )

    def forward(self, x):
        return torch.sigmoid(self.corpo(x))


class Aluno(nn.Module):
    """devolve logits"""

    def __init__(self, ocultas=16):
        super().__init__()
        self.rede = nn.Sequential(nn.Flatten(), nn.Linear(64, ocultas), nn.ReLU(), nn.Linear(ocultas, 3))

    def forward(self, x):
        return self.rede(x)


def treinar(modelo, perda_do_lote, x, t, epocas, lr):
    otimizador = torch.optim.Adam(modelo.parameters(), lr=lr)
    for ep in range(epocas):
        modelo.train()
        diario = []
        for idx in torch.randperm(len(x)).split(64):
            perda = perda_do_lote(modelo, x[idx], t[idx])
            otimizador.zero_grad()
            perda.backward()
            otimizador.step()
            diario.append(perda.item())
        if (ep + 1) % (epocas // 2) == 0:
            media = torch.tensor(diario).mean()
            print(f"  época {ep + 1}: perda {media:.4f}")


d = load_digits()
x_a, x_b, y_a, y_b = train_test_split(d.images / 16, d.target, test_size=0.3, stratify=d.target, random_state=4)
x_a = torch.tensor(x_a, dtype=torch.float32).unsqueeze(1)
x_b = torch.tensor(x_b, dtype=torch.float32).unsqueeze(1)
t_a, t_b = rotular(torch.tensor(y_a)), rotular(torch.tensor(y_b))

print("professor")
professor = Professor()
bce = nn.BCELoss()
treinar(professor, lambda m, x, t: bce(m(x), t), x_a, t_a, epocas=12, lr=3e-3)
professor.eval()
for p in professor.parameters():
    p.requires_grad_(False)


def imitar(aluno, x, t, mistura=0.7):
    with torch.no_grad():
        alvo = professor(x)
    logits = aluno(x)
    suave = F.binary_cross_entropy_with_logits(logits, alvo)
    duro = F.binary_cross_entropy_with_logits(logits, t)
    return mistura * suave + (1 - mistura) * duro


print("aluno")
aluno = Aluno()
treinar(aluno, imitar, x_a, t_a, epocas=30, lr=4e-3)
aluno.eval()

with torch.no_grad():
    p_prof = professor(x_b)
    p_aluno = torch.sigmoid(aluno(x_b))
for k, nome in enumerate(NOMES):
    f_prof = f1_score(t_b[:, k], p_prof[:, k] > 0.5)
    f_aluno = f1_score(t_b[:, k], p_aluno[:, k] > 0.5)
    print(f"F1 {nome:7s} professor {f_prof:.3f}  aluno {f_aluno:.3f}")
