"""A lecture on real servers with several dozen real participants, and the truth about who was there."""
