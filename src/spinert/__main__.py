"""`python -m spinert`, the same as the command `spinert`."""

from spinert.cli.main import app

app()
