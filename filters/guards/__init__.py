"""Guard models by id: large models that somebody else trained to judge a text."""
