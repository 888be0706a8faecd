"""The page: one folder with an HTML file that works from a disk, its clips and its tables."""
