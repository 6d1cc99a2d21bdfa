"""Draw each result in the house style: one function per figure, result in, axes out, labels in English and Chinese.

``style`` holds the colours, the page size and the way out (SVG); ``fonts`` the Chinese font. Importing this
package imports nothing: import the module of the figure you need.
"""
