"""Methods that are fitted in closed form rather than trained by gradient."""
