"""One publisher's format, one file. Raw bytes in, contract rows out; no network, no lake."""
