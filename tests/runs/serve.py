"""A server whose evaluations are completions, as a process that can be killed.

python -m tests.runs.serve ADDRESS STORE DATABASE
"""

import sys

from steer.server import app, run_office
from steer.server.settings import Settings
from tests.runs.kinds import Completions

if __name__ == "__main__":
    run_office.KINDS = {"evaluate": Completions()}
    address, store, database = sys.argv[1:]
    app.run(Settings(address=address, store=store, database=database, lease_seconds=0.5, threads=1))
