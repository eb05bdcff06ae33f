"""Runs schemathesis: API, authority of its certificate, folder of the seed, token, cases an operation."""

import os
import sys

api, authority, seed, token, cases = sys.argv[1:]
here = os.path.dirname(os.path.abspath(__file__))
os.environ.update(
    KEP_API=api,
    KEP_CA=authority,
    KEP_SEED=seed,
    KEP_TOKEN=token,
    KEP_STAFF_TOKEN=open(os.path.join(seed, "staff.txt")).read().strip(),
    SCHEMATHESIS_HOOKS="hooks",
    PYTHONPATH=here + os.pathsep + os.environ.get("PYTHONPATH", ""),
)
sys.path.insert(0, here)
os.chdir(seed)

import people  # noqa: E402
from schemathesis.cli import schemathesis  # noqa: E402

os.environ["KEP_SESSION_TOKEN"] = people.MAIN

schemathesis(
    [
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
        "--seed", os.environ.get("KEP_SCHEMATHESIS_SEED", "2911"),
        "--output-sanitize", "false",
        *os.environ.get("KEP_SCHEMATHESIS", "").split(),
    ]
)
