"""What dev.py is made of; nothing here ships to users."""
