"""The world outside (外部世界), behind the ports that domain/ports.py declares."""
