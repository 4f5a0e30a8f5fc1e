"""The command line as `python -m awa`.

Owns: nothing.
Keeps: the same program as the console script.
Above: nobody. Below: cli.
"""

import sys

from awa.cli import main

sys.exit(main())
