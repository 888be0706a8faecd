"""The result store: a folder in which everything is written aside and renamed into place once."""
