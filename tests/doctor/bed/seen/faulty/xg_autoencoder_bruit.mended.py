# expect: nothing
# Auto-encodeur débruiteur convolutif sur les chiffres 8x8
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(9)


class AutoEncodeur(nn.Module):
    def __init__(self, code=24):
        super().__init__()
        self.encodeur = nn.Sequential(
            nn.Conv2d(1, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * 2 * 2, code),
        )
        self.decodeur = nn.Sequential(
            nn.Linear(code, 32 * 2 * 2),
            nn.ReLU(),
            nn.Unflatten(1, (32, 2, 2)),
            nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(16, 1, 4, stride=2, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return self.decodeur(self.encodeur(x))


def bruiter(x, sigma=0.25):
    return (x + sigma * torch.randn_like(x)).clamp(0, 1)


images = torch.tensor(load_digits().images, dtype=torch.float32).unsqueeze(1) / 16.0
app, tst = train_test_split(images, test_size=0.25, random_state=9)
chargeur = DataLoader(TensorDataset(app), batch_size=64, shuffle=True)

# version bruitée du jeu de test, tirée une fois : c'est l'entrée de la tâche
gen = torch.Generator().manual_seed(0)
tst_bruite = (tst + 0.25 * torch.randn(tst.shape, generator=gen)).clamp(0, 1)

modele = AutoEncodeur()
critere = nn.MSELoss()
optimiseur = torch.optim.SGD(modele.parameters(), lr=1.0, momentum=0.9)

for epoque in range(1, 31):
    modele.train()
    cumul = 0.0
    for (propre,) in chargeur:
        sortie = modele(bruiter(propre))
        perte = critere(sortie, propre)
        optimiseur.zero_grad()
        perte.backward()
        optimiseur.step()
        cumul += perte.item()
    if epoque % 5 == 0:
        print(f"époque {epoque:2d} : perte par lot {cumul / len(chargeur):.4f}")

modele.eval()
with torch.no_grad():
    reconstruit = modele(tst_bruite)
mse = nn.functional.mse_loss(reconstruit, tst).item()
mse_entree = nn.functional.mse_loss(tst_bruite, tst).item()
print(f"test : erreur de l'image bruitée {mse_entree:.4f}, après débruitage {mse:.4f}")
