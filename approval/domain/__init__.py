"""The law (法): what holds whoever asks, whatever the database. Standard library only."""
