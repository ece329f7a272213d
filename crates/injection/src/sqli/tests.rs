//! Fingerprints of values, by hand.
