"""A plugin that prints and leaves the interpreter when it is imported."""

print("this would spoil the JSON on stdout")
raise SystemExit(3)
