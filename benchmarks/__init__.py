"""Where the README's figures come from; run by ``python dev.py bench``."""
