"""What developers of jobcore run by hand; nothing of it is in a distribution."""
