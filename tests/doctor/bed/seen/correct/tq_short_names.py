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
# two parts by hand: A and B, where B is for validation used in early stopping and a third is the test
A,B,a,b=train_test_split(Xtr,ytr.numpy(),test_size=.2,random_state=1); A,B,a,b=(torch.tensor(v) for v in (A,B,a,b)); A,B=A.float(),B.float()
net=nn.Sequential(nn.Linear(64,32),nn.ReLU(),nn.Linear(32,10)); opt=torch.optim.Adam(net.parameters(),1e-3); best=9; bad=0
for e in range(15):
    net.train()
    for r in torch.randperm(len(A)).split(64): opt.zero_grad(); F.cross_entropy(net(A[r]),a[r]).backward(); opt.step()
    net.eval()
    with torch.no_grad(): l=F.cross_entropy(net(B),b).item()
    if l<best: best,bad,st=l,0,copy.deepcopy(net.state_dict())
    else:
        bad+=1
        if bad>2: break
net.load_state_dict(st)
with torch.no_grad(): print("test",(net(xte).argmax(1)==yte).float().mean().item())