"""How each claim is measured: results of a run to an `Outcome`, one function a kind of claim."""
