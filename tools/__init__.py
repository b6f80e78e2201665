"""Programs for contributors; no part of treino."""
