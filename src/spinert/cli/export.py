"""`spinert export`: a trained network becomes a bundle, a bundle a model repository."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from spinert.export import Exported


def export(
    source: Annotated[
        str,
        typer.Argument(
            help="A recipe, such as `landmarks`, a .pt2 file of torch.export.save, or a .json description that names "
            "several networks; with --triton, a bundle."
        ),
    ],
    weights: Annotated[
        Path | None, typer.Argument(help="Checkpoint of a recipe: torch.save(network.state_dict(), WEIGHTS).")
    ] = None,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder of the new bundle; must not exist.")
    ] = None,
    describe: Annotated[
        Path | None, typer.Option("--describe", help="JSON file with the facts of the bundle (shown above).")
    ] = None,
    model_card: Annotated[Path | None, typer.Option("--model-card", help="Markdown file with the model card.")] = None,
    size: Annotated[
        str | None, typer.Option("--size", help="HEIGHT,WIDTH of a recipe's input, in place of its own size.")
    ] = None,
    golden: Annotated[
        Path | None,
        typer.Option(
            metavar="STUDY",
            help="Make the golden inputs of every network from this study in place of random blocks; a synthetic one: "
            "it stays in the bundle.",
        ),
    ] = None,
    triton: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write SOURCE, a bundle, as a model repository of Triton; must not exist."),
    ] = None,
) -> None:
    """Turn a trained PyTorch network into a bundle that spinert infers with.

    The network is written as ONNX with a fixed size and a free batch, run by
    torch and by onnxruntime on the same golden inputs, and refused when they
    disagree. The bundle appears whole or not at all.
    Needs the extras: pip install "spinert[cpu,export]"

    Example: spinert export landmarks weights.pt -o bundles/cobb
    --describe cobb.json --model-card cobb.md

    The description states what the network does not:

    \b
    {
      "name": "cobb",
      "pipeline": "cobb_landmarks",
      "settings": {"least_confidence": 0.3, ...},
      "class_names": ["T1", "T2", ...],
      "data": "which images the weights were trained on",
      "split": "what was held out",
      "date": "2026-11-20"
    }

    A .pt2 program has no recipe, so its description goes on, tensors named in
    the program's order:

    \b
      "program": {
        "recipe": "where its code is",
        "network": "landmarks",
        "inputs": ["image"],
        "outputs": ["heatmaps"]
      }

    Trace such a program in evaluation mode, with an example batch of 2 and
    dynamic_shapes that make the batch, and only the batch, free.

    A bundle of several networks is exported from its description alone:

    \b
      spinert export system.json -o bundles/system --model-card system.md

    The description then names them, by their names in the bundle, with files
    beside it; `options` are the recipe's. A .pt2 file needs "inputs" and
    "outputs" in place of "options":

    \b
      "networks": {
        "first": {"recipe": "landmarks", "weights": "first.pt",
                  "options": {"size": [768, 320]}},
        "second": {"recipe": "landmarks", "weights": "second.pt"}
      }

    Networks with equal tensors may play one role of the pipeline, averaged:

    \b
      "ensembles": {"landmarks": {"networks": ["first", "second"],
                                  "weights": [2, 1]}}

    Further pipelines may examine the same image; the bundle's own is the first
    member. "fusion" is the weighted mean of the members' angles, or the vote of
    Chen et al. (2019) on the end vertebrae:

    \b
      "members": {"other": {"pipeline": "cobb_landmarks", "settings": {...},
                            "networks": {"landmarks": "second"}}},
      "fusion": {"method": "mean", "weights": [2, 1]}
      "fusion": {"method": "vote", "side_ratio": 1.6}

    Angles that members measure more than "most_degrees_apart" (5 by default) of
    the fusion apart are flagged.

    The provenance of several networks has their recipes joined by " + ", and the
    SHA-256 of the text of their SHA-256 in hexadecimal, one after the other.

    Weights are data: a checkpoint may hold tensors only, and a .pt2 archive
    tensors and ATen operators; whatever could run code is refused.

    A bundle becomes a model repository of the Triton Inference Server, which
    serves its networks with onnxruntime; this needs no extras:

    \b
      spinert export cobb --triton models
    """
    from spinert.errors import BadRequest

    given = {"WEIGHTS": weights, "--output": output, "--describe": describe, "--model-card": model_card}
    if triton is not None:
        if senseless := [
            name for name, value in {**given, "--size": size, "--golden": golden}.items() if value is not None
        ]:
            raise BadRequest(
                f"--triton is given with {', '.join(senseless)}, but a bundle has all that", "leave it out"
            )
        _to_triton(source, triton)
        return
    several = source.endswith(".json")
    if several and (
        needless := [
            name for name in ("WEIGHTS", "--describe", "--size") if {**given, "--size": size}[name] is not None
        ]
    ):
        raise BadRequest(f"{source} is given with {', '.join(needless)}, but says that itself", "leave it out")
    facts = Path(source) if several else describe
    if output is None or facts is None or model_card is None:
        lacking = [name for name, value in given.items() if value is None and name != "WEIGHTS"]
        lacking = [name for name in lacking if not (several and name == "--describe")]
        raise BadRequest(
            f"a new bundle needs {', '.join(lacking)}", "give it; `spinert export --help` shows an example"
        )
    # torch's exporter names each optional package that it goes without, which is no news to the user
    logging.getLogger("torch.onnx._internal").setLevel(logging.ERROR)
    logging.getLogger("torch.export.pt2_archive").setLevel(logging.ERROR)
    from spinert.export import export_bundle, export_networks, read_description

    description = read_description(facts)
    card = _text(model_card)
    if several:
        _show(export_networks(description, facts.parent, output, model_card=card, golden_study=golden))
        return
    _show(
        export_bundle(
            source,
            weights,
            output,
            description=description,
            model_card=card,
            size=_numbers(size),
            golden_study=golden,
        )
    )


def _text(path: Path) -> str:
    from spinert.errors import BadRequest

    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"cannot read {path} as text: {error}", "name a Markdown file in UTF-8") from None


def _show(exported: "Exported") -> None:
    bundle, differences = exported
    for name, spec in bundle.manifest.networks.items():
        for kind, tensors in (("input", spec.inputs), ("output", spec.outputs)):
            for tensor in tensors:
                typer.echo(f"{name} {kind}: {tensor}")
        typer.echo(f"{name} file: {spec.files['fp32']}, ONNX opset {spec.opset}")
    for each in differences:
        typer.echo(
            f"torch against onnxruntime, {each.tensor}: max |difference| {each.absolute:.3g} "
            f"({each.reference:.6g} and {each.candidate:.6g}; tolerated {each.tolerated:.3g})"
        )
    typer.echo(f"bundle {bundle.name!r} in {bundle.folder}, SHA-256 {bundle.sha256}")


def _to_triton(source: str, folder: Path) -> None:
    from spinert.export.triton import write_repository
    from spinert.runtime.infer import find_bundle

    written = write_repository(find_bundle(source), folder)
    for model in written.models:
        typer.echo(f"model {model}")
    for precision in written.left_out:
        typer.echo(f"left out: {precision}, which is for TensorRT alone")
    typer.echo(f"model repository in {written.folder}")


def _numbers(size: str | None) -> tuple[int, ...] | None:
    from spinert.errors import BadRequest

    if size is None:
        return None
    try:
        return tuple(int(part) for part in size.split(","))
    except ValueError:
        raise BadRequest(f"--size {size!r} is not HEIGHT,WIDTH", "write it as 768,320") from None
