"""Where the shipped judge comes from: invented companies, real other writings, noise, and the fit."""
