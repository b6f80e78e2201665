"""Exercício: uma só função para o treino e para o teste.

Complete a função e confira com

    python -m treino_lessons forward.py

Ela é chamada com "train" e com "test", uma vez por época. Já existem quando ela é chamada:

    criterion    nn.CrossEntropyLoss(): recebe os logits que a rede devolve, sem softmax
    optimizer    o otimizador, ligado aos pesos da rede
    args         o dicionário de hiperparâmetros, com args["device"]

O que ela tem de dizer: a média da perda das iterações. Pode devolver (return) só esse número, devolver
(perda, acurácia) ou outra coisa depois da perda, ou apenas imprimir com duas casas ou mais, como no curso.
Deixe neste arquivo só os imports e a função: carregar dados e chamar as épocas ficam no seu notebook.

As duas dicas do curso: defina o modo por net.train() e net.eval(), e pode desconsiderar torch.no_grad(). E lembre-se
de substituir as chamadas train(...) e test(...) do seu laço por forward(..., "train") e forward(..., "test").
"""

import numpy as np


def forward(loader, net, epoch, mode):
    # 1. A rede tem de saber se treina ou se é testada (dropout e batch norm mudam de comportamento).

    epoch_loss = []
    for dado, rotulo in loader:
        # 2. Cast na GPU, se houver: args["device"]

        # 3. Forward: a predição e a perda; guarde a perda deste lote em epoch_loss.

        # 4. Só no treino: o que muda os pesos. São três chamadas; a ordem importa.
        pass

    # 5. A média (e, se quiser, o desvio) de epoch_loss.
