"""A million rows with every row-level defect of the catalogue of bad inputs, and the truth about each of them."""
