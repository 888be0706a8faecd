"""The equations, each a pure tensor function in a file named after it.

Shapes: h is [rows, tokens, width]; a strength is a float or a tensor that broadcasts against it, [rows, 1, 1].
"""
