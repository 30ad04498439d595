"""`spinert info`: what a bundle holds and where its weights come from."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from spinert.bundle import Bundle, Manifest


def info(
    bundle: Annotated[str, typer.Argument(metavar="NAME|DIR", help="A shipped bundle, or the folder of another.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the content of bundle.json.")] = False,
) -> None:
    """Check a bundle and show its networks, settings, provenance and model card.

    \b
      spinert info cobb
      spinert info path/to/bundle --json
    """
    import msgspec

    from spinert.runtime.infer import find_bundle

    found = find_bundle(bundle)
    if as_json:
        typer.echo(msgspec.json.encode(found.manifest).decode())
        return
    typer.echo(_text(found))
    _show_card(found.model_card())


def _text(bundle: "Bundle") -> str:
    manifest = bundle.manifest
    lines = [
        f"{manifest.name}  (pipeline {manifest.pipeline}, format {manifest.format_version})",
        f"  folder      {bundle.folder}",
        f"  SHA-256     {bundle.sha256}",
        f"  classes     {', '.join(manifest.class_names)}",
    ]
    for name, network in manifest.networks.items():
        lines.append(f"  network     {name}, opset {network.opset}")
        lines += [f"    input     {tensor}" for tensor in network.inputs]
        lines += [f"    output    {tensor}" for tensor in network.outputs]
        for precision, file in network.files.items():
            size = (bundle.folder / file).stat().st_size
            lines.append(f"    {precision:<9} {file}, {size / 1e6:.1f} MB")
        if network.golden_max_abs_difference is not None:
            lines.append(f"    onnxruntime against torch: at most {network.golden_max_abs_difference:.2g}")
    lines += _together(manifest)
    for precision, variant in manifest.variants.items():
        lines.append(f"  variant     {precision}: {variant.method}; calibrated on {variant.calibrated_on}")
        lines.append(f"    proof     {', '.join((variant.report, *variant.pictures))}")
    lines += [
        f"  on a CPU    {each.precision} with {each.backend}: {each.milliseconds:.1f} ms, "
        f"{each.speedup:.2f} x fp32 with ort when it was calibrated"
        for each in manifest.cpu
    ]
    lines += [f"  setting     {name} = {value}" for name, value in manifest.settings.items()]
    made = manifest.provenance
    lines += [
        f"  recipe      {made.recipe}, {made.date}, spinert {made.spinert}",
        f"  data        {made.data}",
        f"  split       {made.split}",
        f"  weights     SHA-256 {made.weights_sha256}",
    ]
    return "\n".join(lines) + "\n"


def _together(manifest: "Manifest") -> Iterator[str]:
    """Ensembles, members and how their findings are fused."""
    from spinert.manifest import VoteFusion

    for role, ensemble in manifest.ensembles.items():
        yield f"  ensemble    {role} = {ensemble.combine} of {_weighed(ensemble.networks, ensemble.weights)}"
    if manifest.fusion is None:
        return
    for name, member in manifest.members.items():
        yield f"  member      {name}, pipeline {member.pipeline}"
        if member.class_names is not None:
            yield f"    classes   {', '.join(member.class_names)}"
        yield from (f"    network   {role} = {player}" for role, player in member.networks.items())
        yield from (f"    setting   {setting} = {value}" for setting, value in member.settings.items())
    fusion, everyone = manifest.fusion, (manifest.name, *manifest.members)
    if isinstance(fusion, VoteFusion):
        how = f"vote of {', '.join(everyone)}, opposite sides at most {fusion.side_ratio:g} times as long"
    else:
        how = f"mean of {_weighed(everyone, fusion.weights)}"
    yield f"  fusion      {how}; flagged beyond {fusion.most_degrees_apart:g} degrees"


def _weighed(names: tuple[str, ...], weights: tuple[float, ...]) -> str:
    if not weights:
        return ", ".join(names)
    return ", ".join(f"{weight:g} x {name}" for name, weight in zip(names, weights, strict=True))


def _show_card(markdown: str) -> None:
    """The model card, laid out in a terminal, as it is elsewhere."""
    if not sys.stdout.isatty():
        typer.echo(markdown)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(markdown))
