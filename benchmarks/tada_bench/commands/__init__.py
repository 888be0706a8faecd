"""The sub-commands of `tada`, one per file."""
