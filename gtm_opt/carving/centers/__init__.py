"""Territory centers that are part of the question: location-allocation, exchanges, enumeration, scope of bounds."""
