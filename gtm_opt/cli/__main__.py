"""``python -m gtm_opt.cli`` is ``gtm-opt``."""

from __future__ import annotations

from gtm_opt.cli.app import main

if __name__ == "__main__":
    main()
