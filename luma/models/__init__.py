"""Tables, and the rules a record can check by itself."""
