"""What the tests talk to: real servers that live as long as the test run, and stand-ins for the vendors on loopback."""
