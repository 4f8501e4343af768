"""Scripts that make the files this package ships."""
