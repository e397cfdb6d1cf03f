"""What each NG command does: `table.py` has one row per command."""
