"""How the weights and tables of this package are made; never imported by the service."""
