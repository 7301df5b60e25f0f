"""Problems with verifiable answers, and checkers of the traces that lead to them."""
