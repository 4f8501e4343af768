"""Image classifiers by id: models that somebody else trained to judge a picture."""
