"""Programs that are copied into images as they are; nothing on this machine imports them."""
