"""How a letter travels: put on paper, sent, kept, and looked after by whoever runs the school."""
