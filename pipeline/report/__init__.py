"""The report: departures, decisions, figures, pages; no torch."""
