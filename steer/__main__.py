"""``python -m steer`` is the command ``steer``."""

from steer.cli.main import app

app(prog_name="steer")
