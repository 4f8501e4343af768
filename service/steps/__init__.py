"""The eleven steps, one function each; their order is in `service/pipeline.py`."""
