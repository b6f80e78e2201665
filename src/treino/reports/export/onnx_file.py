"""``exports/NAME.onnx``: columns or pixels in, predictions out; checked in onnxruntime before it is kept."""

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from treino.base.errors import Refusal
from treino.base.files import as_portable
from treino.base.words import N_
from treino.data import sources
from treino.data.column_program import ColumnProgram
from treino.data.dataset import Data
from treino.data.photographs.decoding import decode
from treino.data.photographs.new_pictures import album_of
from treino.data.preparation.column_cells import read_cells, restored
from treino.data.preparation.preparation import Preparation
from treino.engine.metrics import probabilities
from treino.folders.coverage import coverage_scores
from treino.folders.prediction import reading_of
from treino.folders.prediction_columns import free_name
from treino.folders.stored_run import StoredRun
from treino.inspection.input_planes import winners
from treino.inspection.outputs import outputs
from treino.reports.export import Exported, targets_of

ONNX_MISSING = Refusal(
    "{name} is not installed, and ONNX files are checked before they are kept.",
    "Install both: pip install 'treino[onnx]'.",
)

REPORT_IT = N_("Nothing was kept; please report this, with the preparation.json of the run.")
ONNX_DIFFERS = Refusal(
    "On {n:,} rows the ONNX model answers otherwise than {run}: by up to {apart:.2g}.", REPORT_IT, status=1
)
ONNX_PIXELS_DIFFER = Refusal(
    "The ONNX model brings pictures otherwise to the size of {run}: by {n:.2g} grey levels.",
    REPORT_IT,
    rule="onnx_differs",
    status=1,
)

OUTPUTS = ("prediction", "probabilities", "low", "high")
TOLERANCE = 1e-5  # largest error allowed, in probability or in standard deviations of the target
CHECKED = 2000  # maximum number of rows checked
GREY_LEVELS = 1.001  # largest difference of a pixel from Pillow's: one level, plus float32 rounding
CHECKED_PICTURES = 100  # maximum number of image files checked, which are decoded and predicted one by one

Cells = dict[str, NDArray[Any]]


def onnx_file(run: StoredRun) -> Exported:
    """Write the run as an ONNX model, checked on its test rows.

    Raises:
        TreinoError: onnx or onnxruntime isn't installed; a preparation or network that ONNX can't express; a
            model whose predictions differ from the run's.
    """
    try:
        import onnxruntime

        from treino.reports.export import onnx_graph, onnx_values
    except ImportError as error:
        raise ONNX_MISSING(name=error.name or "onnx") from None
    model = onnx_graph.model_of(run)
    content = model.SerializeToString()
    if run.preparation.fit is not None:  # the check sees the resized pixels too
        model.graph.output.append(onnx_values.value_info(onnx_graph.RESIZED, onnx_values.DOUBLE, "pixels"))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    shown = model.SerializeToString()
    session = onnxruntime.InferenceSession(shown, options, providers=["CPUExecutionProvider"])
    rows, apart = 0, 0.0
    for cells, raw_ND in _checked_rows(run):
        answers = _answers(session, cells)
        resized_ND = answers.pop(onnx_graph.RESIZED, raw_ND)
        inputs = [one.name for one in session.get_inputs()]
        off = _difference(run, resized_ND, answers, inputs)
        pixels_off = float(np.abs(resized_ND - raw_ND).max())
        if off > TOLERANCE:
            raise ONNX_DIFFERS(n=len(raw_ND), run=run.name, apart=off)
        if resized_ND is not raw_ND and pixels_off > GREY_LEVELS:
            raise ONNX_PIXELS_DIFFER(run=run.name, n=pixels_off)
        rows, apart = rows + len(raw_ND), max(apart, off, _difference(run, raw_ND, answers, inputs))
    path = run.folder.write_bytes(f"exports/{as_portable(run.name)}.onnx", content)
    return Exported((path,), rows, apart)


# ---- the check


def _checked_rows(run: StoredRun) -> Iterator[tuple[Cells, NDArray[Any]]]:
    """Yield the model's inputs and the raw inputs ``[N, D]`` that they stand for: test rows if there are any;
    image files come one at a time, because each has its own size."""
    from treino.reports.export import onnx_columns

    data, prep = run.data, run.preparation
    part = next((part for part in (data.test, data.validation, data.train) if len(part)), data.train)
    if prep.fit is not None:
        yield from _pictures(data, prep, part.index[:CHECKED_PICTURES].tolist())
        return
    rows = part[:CHECKED]
    if not len(rows):
        return
    if not prep.programs:
        raw_ND = prep.inverse(rows.x.reshape(len(rows), -1))
        yield {"x": raw_ND}, raw_ND
        return
    if run.spec.data.kind in ("file", "builtin") and not data.files:
        source = data.source if run.spec.data.kind == "builtin" else Path(data.source)
        table = sources.read(source, reading_of(run), least_columns=1)
        place = rows.index.numpy()
        cells = {p.column: read_cells(p, table.column(p.column).take(place), str) for p in prep.programs}
    else:
        raw_ND = prep.inverse(rows.x)
        cells = {
            p.column: _again(p, raw_ND[:, list(group)])
            for p, group in zip(prep.programs, prep.groups, strict=True)
        }
    raw_ND = prep.raw_inputs([cells[program.column] for program in prep.programs])
    yield {p.column: onnx_columns.fed(p, cells[p.column]) for p in prep.programs}, raw_ND


def _pictures(data: Data, prep: Preparation, numbers: list[int]) -> Iterator[tuple[Cells, NDArray[Any]]]:
    """Yield each file's decoded pixels, and the same pixels resized by Pillow to the run's size."""
    from PIL import Image

    album = album_of(data.source)
    assert prep.picture_shape is not None
    assert prep.fit is not None
    channels, height, width = prep.picture_shape
    for number in numbers:
        content = album.read(data.file_names[number])
        form, _none = decode(content, None, prep.fit)
        _form, pixel_CHW = decode(content, (channels, form.height, form.width), prep.fit)
        assert pixel_CHW is not None
        pixel_HWC = pixel_CHW.transpose(1, 2, 0)
        file = io.BytesIO()
        Image.fromarray(pixel_HWC[..., 0] if channels == 1 else pixel_HWC).save(file, "PNG", compress_level=0)
        _form, small_CHW = decode(file.getvalue(), (channels, height, width), prep.fit)
        assert small_CHW is not None
        yield {"pixels": np.ascontiguousarray(pixel_HWC[None])}, small_CHW.reshape(1, -1)


def _again(program: ColumnProgram, raw_NK: NDArray[np.float64]) -> NDArray[Any]:
    """Return cells that encode to these raw inputs, for rows whose cells were not kept."""
    if terms := program.step("terms"):  # others with some of the terms: a text can't be restored
        words = [term.strip() for term in terms.terms]
        return np.array([" ".join(words[row % 97 :: 97]) for row in range(len(raw_NK))], object)
    cells_N = restored(program, raw_NK)
    whole = program.truth or (program.measure == "seconds" and not program.clock)
    return cells_N.round() if whole else cells_N


def _answers(session: Any, cells: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """Return the model's outputs by name."""
    return dict(zip((o.name for o in session.get_outputs()), session.run(None, dict(cells)), strict=True))


def _difference(
    run: StoredRun, raw_ND: NDArray[Any], answers: Mapping[str, Any], inputs: Sequence[str]
) -> float:
    """Return the largest difference between the model's predictions and the run's for these raw inputs.
    inputs: the names of the model's inputs, which its outputs avoid."""
    x_ND = run.preparation.transform(raw_ND)
    output_NC = outputs(run.module, x_ND, item_shape=run.item_shape)
    off = []
    for name, one, part in targets_of(run):
        further = one.preparation.link.names
        names = {free_name(f"{what}{name}", inputs): what for what in (*OUTPUTS, *further)}
        own = {names[key]: value for key, value in answers.items() if key in names}
        off.append(_off(one, x_ND, output_NC[:, part], own))
    return max(off)


def _off(run: StoredRun, x_ND: Tensor, output_NC: Tensor, answers: Mapping[str, Any]) -> float:
    spec = run.spec
    if spec.classes:
        share_NC = probabilities(output_NC).double().numpy()
        said = [spec.classes[place] for place in winners(share_NC, run.threshold)]
        same = said == list(answers["prediction"])
        apart = float(np.abs(share_NC - answers["probabilities"]).max())
        sure = np.sort(share_NC, axis=1)
        undecided = bool((sure[:, -1] - sure[:, -2] < TOLERANCE).any())
        return apart if same or undecided else 1.0
    value_N = run.preparation.predictions(output_NC.double())[:, 0].numpy()
    turned = np.log if run.preparation.target_log else np.asarray
    apart_N = [np.abs(turned(value_N) - turned(answers["prediction"]))]
    for name, one_N in run.preparation.further(output_NC.double()).items():
        apart_N.append(np.abs(one_N.numpy() - answers[name]))
    if (known := coverage_scores(run)) is not None:
        ends_N2 = known.held(run, x_ND, output_NC[None])
        apart_N += [
            np.abs(turned(ends_N2[:, i]) - turned(answers[name])) for i, name in enumerate(("low", "high"))
        ]
    # float32 rounds what is far from 0 by more
    return float(np.max(apart_N / np.maximum(np.abs(turned(value_N)), spec.target_scale or 1.0)))
