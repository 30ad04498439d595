"""How far a long command is, on standard error."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer


@contextmanager
def stages() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each stage in a terminal, elsewhere a line when a stage begins. Yields `(what, done, total)`."""
    if not sys.stderr.isatty():
        begun: set[str] = set()

        def line(what: str, _: int, total: int) -> None:
            if what not in begun:
                begun.add(what)
                typer.echo(f"{what} ({total})" if total > 1 else what, err=True)

        yield line
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bars:
        tasks: dict[str, object] = {}

        def advance(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)  # type: ignore[arg-type]

        yield advance
