"""Pictures and films, in and out: the only importer of PyAV, the only place that decodes."""
