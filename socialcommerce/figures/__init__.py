"""Draw each result in the house style: one function per figure, result in, axes out.

``style`` holds the page size and the way out (SVG), ``colours`` the colours. Importing this package imports nothing.
"""
