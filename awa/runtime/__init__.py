"""What a worker process does all day, on a thread of its own beside the application's loop.

Owns: nothing itself; each module below has one duty.
Keeps: the engine's loop never runs the application's code, and the application's loop never waits
    for the database on the engine's behalf.
Above: client starts the engine. Below: its modules.
"""
