"""Resources that assets use."""
