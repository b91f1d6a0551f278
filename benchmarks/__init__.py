"""Where the figures of ``docs/benchmarks.md`` come from; run by ``python dev.py bench``."""
