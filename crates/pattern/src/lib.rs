//! Pattern matching: regular expressions and phrases, one literal filter before all of them.
