"""The command line: reads files, calls the library, writes files."""

from __future__ import annotations

from gtm_opt.cli.app import main

__all__ = ["main"]
