"""The Pulumi program: one contract, one set of outputs, four places to run."""
