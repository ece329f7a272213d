//! Verdicts, by hand.
