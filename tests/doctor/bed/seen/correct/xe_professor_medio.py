# expect: nothing
# Fala inventada: muitas sequências sem rótulo, poucas com. O professor é a média móvel
# dos pesos do aluno, a tabela de entrada é fixa e há dois otimizadores.
import copy

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(31)
CLASSES, SIMB, T = 4, 20, 16
trans = torch.softmax(2.0 * torch.randn(CLASSES, SIMB, SIMB), -1)


def gerar(n):
    y = torch.arange(n) % CLASSES
    s = torch.randint(0, SIMB, (n,))
    passos = [s]
    for _ in range(T - 1):
        s = torch.multinomial(trans[y, s], 1).squeeze(1)
        passos.append(s)
    return torch.stack(passos, 1), y


class Rede(nn.Module):
    def __init__(self, d=24, h=40):
        super().__init__()
        codigo = F.normalize(torch.randn(SIMB + 1, d), dim=1) * 2
        self.fixa = nn.Embedding.from_pretrained(codigo, freeze=True)
        self.extra = nn.Embedding(SIMB + 1, d, sparse=True)
        self.gru = nn.GRU(d, h, batch_first=True)
        self.queda = nn.Dropout(0.1)
        self.saida = nn.Linear(h, CLASSES)

    def forward(self, x):
        z = self.gru(self.fixa(x) + self.extra(x))[0]
        return self.saida(self.queda(z.mean(1)))


def apagar(x, p=0.1):
    return x.masked_fill(torch.rand(x.shape) < p, SIMB)


@torch.no_grad()
def seguir(professor, aluno, m):
    for a, b in zip(professor.parameters(), aluno.parameters()):
        a.lerp_(b, 1 - m)


@torch.no_grad()
def acerto(rede, x, y):
    rede.eval()
    return (rede(x).argmax(1) == y).float().mean().item()


x_rot, y_rot = gerar(600)
x_livre, _ = gerar(1000)
x_teste, y_teste = gerar(600)

aluno = Rede()
professor = copy.deepcopy(aluno).requires_grad_(False).eval()
densos = [p for n, p in aluno.named_parameters() if p.requires_grad and not n.startswith("extra")]
otims = [torch.optim.Adam(densos, lr=3e-3), torch.optim.SparseAdam(list(aluno.extra.parameters()), lr=3e-3)]

for epoca in range(1, 16):
    aluno.train()
    ordem = torch.randperm(len(x_livre))
    conta = 0.0
    lotes = torch.randperm(len(x_rot)).split(30)
    for k, idx in enumerate(lotes):
        xl = x_livre[ordem[k * 50 : (k + 1) * 50]]
        with torch.no_grad():
            alvo = professor(apagar(xl)).softmax(1)
        perda = F.cross_entropy(aluno(apagar(x_rot[idx])), y_rot[idx])
        coer = F.mse_loss(aluno(apagar(xl)).softmax(1), alvo)
        for o in otims:
            o.zero_grad()
        (perda + min(1.0, epoca / 5) * coer).backward()
        for o in otims:
            o.step()
        seguir(professor, aluno, 0.95)
        conta += perda.item()
    if epoca % 3 == 0:
        print(f"época {epoca}: perda {conta / len(lotes):.4f}")

print("aluno:", round(acerto(aluno, x_teste, y_teste), 3))
print("professor:", round(acerto(professor, x_teste, y_teste), 3))
