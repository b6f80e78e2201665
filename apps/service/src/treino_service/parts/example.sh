#!/bin/sh
# sh example.sh [http://127.0.0.1:8000]; with TREINO_TOKEN in the environment, where the service asks for it
curl -s "${1:-http://127.0.0.1:8000}/predict" -H "Content-Type: application/json" \
  -H "Authorization: Bearer $TREINO_TOKEN" --data-binary @- <<'END'
ROWS
END
