# expect: nothing
"""DQN num pequeno mundo em grade: o agente sai de um canto e procura a saída."""
import random
from collections import deque

import torch
from torch import nn

LADO = 4
SAIDA = (3, 3)
BURACOS = {(1, 1), (2, 3)}
MOVIMENTOS = [(-1, 0), (1, 0), (0, -1), (0, 1)]


class Grade:
    def reiniciar(self):
        self.pos, self.t = (0, 0), 0
        return self._codigo()

    def _codigo(self):
        v = torch.zeros(LADO * LADO)
        v[self.pos[0] * LADO + self.pos[1]] = 1.0
        return v

    def passo(self, acao):
        di, dj = MOVIMENTOS[acao]
        self.pos = (min(max(self.pos[0] + di, 0), LADO - 1), min(max(self.pos[1] + dj, 0), LADO - 1))
        self.t += 1
        if self.pos == SAIDA:
            return self._codigo(), 1.0, True
        if self.pos in BURACOS:
            return self._codigo(), -1.0, True
        return self._codigo(), -0.02, self.t >= 30


def rede_q():
    return nn.Sequential(nn.Linear(LADO * LADO, 64), nn.ReLU(), nn.Linear(64, len(MOVIMENTOS)))


class Agente:
    def __init__(self, gama=0.97):
        self.q, self.alvo = rede_q(), rede_q()
        self.alvo.load_state_dict(self.q.state_dict())
        self.otim = torch.optim.SGD(self.q.parameters(), lr=0.2)
        self.memoria = deque(maxlen=3000)
        self.gama = gama

    def escolher(self, estado, eps):
        if random.random() < eps:
            return random.randrange(len(MOVIMENTOS))
        with torch.no_grad():
            return self.q(estado).argmax().item()

    def aprender(self, lote=32):
        s, a, r, s2, fim = zip(*random.sample(self.memoria, lote))
        s, s2 = torch.stack(s), torch.stack(s2)
        a, r, fim = torch.tensor(a), torch.tensor(r), torch.tensor(fim, dtype=torch.float32)
        with torch.no_grad():
            meta = r + self.gama * (1 - fim) * self.alvo(s2).max(dim=1).values
        previsto = self.q(s).gather(1, a.unsqueeze(1)).squeeze(1)
        erro = nn.functional.smooth_l1_loss(previsto, meta)
        self.otim.zero_grad()
        erro.backward()
        self.otim.step()
        return erro.item()


def avaliar(agente, episodios=20):
    soma = 0.0
    for _ in range(episodios):
        amb = Grade()
        s, fim = amb.reiniciar(), False
        while not fim:
            s, r, fim = amb.passo(agente.escolher(s, eps=0.05))
            soma += r
    return soma / episodios


if __name__ == "__main__":
    random.seed(2)
    torch.manual_seed(2)
    agente, amb, total = Agente(), Grade(), 0
    for episodio in range(1, 161):
        s, fim, erros = amb.reiniciar(), False, []
        eps = max(0.05, 1.0 - episodio / 80)
        while not fim:
            a = agente.escolher(s, eps)
            s2, r, fim = amb.passo(a)
            # o limite de tempo não é um estado final de verdade
            terminal = fim and r != -0.02
            agente.memoria.append((s, a, r, s2, terminal))
            s, total = s2, total + 1
            if len(agente.memoria) >= 200:
                erros.append(agente.aprender())
            if total % 100 == 0:
                agente.alvo.load_state_dict(agente.q.state_dict())
        if episodio % 40 == 0:
            print(f"episódio {episodio}: erro {sum(erros) / len(erros):.4f}, retorno {avaliar(agente):.3f}")
    print(f"retorno final: {avaliar(agente, 50):.3f}")
