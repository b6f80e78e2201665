# expect: nothing
# Autoencodeur débruiteur sur les chiffres (cahier de cours)
import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(0)
images = load_digits().data / 16.0
app, test = train_test_split(images, test_size=0.25, random_state=0)
app, test = torch.tensor(app).float(), torch.tensor(test).float()

codeur = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 16))
decodeur = nn.Sequential(nn.Linear(16, 48), nn.ReLU(), nn.Linear(48, 64))
modele = nn.Sequential(codeur, decodeur)
opt = torch.optim.Adam(modele.parameters(), lr=3e-3)
perte = nn.MSELoss()

for epoque in range(12):
    modele.train()
    cumul = 0.0
    for lot in torch.randperm(len(app)).split(64):
        propre = app[lot]
        bruite = propre + 0.2 * torch.randn_like(propre)
        l = perte(modele(bruite), propre)
        opt.zero_grad()
        l.backward()
        opt.step()
        cumul += l.item() * len(lot)
    if epoque % 4 == 3:
        print(f"époque {epoque + 1} erreur {cumul / len(app):.4f}")

modele.eval()
with torch.no_grad():
    bruite = test + 0.2 * torch.randn_like(test)
    print(f"avant {perte(bruite, test).item():.4f}  après {perte(modele(bruite), test).item():.4f}")
