"""``python -m farm``, from the repository's folder."""

import sys

from tools.workflow import to_prompt

from .command import main

sys.exit(main(sys.argv[1:], to_prompt))
