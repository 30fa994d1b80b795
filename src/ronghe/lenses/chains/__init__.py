"""Supply chains: what is made where, what hangs on one provider, and what a shock would cost."""
