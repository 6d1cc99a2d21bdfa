"""The two operating mechanisms of social commerce as models: declared once as data, and everything that follows."""
