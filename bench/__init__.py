"""What Awa costs, measured beside the machine's own limits and beside awa-pg.

Owns: nothing itself; `python -m bench core` is where to begin.
Keeps: a figure is measured in this run, beside what it is compared with, or it is not printed.
Above: nobody. Below: its modules.
"""
