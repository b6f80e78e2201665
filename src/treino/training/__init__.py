"""Train networks: one alone (here), many (``sweeps``), compared (``studies``), searched for (``search``)."""
