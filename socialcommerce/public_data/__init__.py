"""What public data on people say of the paper's strategies; each result is an effect with its error."""
