"""`spinert build`: a bundle's networks become TensorRT engines in the user's cache."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from spinert.runtime.tensorrt.build import Engine, Watch

Library = Literal["tensorrt", "tensorrt_rtx"]


def build(
    bundle: Annotated[str, typer.Argument(metavar="NAME|DIR", help="A shipped bundle, or the folder of another.")],
    precision: Annotated[
        list[str] | None,
        typer.Option(
            metavar="P", help="fp32, fp16 or int8-trt; several times for several. By default fp16, else fp32."
        ),
    ] = None,
    library: Annotated[
        Library | None, typer.Option(help="By default the first of these that is installed, in this order.")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, max=1024, help="Most items that one run may take at once.")] = 16,
    version_compatible: Annotated[
        bool,
        typer.Option(
            "--version-compatible", help="Engines that tensorrt_lean and later versions run too, perhaps slower."
        ),
    ] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build engines again that are there already.")] = False,
) -> None:
    """Build the TensorRT engines of a bundle for the GPU that is here.

    Nothing else builds engines: `spinert infer` takes what it finds in the
    cache, or says which command builds it. An engine that is there already and
    that its library takes is kept. With a GPU here each engine is timed and, over
    the bundle's golden inputs, compared with fp32 on onnxruntime where that is
    installed: one that computes something else is not kept, and int8-trt only
    where it is faster than fp16. tensorrt_rtx builds without a GPU too, for RTX GPUs
    from Ampere on; such an engine is not timed. Engines for a box with tensorrt_lean, which
    cannot build, come from tensorrt on a like GPU with --version-compatible: they
    carry code, so copy the whole cache folder, and only from where you trust.

    \b
      spinert build cobb
      spinert build cobb --precision fp16 --precision int8-trt
      spinert build bundles/mine --library tensorrt_rtx --batch 4
    """
    import spinert
    from spinert.runtime.backends import ort
    from spinert.runtime.infer import find_bundle
    from spinert.runtime.tensorrt.build import build as build_engines
    from spinert.runtime.tensorrt.build import choose_library, default_precisions
    from spinert.runtime.tensorrt.compile import Options

    found = find_bundle(bundle)
    chosen = choose_library(library)
    options = Options(batch, version_compatible)
    with _progress() as watch:
        precisions = precision or default_precisions(found)
        for engine in build_engines(
            found,
            precisions,
            chosen,
            options,
            watch,
            by=spinert.__version__,
            rebuild=rebuild,
            reference=partial(ort.open_network, threads=1) if ort.missing() is None else None,
        ):
            typer.echo(_text(engine))


def _text(engine: "Engine") -> str:
    sidecar = engine.sidecar
    identity = sidecar.identity
    types = ", ".join(f"{count} {dtype}" for dtype, count in sidecar.layer_types.items())
    facts = [
        f"built in {sidecar.build_seconds:.1f} s" if engine.fresh else "there already",
        f"{sidecar.plan_bytes / 1e6:.1f} MB",
        f"{sidecar.layers} layers ({types})" if sidecar.layers else "",
        f"{identity.target.library} {identity.target.version} for {identity.target.gpu}",
        f"batch 1 to {identity.max_batch}",
        f"not timed: {engine.unmeasured}" if sidecar.milliseconds is None else f"{sidecar.milliseconds:.3f} ms",
        "" if sidecar.difference is None else f"within {100 * sidecar.difference:.2g} % of fp32 on the processor",
    ]
    return f"{sidecar.network} {identity.precision}: {'; '.join(filter(None, facts))}"


@contextmanager
def _progress() -> Iterator["Watch"]:
    """A bar with the time left on standard error, in a terminal only. It always says when it waits."""
    from spinert.runtime.tensorrt.build import Watch

    def waiting() -> None:
        typer.echo("another build is going on: waiting for its end", err=True)

    if not sys.stderr.isatty():
        yield Watch(waiting=waiting)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} % {task.fields[left]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty()) as bar:
        task = bar.add_task("engines", total=1.0, left="")

        def begin(network: str, precision: str) -> None:
            bar.reset(task, total=1.0, description=f"{network} {precision}", left="")

        def progress(share: float, left: float | None) -> None:
            bar.update(task, completed=share, left="" if left is None else f"{left:.0f} s left")

        yield Watch(begin, progress, waiting)
