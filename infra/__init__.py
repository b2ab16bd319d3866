"""Everything around the services: how they are installed, started, checked and deployed."""
