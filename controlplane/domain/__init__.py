"""Pure decisions of the control plane: values in, values out; time and randomness come in as values."""
