# expect: nothing
import math, copy, random
import numpy as np
import torch, torch.nn as nn, torch.nn.functional as F
from sklearn.datasets import load_wine, load_digits, load_diabetes, load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
torch.manual_seed(0); np.random.seed(0); random.seed(0)
X, y = load_digits(return_X_y=True)
Xtr, Xte, ytr, yte = train_test_split(X/16, y, test_size=.3, random_state=0, stratify=y)
xtr, xte = torch.tensor(Xtr).float(), torch.tensor(Xte).float()
ytr, yte = torch.tensor(ytr), torch.tensor(yte)
# symmetric contrastive with soft targets both ways
a=nn.Linear(64,16); b=nn.Linear(64,16); opt=torch.optim.Adam([*a.parameters(),*b.parameters()],1e-3)
for i in range(120):
    r=torch.randperm(len(xtr))[:64]; u=F.normalize(a(xtr[r]),dim=1); v=F.normalize(b(xtr[r]+.1*torch.randn(64,64)),dim=1)
    s=u@v.T/.1
    with torch.no_grad(): t=(xtr[r]@xtr[r].T); rows=F.softmax(t,dim=1); cols=F.softmax(t,dim=0)
    loss=F.kl_div(F.log_softmax(s,1),rows,reduction="batchmean")+F.kl_div(F.log_softmax(s,0),cols,reduction="batchmean")
    opt.zero_grad(); loss.backward(); opt.step()
print(loss.item())
# a linear probe of what it learned
with torch.no_grad(): f=a(xtr)
head=nn.Linear(16,10); opt=torch.optim.Adam(head.parameters(),.02)
for i in range(80):
    loss=F.cross_entropy(head(f),ytr)
    opt.zero_grad(); loss.backward(); opt.step()
with torch.no_grad(): print((head(a(xte)).argmax(1)==yte).float().mean().item())
