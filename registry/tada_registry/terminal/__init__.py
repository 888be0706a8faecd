"""What every command of `tada` says alike: which model it works on, how options are written, how a table looks."""
