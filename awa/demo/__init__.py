"""The main job, shown on an embedded Postgres: real producers, real workers, real kills.

Owns: nothing itself; `command` is what `awa demo` runs.
Keeps: what was committed and what was run is told by the producers' and the handlers' own files,
    not by the queue.
Above: cli. Below: its modules.
"""
