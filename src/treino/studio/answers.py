"""Errors as answers of the studio, in the reader's language."""

from typing import Any

from starlette.responses import JSONResponse

from treino.errors import TreinoError
from treino.store.sentences import with_sources, without_sources
from treino.words import speaking


def error_document(error: TreinoError, language: str | None = None) -> dict[str, Any]:
    """``{"error": {"rule", "message", "hint"}}``. language: of the reader; None: the server's own.

    An error is raised in the server's language; its sentences keep their sources, and so can be translated.
    """
    with speaking(language):
        return {"error": without_sources(dict(with_sources(error.document)))}


def refusal(status: int, error: TreinoError, language: str | None = None) -> JSONResponse:
    """The response to a request that is refused."""
    return JSONResponse(error_document(error, language), status)
