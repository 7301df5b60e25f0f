"""What a verdict takes for much and for certain: fixed before any evaluation, for all of them."""

ALPHA = 0.05
"""How often an effect is claimed that is not there: the usual one, in the family of a summary."""

MARGIN = 0.05
"""The smallest difference a verdict is about. Five points are about the least that the 500 items
of the standard evaluation show: with a probability of 0.75 where both arms guess among ten."""

HALF = 0.5
"""The share of a gain from which on a control explains it: the better half. Prefixing one token
brought back 63 to 75 % of the gains that turned out to be token preference (arXiv 2509.06608, and
organism A1), controls without the treatment's content 10 % of those that did not (organism A2)."""

TOO_CLOSE = 0.5
"""The size of a cosine to the vector from which on a null holds a quarter of the vector's energy
and more; random directions from the pooled covariance, which is no null, reach 0.8 on average."""
