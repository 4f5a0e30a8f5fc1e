"""The lab: what holds traces of real runs against the models.

Owns: the models' tools and the judges of traces.
Keeps: nothing in the queue needs the lab.
Above: the tests, spec/tlc.py, people at a prompt. Below: its modules.
"""
