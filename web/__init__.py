"""The pages of the operator's customers, served over HTTP in the operator's brand."""
