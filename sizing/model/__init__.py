"""What a service costs: windows, service demand, memory, latency, credits and traffic, fitted from a run."""
