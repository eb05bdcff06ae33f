"""Runs schemathesis: API, authority of its certificate, folder of the seed, token, cases an operation.

Of some operations it has fewer cases than asked for when it draws from what earlier answers told it: they
are run again by themselves, until each had its number."""

import json
import os
import pathlib
import subprocess
import sys

api, authority, seed, token, cases = sys.argv[1:]
here = os.path.dirname(os.path.abspath(__file__))
counted = pathlib.Path(seed, "reached.json")
environment = dict(
    os.environ,
    KEP_API=api,
    KEP_CA=authority,
    KEP_SEED=seed,
    KEP_TOKEN=token,
    KEP_STAFF_TOKEN=pathlib.Path(seed, "staff.txt").read_text().strip(),
    SCHEMATHESIS_HOOKS="hooks",
    PYTHONPATH=here + os.pathsep + os.environ.get("PYTHONPATH", ""),
)


# The session that people begin stands in the settings that schemathesis reads.
BEGIN = """
import os, people
os.environ["KEP_SESSION_TOKEN"] = people.MAIN
from schemathesis.cli import schemathesis
schemathesis()
"""


def run(number, *more):
    """One run, with a seed of its own."""
    first = int(os.environ.get("KEP_SCHEMATHESIS_SEED", "2911"))
    ran = subprocess.run(
        [
            sys.executable, "-B", "-c", BEGIN,
            "--config-file", os.path.join(here, "schemathesis.toml"),
            "run", api + "/openapi.json",
            "--url", api,
            "--tls-verify", authority,
            "--header", "Authorization: Bearer " + token,
            "--checks", "all",
            "--max-examples", cases,
            "--max-response-time", "20",
            "--continue-on-failure",
            "--generation-database", "none",
            "--seed", str(first + number),
            "--output-sanitize", "false",
            *more,
            *os.environ.get("KEP_SCHEMATHESIS", "").split(),
        ],
        cwd=seed,
        env=dict(environment, KEP_ROUND=str(number)),
    )
    if ran.returncode != 0:
        sys.exit(ran.returncode)


def short():
    """What had fewer cases than asked for."""
    asked = json.loads(counted.read_text())
    operations = asked["operations"]
    return [name for name in operations if asked["asked"].get(name, 0) < int(cases)]


run(0)
for number in range(1, 6):
    left = short()
    if not left:
        break
    only = [word for name in left for word in ("--include-operation-id", name)]
    run(number, "--phases", "coverage,fuzzing", *only)
