# expect: detached_graph @ 47
# Knotenklassifikation auf einem synthetischen Blockgraphen
import numpy as np
import scipy.sparse as sp
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(3)
rng = np.random.default_rng(3)

N_PRO_BLOCK, N_BLOECKE, N_MERKMALE = 120, 4, 24


def baue_graph():
    n = N_PRO_BLOCK * N_BLOECKE
    block = np.repeat(np.arange(N_BLOECKE), N_PRO_BLOCK)
    p = np.where(block[:, None] == block[None, :], 0.022, 0.006)
    oben = np.triu(rng.random((n, n)) < p, k=1)
    adj = sp.csr_matrix((oben | oben.T).astype(np.float32))
    adj = adj + sp.eye(n, dtype=np.float32, format="csr")
    grad = np.asarray(adj.sum(1)).ravel()
    d = sp.diags(1.0 / np.sqrt(grad))
    zentren = rng.normal(0, 0.65, (N_BLOECKE, N_MERKMALE))
    x = zentren[block] + rng.normal(0, 1.6, (n, N_MERKMALE))
    return (d @ adj @ d).tocsr().astype(np.float32), x.astype(np.float32), block


A_HAT, merkmale, block = baue_graph()
koo = A_HAT.tocoo()
indizes = torch.from_numpy(np.vstack([koo.row, koo.col]).astype(np.int64))
A = torch.sparse_coo_tensor(indizes, torch.from_numpy(koo.data), koo.shape, check_invariants=True)
A = A.coalesce()
x = torch.from_numpy(merkmale)
y = torch.from_numpy(block).long()
perm = torch.from_numpy(rng.permutation(len(y)))
idx_train, idx_test = perm[:240], perm[240:]


class GCN(nn.Module):
    def __init__(self, d_ein, d_verdeckt, n_klassen):
        super().__init__()
        self.w1 = nn.Linear(d_ein, d_verdeckt, bias=False)
        self.w2 = nn.Linear(d_verdeckt, n_klassen)

    def nachbarn_mitteln(self, h):
        return torch.from_numpy(A_HAT @ h.detach().numpy())

    def forward(self, x):
        h = F.relu(self.nachbarn_mitteln(self.w1(x)))
        return self.w2(torch.sparse.mm(A, h))


netz = GCN(N_MERKMALE, 6, N_BLOECKE)
optimierer = torch.optim.Adam(netz.parameters(), lr=0.02, weight_decay=1e-4)

for epoche in range(1, 121):
    netz.train()
    optimierer.zero_grad()
    logits = netz(x)
    verlust = F.cross_entropy(logits[idx_train], y[idx_train])
    verlust.backward()
    optimierer.step()
    if epoche % 20 == 0:
        print(f"Epoche {epoche:3d}  Verlust {verlust.item():.4f}")

netz.eval()
with torch.no_grad():
    vorhersage = netz(x).argmax(dim=1)
genau_train = (vorhersage[idx_train] == y[idx_train]).float().mean().item()
genau_test = (vorhersage[idx_test] == y[idx_test]).float().mean().item()
print(f"Genauigkeit Training {genau_train:.3f}, Test {genau_test:.3f}")
