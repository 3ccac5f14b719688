"""The program inside of pods: `python -m floe_ops.job bootstrap|wait|roundtrip|dagster`.

Everything that it needs is told by the environment; it reads no checkout, writes nothing but temporary files, and
starts no other program. A Job's log is all that a person sees of it: each line carries the time in UTC, all lines go
to standard error so that their order holds, and standard output is left to the one object of `--json`.
"""
