"""The bench: `python -m bench core [--json]`, and `python -m bench budget` for the gate.

Owns: the commands, and where a result is written.
Keeps: with --json nothing but the object goes to stdout.
Above: nobody. Below: core, report.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from awa import config
from bench.core import BUDGET, Sizes, core
from bench.report import broken, commit, machine, table

ROOT = Path(__file__).parent


def main() -> int:
    """Run one command; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("workload", choices=["core", "budget"])
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.add_argument("--rounds", type=int, help="how often each library is measured")
    parser.add_argument("--out", type=Path, help="write the result to this file too")
    args = parser.parse_args()
    sizes = BUDGET if args.workload == "budget" else Sizes(rounds=args.rounds or 3)
    binaries = config.pg_bin()
    head = {"commit": commit(), "machine": machine()}

    def keep(part: dict[str, Any]) -> None:
        if args.out:
            args.out.write_text(json.dumps(head | part, indent=2) + "\n")

    result = head | asyncio.run(core(sizes, str(binaries) if binaries else None, keep))
    print(json.dumps(result, indent=2) if args.json else table(result))
    if args.workload == "budget":
        over = broken(result, ROOT / "budget.toml")
        print("\n".join(over) or "within the budget", file=sys.stderr)
        return 1 if over else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
