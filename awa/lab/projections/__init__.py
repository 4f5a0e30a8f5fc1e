"""Projections: what one trace says of each thing that a model speaks of.

Owns: one module a model: how its actions show in events, and what keeps the lives of it apart.
Keeps: names are given in the order in which they are met, so that lives of one shape are equal.
Above: check. Below: its modules.
"""
