# Regressão logística com registro em arquivo: treino, validação e o melhor modelo
import json

import torch

torch.manual_seed(17)
dados = torch.randn(90, 2)
rotulos = (dados[:, 0] > dados[:, 1]).float()
pesos = torch.zeros(2, requires_grad=True)
vies = torch.zeros(1, requires_grad=True)
otimizador = torch.optim.SGD([{"params": [pesos], "lr": 0.5}, {"params": [vies], "lr": 0.1}])
agenda = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(otimizador, T_0=10)
with open("histórico.txt", "w", encoding="utf-8") as registro, open("resumo.json", "w+") as resumo:
    for época in range(35):
        perda = torch.nn.functional.binary_cross_entropy_with_logits(dados @ pesos + vies, rotulos)
        otimizador.zero_grad()
        perda.backward()
        otimizador.step()
        agenda.step()
        acertos = ((dados @ pesos + vies > 0) == rotulos.bool()).float().mean().item()
        print(f"época {época}: perda {perda.item():.6f}, acurácia {acertos:.3f}")
        print(f"época {época} → {perda.item():.6f}", file=registro)
        resumo.seek(0)  # o resumo é reescrito no mesmo arquivo aberto
        json.dump({"época": época, "perda": perda.item()}, resumo, ensure_ascii=False)
        resumo.truncate()
        resumo.flush()
print(open("resumo.json").read())  # noqa: SIM115
