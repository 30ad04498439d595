"""`spinert doctor`: what is here, what is missing, and the command that brings it."""

from typing import TYPE_CHECKING, Annotated

import typer

from spinert.errors import NoBackend

if TYPE_CHECKING:
    from spinert.runtime.doctor import Facts


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the facts as one JSON document.")] = False,
) -> None:
    """Say what spinert can use on this machine: processor, backends, codecs, bundles.

    Exit code 0 when inference is possible here, else 6.
    """
    from spinert.runtime.doctor import examine, to_json

    facts = examine()
    typer.echo(to_json(facts).decode() if as_json else _text(facts))
    if not facts.can_infer:
        raise typer.Exit(NoBackend.exit_code)


def _text(facts: "Facts") -> str:
    rows = [("threads", f"{facts.threads} usable"), *_kernel_rows(facts)]
    for backend in facts.backends:
        where = ", ".join(f"{device} {score}" for device, score in backend.scores.items())
        rows.append(("backend", f"{backend.name} ({where}): {backend.missing or 'usable'}"))
    rows += _tensorrt_rows(facts)
    rows.append(("packages", ", ".join(f"{name} {version}" for name, version in facts.packages.items() if version)))
    rows += [("codec", f"{c.name}: {', '.join(c.decoders) or f'missing: {c.remedy}'}") for c in facts.codecs]
    rows.append(("bundles", ", ".join(facts.bundles) or "none shipped: name a folder with --bundle"))
    rows += [("warning", warning) for warning in facts.warnings]
    verdict = "inference is possible" if facts.can_infer else "inference is not possible: see what is missing above"
    lines = [f"{heading:<9} {text}" for heading, text in rows]
    return "\n".join([f"spinert {facts.spinert}, Python {facts.python}, {facts.platform}", *lines, verdict])


def _kernel_rows(facts: "Facts") -> list[tuple[str, str]]:
    kernels = facts.kernels
    if kernels is None:
        return [("kernels", f"missing: {facts.kernels_missing}")]
    isas = f"{kernels.active} in use; usable: {', '.join(kernels.usable)}; compiled: {', '.join(kernels.compiled)}"
    return [("kernels", isas), ("CUDA", kernels.cuda)]


def _tensorrt_rows(facts: "Facts") -> list[tuple[str, str]]:
    found = facts.tensorrt
    libraries = ", ".join(f"{name} {version}" for name, version in found.libraries.items())
    engines = [("engine", f"{each.engine}: {each.unusable or 'usable'}") for each in found.engines]
    return [
        ("TensorRT", f"{libraries or 'none installed'}; engines in {found.cache}: {len(engines) or 'none'}"),
        *engines,
    ]
