"""Benchmarks: ngdaemon beside another daemon of the NG protocol, in one run on one machine.

`python -m benchmarks --help` says how they are run, `docs/performance.md` what they found.
"""
