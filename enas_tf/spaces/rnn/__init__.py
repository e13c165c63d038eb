"""The recurrent-cell search space: language models made of one recurrent cell."""
