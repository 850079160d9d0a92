"""The colours that arms have, in figures and in MLflow's UI."""

# Okabe and Ito (2008): told apart by all common kinds of colour vision. Their black and yellow are
# replaced by grey and wine, which have enough contrast on both the light and the dark page.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#882255")
