# expect: nothing
"""REINFORCE sur un petit environnement maison : un chariot doit rejoindre une balise."""
import torch
from torch import nn
from torch.distributions import Categorical


class Chariot:
    """Position et vitesse sur une droite ; actions : freiner, rien, pousser."""

    def __init__(self, generateur, duree=40):
        self.generateur, self.duree = generateur, duree

    def depart(self):
        self.etat = torch.tensor([0.0, 0.0])
        self.etat[0] = torch.rand(1, generator=self.generateur).item() * 2 - 1
        self.t = 0
        return self.etat.clone()

    def avance(self, action):
        position, vitesse = self.etat.tolist()
        vitesse = 0.9 * vitesse + 0.06 * (action - 1)
        position += vitesse
        self.etat = torch.tensor([position, vitesse])
        self.t += 1
        return self.etat.clone(), -min(abs(position), 2.0) * 0.1, self.t >= self.duree


class Politique(nn.Module):
    def __init__(self):
        super().__init__()
        self.tronc = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 3))

    def forward(self, etat):
        return Categorical(logits=self.tronc(etat))


def jouer(env, politique):
    etat, fini = env.depart(), False
    log_probs, entropies, gains = [], [], []
    while not fini:
        loi = politique(etat)
        action = loi.sample()
        log_probs.append(loi.log_prob(action))
        entropies.append(loi.entropy())
        etat, gain, fini = env.avance(action.item())
        gains.append(gain)
    return torch.stack(log_probs), torch.stack(entropies), gains


def retours(gains, gamma=0.95):
    cumul, suite = 0.0, []
    for g in reversed(gains):
        cumul = g + gamma * cumul
        suite.insert(0, cumul)
    return torch.tensor(suite)


def main():
    torch.manual_seed(6)
    env = Chariot(torch.Generator().manual_seed(6))
    politique = Politique()
    optimiseur = torch.optim.Adam(politique.parameters(), lr=1e-2)
    entropie_lissee, gain_lisse = 0.0, None

    for tour in range(1, 46):
        pertes, totaux = [], []
        episodes = [jouer(env, politique) for _ in range(3)]
        tous = torch.stack([retours(g) for _, _, g in episodes])
        avantages = (tous - tous.mean(0)) / (tous.std() + 1e-6)
        for (log_probs, _, gains), avantage in zip(episodes, avantages):
            pertes.append(-(log_probs * avantage).mean())
            totaux.append(sum(gains))
        optimiseur.zero_grad()
        torch.stack(pertes).mean().backward()
        optimiseur.step()

        entropie = torch.cat([e for _, e, _ in episodes]).mean()
        entropie_lissee = 0.9 * entropie_lissee + 0.1 * entropie.item()
        moyenne = sum(totaux) / len(totaux)
        gain_lisse = moyenne if gain_lisse is None else 0.9 * gain_lisse + 0.1 * moyenne
        if tour % 15 == 0:
            print(f"tour {tour:3d}  gain {gain_lisse:.3f}  entropie {entropie_lissee:.3f}")


if __name__ == "__main__":
    main()
